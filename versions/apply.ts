/** `apply`: releases a version of a feature set, prepares its state, shows it to SQL users and hands the stream over to it. */
import { lineage, mergeStates, type Lineage } from '../batch/lineage.ts'
import { replay, type ReplayPorts } from '../batch/replay.ts'
import { loadPosition, loadState, running, saveState, type Mode, type Position, type Run } from '../feature-defs/checkpoint.ts'
import { inherit, packState, unpackState } from '../feature-defs/engine.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { fieldsRead } from '../feature-defs/inputs.ts'
import { registerInflow } from '../feature-defs/inflow.ts'
import { versionFingerprint } from '../feature-defs/fingerprint.ts'
import { knownVersions, type Known } from '../feature-defs/known-versions.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import type { Checkpoints } from '../utilities/checkpoint/checkpoint.ts'
import { Problem } from '../utilities/problem.ts'
import type { VersionRecord, Warehouse } from '../utilities/warehouse/warehouse.ts'
import { featureChanges } from './changes.ts'
import { handover, unfinished, type HandoverPorts } from './handover.ts'
import { layoutOf, promotedOf, withRecords } from './layout.ts'

export type VersionPorts = HandoverPorts & ReplayPorts & { readonly checkpoints: Checkpoints; readonly warehouse: Warehouse }

/** Who changes something, and why: kept in `tidemark_versions`. */
export type Actor = { readonly who: string; readonly why: string | null }

export type ApplyOptions = {
  /** Every version of the set as the code has it, oldest first. */
  readonly chain: readonly Definition[]
  readonly version: number
  readonly mode: Mode
  readonly actor: Actor
  readonly signal: AbortSignal
  readonly report: (news: { readonly step: string; readonly rows?: number; readonly seq?: number; readonly of?: number }) => void
}

/** A version on its way: what it was made from, and where its features' states begin. */
type Release = ApplyOptions & {
  readonly definition: Definition
  readonly previous: Definition | undefined
  readonly schemaId: string
  readonly known: readonly Known[]
}

const partition = 0

/** Says whether there is anything to do, or refuses: the order of versions, and released ones that were edited. */
export async function checkApply({ registry, checkpoints, warehouse }: Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>, chain: readonly Definition[], version: number): Promise<'nothing' | 'new' | 'unfinished'> {
  const { set } = chain[0]!
  const known = await knownVersions(registry, set)
  for (const { definition } of known) {
    const inCode = chain[definition.version]
    if (!inCode) throw new Problem(`${label(definition)} is released, but the definitions file has no version ${definition.version} of ${set}`, 'Put it back: released versions stay in the file.')
    if (versionFingerprint(inCode) !== versionFingerprint(definition)) throw edited(definition, inCode)
  }
  if (version > known.length) throw new Problem(`${set}@${known.length} is not applied yet, and versions come in order`, `Run first: tidemark apply ${set}@${known.length}`)
  if (version === known.length) return 'new'
  const position = await loadPosition(checkpoints, set, partition)
  const record = (await warehouse.versions(set)).find((one) => one.version === version)
  const done = record !== undefined && record.state !== 'registered' && record.state !== 'filling' && position.runs.some((run) => run.version === version) && position.hold === null
  if (version < known.length - 1) {
    if (done) throw new Problem(`${set}@${version} was applied before, and ${set}@${known.length - 1} after it`, `To show it again: tidemark promote ${set}@${version}`)
  }
  return done && !stillEnding(position, record, version) ? 'nothing' : 'unfinished'
}

/** Promoted, but an earlier version has not been told to stop. */
const stillEnding = (position: Position, record: VersionRecord, version: number) => record.state === 'promoted' && running(position).some((run) => run.version < version)

function edited(released: Definition, inCode: Definition): Problem {
  const names = featureChanges(released, inCode).filter(({ change }) => change !== 'unchanged').map(({ feature }) => feature)
  const next = `add the next version instead: v${released.version}.replace({ … }) or v${released.version}.add({ … })`
  return new Problem(`${label(released)} is released and was edited${names.length > 0 ? `: ${names.join(', ')}` : ''}`, `Put version ${released.version} back as it was and ${next}.`)
}

