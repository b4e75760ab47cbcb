/** Brings a version's state up to the stream on one partition, by replay or from the version before; resumable, and nobody waits for it. */
import { entryOf, lineage, type Lineage } from '../batch/lineage.ts'
import { replay, type ReplayPorts } from '../batch/replay.ts'
import {
  fromBytes, loadPosition, loadSpeed, lookupState, saveSpeed, saveState, stateEntries, toBytes, type Position, type Run,
} from '../feature-defs/checkpoint.ts'
import { pickStates } from '../feature-defs/engine.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { fieldsRead, keysOf } from '../feature-defs/inputs.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import type { Checkpoints, Lookup, Save } from '../utilities/checkpoint/checkpoint.ts'
import type { Columns } from '../utilities/columns.ts'
import type { Writer } from '../utilities/log/log.ts'
import { oneAhead } from '../utilities/one-ahead.ts'
import type { Registry } from '../utilities/registry/registry.ts'
import type { Warehouse } from '../utilities/warehouse/warehouse.ts'
import { handover, unfinished, type HandoverPorts } from './handover.ts'

export type VersionPorts = HandoverPorts & ReplayPorts & { readonly checkpoints: Checkpoints; readonly registry: Registry; readonly warehouse: Warehouse }

export type Progress = { readonly step: string; readonly rows: number; readonly seq: number; readonly of: number }
export type Watch = { readonly signal: AbortSignal; readonly report: (news: Progress) => void }

/** Where the state of each feature comes from. */
export type Origin = {
  /** Replayed: per feature, the _seq after which it started empty. */
  readonly origins: Run['origins']
  /** Taken over from a version that the stream computes: it goes on there until the switch. */
  readonly inherited: { readonly version: number; readonly pairs: readonly { readonly feature: string; readonly sameAs: string }[] } | null
  readonly withRows: boolean
}

/** A version's state on its way to the stream's position. */
export type Bringing = Origin & {
  readonly definition: Definition
  readonly partition: number
  readonly lineage: Lineage
  /** The last record it has taken. */
  seq: number
  /** Records that other versions could read, and this one could not: it has no row for them. */
  unread: number
  /** Whether the inherited states are there, as of `seq`. */
  copied: boolean
  /** Keys whose entries are newer here than in the checkpoint. */
  readonly unsaved: Set<string>
}

/** `after` is where it starts; one that was cut short goes on where it had saved. */
export async function begin({ checkpoints }: Pick<VersionPorts, 'checkpoints'>, definition: Definition, partition: number, origin: Origin, after: number): Promise<Bringing> {
  const { set, version } = definition
  const { seq, unread } = (await savedPlace(checkpoints, { definition, partition })) ?? { seq: after, unread: 0 }
  const from = await lookupState(checkpoints, set, version, partition)
  return { ...origin, definition, partition, seq, unread, copied: false, unsaved: new Set(), lineage: lineage(definition, origin.origins, from) }
}

/** Whether its state, or its rows, come from records of history. */
export const isReplayed = ({ origins, withRows }: Pick<Origin, 'origins' | 'withRows'>): boolean => withRows || Object.keys(origins).length > 0

/** Whether it has to be brought to where the stream is. */
export const isBehind = (origin: Origin): boolean => isReplayed(origin) || origin.inherited !== null

/** At most so much is left for the handover; less where records cost much: the consumer waits for it. */
const smallRest = 20_000
const heldMs = 400

