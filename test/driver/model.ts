/** What is so in a store, as its users were promised: what came in where, which versions there are, what each owns, which is shown. */
import type { Mode } from '../../streams/position.ts'
import { partitionOf } from '../../utilities/values/partition.ts'
import { featureChanges } from '../../versions/changes.ts'
import type { Loan } from './loans.ts'
import type { DrivenSet } from './sets.ts'
import type { Command, Years } from './step.ts'

/** The rows with after < _seq <= until of a partition; each feature's state was empty behind its origin. */
export type Owned = { readonly after: number; readonly until: number | null; readonly origins: Readonly<Record<string, number>> }

export type VersionModel = {
  readonly version: number
  readonly shadow: boolean
  readonly retired: boolean
  /** By partition. */
  readonly owned: readonly Owned[]
}

export type Model = {
  readonly set: DrivenSet
  readonly partitions: number
  readonly loans: readonly Loan[]
  /** By partition: what lies in inflow, how much of it the consumer has read, and what was taken, from file and stream, in order. */
  inflow: readonly (readonly Loan[])[]
  consumed: readonly number[]
  taken: readonly (readonly Loan[])[]
  versions: readonly VersionModel[]
  /** Every promotion that counts, the present one last. */
  shown: readonly number[]
  /** Rows that the stream computed and no sink has surely written: `version:seq`. */
  unsunk: ReadonlySet<string>
  /** The same of all rows that went through outflow, written or not. */
  streamed: ReadonlySet<string>
  /** A backfill that was cut short: its rows may be there or not, and the stream waits. */
  batch: { readonly years: Years; readonly loans: readonly Loan[] } | null
  /** A command on versions that was cut short, with how far each partition was when it began. */
  open: { readonly command: Command; readonly since: readonly number[] } | null
}

export const newModel = (set: DrivenSet, partitions: number, loans: readonly Loan[]): Model => {
  const none = Array.from({ length: partitions }, () => [])
  const nothing = { versions: [], shown: [], unsunk: new Set<string>(), streamed: new Set<string>(), batch: null, open: null }
  return { set, partitions, loans, inflow: none, consumed: none.map(() => 0), taken: none, ...nothing }
}

export const partitionIn = ({ set, partitions }: Model, loan: Loan): number =>
  set.per === null || partitions === 1 ? 0 : partitionOf(loan.state, partitions)

export const positionsIn = ({ taken }: Model): readonly number[] => taken.map((loans) => loans.at(-1)?.seq ?? 0)

export const isRunning = ({ owned }: VersionModel): boolean => owned.some(({ until }) => until === null)

export const topOf = ({ shown }: Model): number | undefined => shown.at(-1)

/** The versions that the base view looks through for each record. */
export const chainOf = ({ shown }: Model): readonly number[] => [...new Set(shown.toReversed())]

export const owns = ({ after, until }: Owned, seq: number): boolean => seq > after && (until === null || seq <= until)

/** The rows that are still to be produced or backfilled of those years, and whether any lies behind what was taken or is held. */
export function freshOf(model: Model, [from, to]: Years): { readonly fresh: readonly Loan[]; readonly behind: boolean } {
  const there = new Set([...model.inflow, ...model.taken, model.batch?.loans ?? []].flat().map(({ seq }) => seq))
  const fresh = model.loans.filter(({ year, seq }) => year >= from && year <= to && !there.has(seq))
  return { fresh, behind: fresh.length > 0 && fresh[0]!.seq < Math.max(0, ...there) }
}

/** The same for a batch, which may go before what waits in inflow, but neither behind what was taken nor past what waits. */
export function batchOf(model: Model, years: Years): { readonly fresh: readonly Loan[]; readonly refused: boolean } {
  const { fresh } = freshOf({ ...model, batch: null }, years)
  const unread = model.inflow.flatMap((loans, partition) => loans.slice(model.consumed[partition]))
  const [first, last] = [fresh[0]?.seq ?? Infinity, fresh.at(-1)?.seq ?? 0]
  return { fresh, refused: first < Math.max(0, ...positionsIn(model)) || unread.some(({ seq }) => seq < last) }
}

/** Rows of the version that the base view shows, or will. */
export function rowsShownOf(model: Model, version: number): number {
  const chain = chainOf(model)
  return model.taken.reduce(
    (sum, loans, partition) =>
      sum + loans.filter(({ seq }) => chain.find((one) => owns(model.versions[one]!.owned[partition]!, seq)) === version).length,
    0,
  )
}

/** What the stream or a batch gives to every version that runs. */
function take(model: Model, loans: readonly Loan[], partition: number, streamed: boolean): void {
  const before = new Set(model.taken[partition]!.map(({ seq }) => seq))
  const fresh = loans.filter(({ seq }) => !before.has(seq))
  model.taken = model.taken.with(partition, [...model.taken[partition]!, ...fresh])
  // While something is unfinished, any version may be the one that is computed.
  const isComputed = (version: number) => model.open || model.versions[version]?.owned[partition]!.until === null
  const running = model.set.chain.map(({ version }) => version).filter(isComputed)
  if (!streamed) return
  const rows = running.flatMap((version) => fresh.map(({ seq }) => `${version}:${seq}`))
  model.unsunk = new Set([...model.unsunk, ...rows])
  model.streamed = new Set([...model.streamed, ...rows])
}