export async function apply(ports: VersionPorts, options: ApplyOptions): Promise<void> {
  const { registry, log } = ports
  const { chain, version } = options
  const definition = chain[version]!
  const { set } = definition
  await registerInflow(registry, definition.record)
  const registered = await registry.register(set, JSON.stringify(rowSchema(definition)))
  const known = await knownVersions(registry, set)
  const release: Release = { ...options, definition, previous: chain[version - 1], schemaId: registered.id, known }
  for (const topic of ['inflow', 'outflow', 'inflow.dead']) await log.create(topic, 1)
  await registry.label(registered.id, { set, version: String(version), mode: options.mode, live: 'yes' })

  switch (options.mode) {
    case 'first':
    case 'cold':
    case 'forward-only': {
      const warmed = await warm(ports, release)
      // The view first: until the new version has rows, it falls back to the version before, so that nobody sees a gap.
      await promote(ports, release, `apply --${options.mode}`)
      await switchTo(ports, release, warmed, { keepOthers: false })
      break
    }
    case 'backfill':
    case 'shadow': {
      await record(ports, release, 'filling', null)
      const filled = await fill(ports, release)
      // Rows of both versions from here on, then the view, then the end of the old one: at no moment is a record without a row.
      await switchTo(ports, release, filled, { keepOthers: true })
      if (options.mode === 'shadow') await record(ports, release, 'shadow', null)
      else {
        await promote(ports, release, 'apply --backfill')
        await endOthers(ports, release)
      }
    }
  }
  const live = new Set(running(await loadPosition(ports.checkpoints, set, partition)).map((run) => run.version))
  for (const one of known) await registry.label(one.registered.id, { live: live.has(one.definition.version) ? 'yes' : 'no' })
}

async function record({ warehouse, clock }: VersionPorts, { definition, schemaId, mode, known, actor }: Release, state: VersionRecord['state'], promotion: number | null, act = `apply --${mode}`): Promise<void> {
  const { set, version } = definition
  const before = await warehouse.versions(set)
  const mine = before.find((one) => one.version === version)
  const at = new Date(Number(clock() / 1_000_000n)).toISOString()
  const done = mine?.acts.some((one) => one.act === act) ? mine.acts : [...(mine?.acts ?? []), { act, at, ...actor }]
  const next: VersionRecord = { set, version, state, mode, schemaId, definition: JSON.stringify(definition), switches: mine?.switches ?? [], promotion, acts: done }
  const stepsDown = promotion === null ? [] : before.filter((one) => one.state === 'promoted' && one.version !== version).map((one): VersionRecord => ({ ...one, state: 'superseded' }))
  const records = withRecords(before, [...stepsDown, next])
  await warehouse.arrange(layoutOf(known.map((one) => one.definition), records), [...stepsDown, next])
}

async function promote(ports: VersionPorts, release: Release, act: string): Promise<void> {
  const promoted = promotedOf(await ports.warehouse.versions(release.definition.set))
  const place = promoted?.version === release.version ? promoted.promotion! : (promoted?.promotion ?? 0) + 1
  await record(ports, release, 'promoted', place, act)
}

/** State brought up to a position by replaying history. */
type Warmed = { readonly lineage: Lineage; readonly origins: { readonly [feature: string]: number }; seq: number }

/** forward-only: the features that inherit nothing are replayed over all history, without writing rows. */
async function warm(ports: VersionPorts, release: Release): Promise<Warmed> {
  const { definition, previous, mode } = release
  const fresh = mode === 'forward-only' ? featureChanges(previous, definition).filter(({ after, sameAs }) => after !== null && sameAs === null).map(({ feature }) => feature) : []
  const origins = Object.fromEntries(fresh.map((feature) => [feature, 0]))
  const warmed: Warmed = { lineage: lineage(definition, origins), origins, seq: 0 }
  if (fresh.length > 0) await catchUp(ports, release, warmed, { writeRows: false })
  return warmed
}

/** backfill and shadow: every feature is replayed over all history, and every row is written. */
async function fill(ports: VersionPorts, release: Release): Promise<Warmed> {
  const origins = Object.fromEntries(release.definition.features.map(({ name }) => [name, 0]))
  const warmed: Warmed = { lineage: lineage(release.definition, origins), origins, seq: 0 }
  await catchUp(ports, release, warmed, { writeRows: true })
  return warmed
}

/** So little is left then that the consumer may wait for it. */
const smallRest = 20_000

async function catchUp(ports: VersionPorts, release: Release, warmed: Warmed, { writeRows }: { readonly writeRows: boolean }): Promise<void> {
  for (;;) {
    const position = await loadPosition(ports.checkpoints, release.definition.set, partition)
    if (position.hold?.kind === 'backfill') throw unfinished(release.definition.set, position.hold)
    if (position.seq - warmed.seq <= smallRest) return
    await advance(ports, release, warmed, position, writeRows)
  }
}