/** Brings it near the stream; the rest is for the handover. */
export async function catchUp(ports: VersionPorts, bringing: Bringing, watch: Watch): Promise<void> {
  const { definition: { set }, partition, inherited } = bringing
  if (!isBehind(bringing)) return
  const writer = await ports.log.writer(placeName(bringing))
  const [startedNs, from] = [ports.clock(), bringing.seq]
  try {
    // What a held turn can do in its time, by what the last one took.
    let fits = smallRest
    const timed = async (work: () => Promise<void>) => {
      const [before, startedMs] = [bringing.seq, performance.now()]
      await work()
      const records = bringing.seq - before
      if (records > 0) fits = Math.max(500, Math.min(10 * smallRest, Math.floor((records * heldMs) / (performance.now() - startedMs))))
    }
    let heldAt = -1
    for (let turn = 0, before = Infinity; ; turn++) {
      const position = await loadPosition(ports.checkpoints, set, partition)
      if (position.hold?.kind === 'backfill') throw unfinished(set, position.hold)
      const rest = position.seq - bringing.seq
      // A first turn always: a few records of a large file, read while the consumer waits, would have it wait for the whole file.
      if (turn > 0 && rest <= Math.min(smallRest, fits)) break
      const losing = turn > 1 && rest > before / 2
      before = rest
      if (turn > 0 || isReplayed(bringing)) await timed(() => advance(ports, bringing, position, watch, { writer }))
      else bringing.seq = position.seq
      if (inherited && !bringing.copied) await copyInherited(ports, bringing, writer, watch.signal)
      // Held again only once it has moved, or it would never come to.
      if (losing && position.offset !== heldAt) {
        await gainOnStream(ports, bringing, (held) => {
          heldAt = held.offset
          return timed(() => advance(ports, bringing, upTo(held, bringing.seq + fits), watch, { writer }))
        })
      }
    }
    await measure(ports, writer, bringing, bringing.seq - from, ports.clock() - startedNs)
  } finally {
    await writer.close()
  }
}

const upTo = (position: Position, seq: number): Position => ({ ...position, seq: Math.min(position.seq, seq) })

/** A stream as fast as the replay would never be reached: it waits for a moment, again and again. */
const gainOnStream = (ports: VersionPorts, { definition, partition }: Bringing, work: (held: Position) => Promise<void>): Promise<void> =>
  handover(ports, { set: definition.set, partition, by: `${label(definition)} catching up` }, async (position) => {
    await work(position)
    return { position, save: [] }
  })

/** What `plan` estimates with; a short run says nothing. */
async function measure({ checkpoints }: VersionPorts, writer: Writer, bringing: Bringing, records: number, ns: bigint): Promise<void> {
  if (records < 2 * smallRest || !isReplayed(bringing)) return
  const perSecond = Math.round(records / (Number(ns) / 1e9))
  await writer.commit({ save: [saveSpeed({ ...(await loadSpeed(checkpoints)), [bringing.withRows ? 'withRows' : 'withoutRows']: perSecond })] })
}

const recordsPerSave = 200_000

type Advancing = { readonly writer?: Writer; readonly stillHere?: () => Promise<void> }

/** Takes the records up to the position. The writer saves how far it has come, behind the rows. */
export async function advance(ports: VersionPorts, bringing: Bringing, position: Position, { signal, report }: Watch, { writer, stillHere }: Advancing): Promise<void> {
  const { definition, partition, withRows, unsaved } = bringing
  const { record, set } = definition
  const wanted = withRows ? Object.keys(record.fields) : fieldsRead(definition)
  const writes = oneAhead()
  let unsavedRecords = 0
  const save = async () => {
    await writes.settled()
    await writer!.commit({ save: [...(await entriesOf(ports.checkpoints, bringing)), savePlace(bringing)] })
    unsaved.clear()
    unsavedRecords = 0
  }
  try {
    const options = { record, wanted, partition, after: bringing.seq, until: position.seq, signal, rowsPerBatch: ports.warehouse.flush?.rows }
    for await (const { records, seq, unread } of replay(ports, position.history, options)) {
      signal.throwIfAborted()
      bringing.unread += unread
      if (seq.length === 0) continue
      const values = bringing.lineage.push(records)
      for (const key of changedKeys(bringing, records)) unsaved.add(key)
      if (withRows) await writes.begin(() => ports.warehouse.write(set, rowsOf(definition, records, values, ports.clock()), undefined, signal))
      bringing.seq = seq.at(-1)!
      unsavedRecords += seq.length
      if (writer && unsavedRecords >= recordsPerSave) await save()
      await stillHere?.()
      report({ step: withRows ? 'replaying history' : 'bringing state up to date from history', rows: seq.length, seq: bringing.seq, of: position.seq })
    }
  } finally {
    // Nothing is being written any more, whatever went wrong.
    await writes.settled().catch(() => {})
  }
  await writes.settled()
  bringing.seq = position.seq
  if (writer && unsavedRecords > 0) await save()
}

