/** `apply`: releases a version of a feature set, prepares its state, shows it to SQL users and hands the stream over to it. */
import { mergeStates } from '../batch/lineage.ts'
import { loadState, saveState, type Mode, type Position, type Run } from '../feature-defs/checkpoint.ts'
import { inherit, packState, unpackState } from '../feature-defs/engine.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { deadTopic, inflowTopic, outflowTopic, registerInflow } from '../feature-defs/inflow.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { acted, act, isoTime, newRecord, toTop, type Actor } from './acts.ts'
import { featureChanges } from './changes.ts'
import { advance, catchUp, filled, forgetFill, warmed, type Growth, type Origins, type VersionPorts, type Watch } from './growth.ts'
import { handover, refuseAmidstBackfill } from './handover.ts'
import { endRuns, labelLive, shadowsOf, withEnded } from './live.ts'

export type ApplyOptions = Watch & {
  /** Every version of the set as the code has it, oldest first. */
  readonly chain: readonly Definition[]
  readonly version: number
  readonly mode: Mode
  readonly actor: Actor
}

const partition = 0

export async function apply(ports: VersionPorts, options: ApplyOptions): Promise<void> {
  const { version, mode } = options
  const { set } = options.chain[0]!
  await refuseAmidstBackfill(ports, set, partition)
  // What is released already counts as it was released: the code may list its features in another order by now.
  const released = await knownVersions(ports.registry, set)
  const chain = options.chain.map((inCode) => released.find(({ definition }) => definition.version === inCode.version)?.definition ?? inCode)
  const definition = chain[version]!
  for (const topic of [inflowTopic, outflowTopic, deadTopic]) await ports.log.create(topic, 1)
  await registerInflow(ports.registry, definition.record)
  const { id } = await ports.registry.register(set, JSON.stringify(rowSchema(definition)))
  await ports.registry.label(id, { set, version: String(version), mode, live: 'yes' })

  const note = async (state: 'filling' | 'shadow' | 'promoted', what: string) => {
    const records = await ports.warehouse.versions(set)
    const mine = records.find((one) => one.version === version) ?? newRecord(definition, id, mode)
    const top = state === 'promoted' ? toTop(records, mine) : undefined
    await act(ports, set, [...(top?.superseded ?? []), acted(mine, ports.clock, options.actor, what, { state, promotion: top?.promotion ?? null })])
  }

  if (mode === 'backfill' || mode === 'shadow') {
    await note('filling', `apply --${mode}`)
    const growth = await filled(ports, definition)
    await catchUp(ports, growth, options)
    // Both versions compute from here on, then the view changes, then the old one ends: at no moment is a record without a row.
    await switchTo(ports, { ...options, chain }, growth, { endOthers: false })
    await note(mode === 'shadow' ? 'shadow' : 'promoted', mode === 'shadow' ? 'shadow complete' : 'promote')
    if (mode === 'backfill') await endRuns(ports, set, version)
  } else {
    const growth = warmed(definition, originsToWarm({ ...options, chain }))
    if (Object.keys(growth.origins).length > 0) await catchUp(ports, growth, options)
    // The view first: until the new version has rows it falls back to the version before, so that nobody sees a gap.
    await note('promoted', mode === 'first' ? 'apply' : `apply --${mode}`)
    await switchTo(ports, { ...options, chain }, growth, { endOthers: true })
  }
  await labelLive(ports, set)
}

/** forward-only: what inherits nothing is replayed over all history. */
function originsToWarm({ chain, version, mode }: ApplyOptions): Origins {
  if (mode !== 'forward-only') return {}
  const fresh = featureChanges(chain[version - 1], chain[version]!).filter(({ after, sameAs }) => after !== null && sameAs === null)
  return Object.fromEntries(fresh.map(({ feature }) => [feature, 0]))
}

/** Puts the version to work behind the last record committed. */
async function switchTo(ports: VersionPorts, options: ApplyOptions, growth: Growth, { endOthers }: { readonly endOthers: boolean }): Promise<void> {
  const { definition, writeRows } = growth
  const { set, version } = definition
  const shadows = await shadowsOf(ports, set)
  await handover(ports, { set, partition, by: `apply ${label(definition)}` }, async (position) => {
    const ended = endOthers ? withEnded(position, version, shadows) : position
    if (position.runs.some((run) => run.version === version && run.until === null)) return { position: ended, save: [] }
    if (Object.keys(growth.origins).length > 0) await advance(ports, growth, position, options)
    const taken = await takeOver(ports, options, position)
    const run: Run = {
      version,
      mode: options.mode,
      after: writeRows || options.mode === 'first' ? 0 : position.seq,
      switchedAfter: position.seq,
      switchedAt: isoTime(ports.clock),
      until: null,
      origins: Object.fromEntries(definition.features.map(({ name }) => [name, growth.origins[name] ?? taken.origins[name] ?? position.seq])),
    }
    const states = mergeStates([growth.lineage.snapshot(), taken.states])
    return { position: { ...ended, runs: [...ended.runs, run] }, save: [...saveState(set, version, partition, states), ...(await forgetFill(ports, definition))] }
  })
}

type Taken = { readonly origins: Origins; readonly states: ReadonlyMap<string, Uint8Array> }

/** What a cold or forward-only version inherits from the one before, under its own names for it. */
async function takeOver(ports: VersionPorts, { chain, version, mode, signal }: ApplyOptions, position: Position): Promise<Taken> {
  const [previous, definition] = [chain[version - 1], chain[version]!]
  const before = previous && position.runs.findLast((run) => run.version === previous.version)
  if (!before || !previous || (mode !== 'cold' && mode !== 'forward-only')) return { origins: {}, states: new Map() }
  const pairs = featureChanges(previous, definition).flatMap(({ feature, sameAs }) => (sameAs === null ? [] : [{ feature, sameAs }]))
  const state = before.until === null ? await loadState(ports.checkpoints, definition.set, previous.version, partition) : await stateByReplay(ports, previous, before, position, signal)
  const inherited = inherit(state, pairs.map(({ sameAs }) => sameAs))
  return {
    origins: Object.fromEntries(pairs.map(({ feature, sameAs }) => [feature, before.origins[sameAs]!])),
    states: new Map([...inherited].map(([key, bytes]) => {
      const parts = unpackState(bytes)
      return [key, packState(pairs.flatMap(({ feature, sameAs }) => (parts.has(sameAs) ? [[feature, parts.get(sameAs)!] as const] : [])))]
    })),
  }
}

/** The state a version would have here, had it never stopped. */
async function stateByReplay(ports: VersionPorts, definition: Definition, { origins }: Run, position: Position, signal: AbortSignal): Promise<ReadonlyMap<string, Uint8Array>> {
  const growth = warmed(definition, origins)
  await advance(ports, growth, position, { signal, report: () => {} })
  return growth.lineage.snapshot()
}