export function produced(model: Model, loans: readonly Loan[]): void {
  model.inflow = model.inflow.map((held, partition) => [...held, ...loans.filter((loan) => partitionIn(model, loan) === partition)])
}

export function backfilled(model: Model, loans: readonly Loan[]): void {
  for (let partition = 0; partition < model.partitions; partition++) {
    take(
      model,
      loans.filter((loan) => partitionIn(model, loan) === partition),
      partition,
      false,
    )
  }
  model.batch = null
}

/** The consumer has read so many of the partition's records. */
export function consumedTo(model: Model, partition: number, count: number): void {
  take(model, model.inflow[partition]!.slice(model.consumed[partition], count), partition, true)
  model.consumed = model.consumed.with(partition, count)
}

export function sunk(model: Model): void {
  model.unsunk = new Set()
}

/** The warehouse was lost and made again, but for what outflow holds: a sink begins with that again. */
export function emptied(model: Model): void {
  model.unsunk = model.streamed
}

/** Where a version that was cut short switched, as it can be seen afterwards: by version, then by partition. */
export type Seen = ReadonlyMap<number, readonly Owned[]>

/** The end of a command on versions. Where records came in since it was begun, `seen` says behind which of them it switched. */
export function carriedOut(model: Model, command: Command, seen?: Seen): void {
  model.open = null
  switch (command.do) {
    case 'apply':
      return applied(model, command.version, command.mode, seen)
    case 'promote':
      return shownNow(model, [...model.shown, command.version], seen)
    case 'rollback':
      return shownNow(model, model.shown.slice(0, -1), seen)
    case 'retire': {
      const shown = model.shown.filter((version) => version !== command.version)
      model.shown = shown.filter((version, i) => version !== shown[i - 1])
      model.versions = model.versions.map((one) => (one.version === command.version ? { ...one, shadow: false, retired: true } : one))
      return ended(model, seen, (one) => one.version === command.version)
    }
  }
}

/** A version whose apply was never finished is retired: everything else is as it was. */
export function givenUp(model: Model, version: number): void {
  const owned = positionsIn(model).map((position): Owned => ({ after: position, until: position, origins: {} }))
  model.versions = [...model.versions, { version, shadow: false, retired: true, owned }]
}

/** Puts the version on top, or takes the top off: the one that is shown then goes on, with all the rows that it lacked. */
function shownNow(model: Model, shown: readonly number[], seen: Seen | undefined): void {
  model.shown = shown.filter((version, i) => version !== shown[i - 1])
  const top = topOf(model)!
  const goingOn = (one: VersionModel) => ({ ...one, shadow: false, owned: one.owned.map((part) => ({ ...part, until: null })) })
  model.versions = model.versions.map((one) => (one.version === top ? goingOn(one) : one))
  ended(model, seen, (one) => one.version !== top && !one.shadow)
}

function ended(model: Model, seen: Seen | undefined, which: (one: VersionModel) => boolean): void {
  const now = positionsIn(model)
  model.versions = model.versions.map((one) => {
    if (!which(one)) return one
    const end = (partition: number) => seen?.get(one.version)?.[partition]?.until ?? now[partition]!
    return { ...one, owned: one.owned.map((part, partition) => ({ ...part, until: part.until ?? end(partition) })) }
  })
}

function applied(model: Model, version: number, mode: Exclude<Mode, 'first'>, seen: Seen | undefined): void {
  const [previous, definition] = [model.set.chain[version - 1], model.set.chain[version]!]
  const now = positionsIn(model)
  const whole = version === 0 || mode === 'backfill' || mode === 'shadow' || model.taken.every((loans) => loans.length === 0)
  const owned = now.map((position, partition): Owned => {
    const switched = seen?.get(version)?.[partition]?.after ?? position
    const from = model.versions[version - 1]?.owned[partition]
    const origins = featureChanges(previous, definition).flatMap(({ feature, after, sameAs }): [string, number][] => {
      if (after === null) return []
      if (whole) return [[feature, 0]]
      if (sameAs !== null) return [[feature, from!.origins[sameAs]!]]
      return [[feature, mode === 'cold' ? switched : 0]]
    })
    return { after: whole ? 0 : switched, until: null, origins: Object.fromEntries(origins) }
  })
  // The first version needs no mode: it is shown.
  const shadow = mode === 'shadow' && version > 0
  model.versions = [...model.versions, { version, shadow, retired: false, owned }]
  if (shadow) return
  model.shown = [...model.shown, version]
  ended(model, seen, (one) => one.version !== version && !one.shadow)
}