async function advance(ports: VersionPorts, release: Release, warmed: Warmed, position: Position, writeRows: boolean): Promise<void> {
  const { definition, report, signal } = release
  const { record } = definition
  const wanted = writeRows ? Object.keys(record.fields) : fieldsRead(definition)
  for await (const { records, seq } of replay(ports, position.history, { record, wanted, partition, after: warmed.seq, until: position.seq, signal })) {
    signal.throwIfAborted()
    if (seq.length === 0) continue
    const values = warmed.lineage.push(records)
    if (writeRows) await ports.warehouse.write(definition.set, rowsOf(definition, records, values, ports.clock()))
    warmed.seq = seq.at(-1)!
    report({ step: writeRows ? 'replaying history' : 'warming state from history', rows: seq.length, seq: warmed.seq, of: position.seq })
  }
  warmed.seq = position.seq
}

async function switchTo(ports: VersionPorts, release: Release, warmed: Warmed, { keepOthers }: { readonly keepOthers: boolean }): Promise<void> {
  const { definition, version, mode } = release
  const { set } = definition
  const writeRows = mode === 'backfill' || mode === 'shadow'
  const shadows = new Set((await ports.warehouse.versions(set)).filter(({ state }) => state === 'shadow').map((one) => one.version))
  await handover(ports, { set, partition, by: `apply ${label(definition)}` }, async (position) => {
    if (position.runs.some((run) => run.version === version && run.until === null)) return { position: endAll(position, version, keepOthers, shadows), save: [] }
    if (Object.keys(warmed.origins).length > 0) await advance(ports, release, warmed, position, writeRows)
    const taken = await takeOver(ports, release, position)
    const origins = Object.fromEntries(definition.features.map(({ name }) => [name, warmed.origins[name] ?? taken.origins[name] ?? position.seq]))
    const states = mergeStates([warmed.lineage.snapshot(), taken.states])
    const run: Run = {
      version,
      mode,
      after: writeRows || mode === 'first' ? 0 : position.seq,
      switchedAfter: position.seq,
      switchedAt: new Date(Number(ports.clock() / 1_000_000n)).toISOString(),
      until: null,
      origins,
    }
    const ended = endAll(position, version, keepOthers, shadows)
    return { position: { ...ended, runs: [...ended.runs, run] }, save: saveState(set, version, partition, states) }
  })
}

/** Every version but this one and the shadows stops after the last record taken. */
const endAll = (position: Position, version: number, keepOthers: boolean, shadows: ReadonlySet<number>): Position => ({
  ...position,
  runs: position.runs.map((run) => (keepOthers || run.until !== null || run.version === version || shadows.has(run.version) ? run : { ...run, until: position.seq })),
})

async function endOthers(ports: VersionPorts, { definition, version }: Release): Promise<void> {
  const { set } = definition
  const shadows = new Set((await ports.warehouse.versions(set)).filter(({ state }) => state === 'shadow').map((one) => one.version))
  await handover(ports, { set, partition, by: `apply ${label(definition)}` }, async (position) => ({ position: endAll(position, version, false, shadows), save: [] }))
}

type Taken = { readonly origins: { readonly [feature: string]: number }; readonly states: ReadonlyMap<string, Uint8Array> }

/** What the new version inherits from the one before, under its own names for it. */
async function takeOver(ports: VersionPorts, { definition, previous, mode }: Release, position: Position): Promise<Taken> {
  const before = previous && position.runs.findLast((run) => run.version === previous.version)
  if (!before || !previous || (mode !== 'cold' && mode !== 'forward-only')) return { origins: {}, states: new Map() }
  const pairs = featureChanges(previous, definition).flatMap(({ feature, sameAs }) => (sameAs === null ? [] : [{ feature, sameAs }]))
  const state = before.until === null
    ? await loadState(ports.checkpoints, definition.set, previous.version, partition)
    : await stateByReplay(ports, previous, before, position)
  const inherited = inherit(state, pairs.map(({ sameAs }) => sameAs))
  return {
    origins: Object.fromEntries(pairs.map(({ feature, sameAs }) => [feature, before.origins[sameAs]!])),
    states: new Map([...inherited].map(([key, bytes]) => {
      const parts = unpackState(bytes)
      return [key, packState(new Map(pairs.flatMap(({ feature, sameAs }) => (parts.has(sameAs) ? [[feature, parts.get(sameAs)!] as const] : []))))]
    })),
  }
}

/** The state a version would have here, had it never stopped. */
async function stateByReplay(ports: VersionPorts, definition: Definition, { origins }: Run, position: Position): Promise<ReadonlyMap<string, Uint8Array>> {
  const past = lineage(definition, origins)
  for await (const { records } of replay(ports, position.history, { record: definition.record, wanted: fieldsRead(definition), partition, after: 0, until: position.seq })) past.push(records)
  return past.snapshot()
}