/** With inherited features every record changes the state of its key: the version before has taken it too. */
function changedKeys({ definition: { per }, lineage, inherited }: Bringing, records: Columns): readonly string[] {
  const changed = lineage.changedKeys()
  if (!inherited) return changed
  return per === null ? [''] : keysOf(records.byName.get(per)!, records.count)
}

/** The entries of the keys that changed, with what they inherit as it is now. */
export async function entriesOf(checkpoints: Checkpoints, bringing: Bringing): Promise<Save[]> {
  const { definition: { set, version }, partition, inherited, copied, unsaved } = bringing
  const before = inherited && copied ? await lookupState(checkpoints, set, inherited.version, partition) : undefined
  return saveState(set, version, partition, new Map([...unsaved].map((key) => [key, entryWith(bringing, key, before)])))
}

function entryWith({ lineage, inherited }: Bringing, key: string, before: Lookup | undefined): Uint8Array | null {
  const entry = before?.get(key)
  return entryOf([...lineage.statesOf(key), ...(entry ? renamed(inherited!, entry) : [])])
}

/** The states that go on, under the names that this version has for them. */
const renamed = ({ pairs }: NonNullable<Origin['inherited']>, entry: Uint8Array) => {
  const states = new Map(pickStates(entry, pairs.map(({ sameAs }) => sameAs)))
  return pairs.flatMap(({ feature, sameAs }) => (states.has(sameAs) ? [[feature, states.get(sameAs)!] as const] : []))
}

/** All keys of the version before; those that change meanwhile are copied again with what comes after `seq`. */
async function copyInherited({ checkpoints }: VersionPorts, bringing: Bringing, writer: Writer, signal: AbortSignal): Promise<void> {
  const { definition: { set, version }, partition, inherited, lineage } = bringing
  for await (const entries of stateEntries(checkpoints, set, inherited!.version, partition)) {
    signal.throwIfAborted()
    const copies = entries.map(([key, entry]) => [key, entryOf([...lineage.statesOf(key), ...renamed(inherited!, entry)])] as const)
    await writer.commit({ save: saveState(set, version, partition, new Map(copies)) })
  }
  bringing.copied = true
}

export const placeName = ({ definition, partition }: Pick<Bringing, 'definition' | 'partition'>) => `fill/${label(definition)}/${partition}`

type Place = { readonly seq: number; readonly unread: number }

const savePlace = (bringing: Bringing): Save => ({ name: placeName(bringing), key: 'at', value: toBytes({ seq: bringing.seq, unread: bringing.unread } satisfies Place) })

/** Stores of before kept a number and the state there: it is computed again. */
async function savedPlace(checkpoints: Checkpoints, of: Pick<Bringing, 'definition' | 'partition'>): Promise<Place | undefined> {
  const saved = await checkpoints.load(placeName(of))
  const place = saved.size === 1 && saved.has('at') ? fromBytes<Place | number>(saved.get('at')!) : undefined
  return typeof place === 'object' ? place : undefined
}

/** Removes the place, once the checkpoint has it all. */
export const forgetPlace = async (checkpoints: Checkpoints, of: Pick<Bringing, 'definition' | 'partition'>): Promise<Save[]> =>
  [...(await checkpoints.load(placeName(of))).keys()].map((key) => ({ name: placeName(of), key, value: null }))
