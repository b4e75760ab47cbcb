/** `apply`: releases a version of a feature set, prepares its state, shows it to SQL users and hands the stream over to it. */
import { mergeStates } from '../batch/lineage.ts'
import { checkHistory } from '../batch/replay.ts'
import { loadPositions, loadState, partitionsApplied, savePosition, saveState, start, writerName, type Mode, type Position, type Run } from '../feature-defs/checkpoint.ts'
import { inherit, packState, unpackState } from '../feature-defs/engine.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { registerInflow } from '../feature-defs/inflow.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { ensureTopics, routingFor } from '../feature-defs/routing.ts'
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
  /** How many inflow gets if it has to be made. */
  readonly partitions: number
}

export async function apply(ports: VersionPorts, options: ApplyOptions): Promise<void> {
  const { version, mode, signal } = options
  const { set } = options.chain[0]!
  await refuseAmidstBackfill(ports, set)
  // What is released already counts as it was released: the code may list its features in another order by now.
  const released = await knownVersions(ports.registry, set)
  const chain = options.chain.map((inCode) => released.find(({ definition }) => definition.version === inCode.version)?.definition ?? inCode)
  const definition = chain[version]!
  const withRows = mode === 'backfill' || mode === 'shadow'
  const routing = await routingFor(ports, definition, options.partitions)
  const applied = await partitionsApplied(ports.checkpoints, set)
  const positions = applied > 0 ? await loadPositions(ports.checkpoints, set) : new Array<Position>(routing.partitions).fill(start)
  const todo = positions.flatMap((position, partition) =>
    position.runs.some((run) => run.version === version) ? [] : [{ partition, position, origins: originsToWarm({ ...options, chain }, position) }])
  const needs = todo.filter(({ origins }) => withRows || Object.keys(origins).length > 0)
  await checkHistory(ports, needs.map(({ partition, position: { history } }) => ({ partition, history, after: 0 })), signal)

  if (!definition.batchOnly) await ensureTopics(ports.log, routing.partitions)
  await registerInflow(ports.registry, definition.record)
  const { id } = await ports.registry.register(set, JSON.stringify(rowSchema(definition)))
  await ports.registry.label(id, { set, version: String(version), mode, ...(todo.length === 0 ? {} : { live: 'yes' }) })

  if (applied === 0) await begin(ports, set, positions)
  const recordNow = async () => (await ports.warehouse.versions(set)).find((one) => one.version === version) ?? newRecord(definition, id, mode)
  const note = async (state: 'filling' | 'shadow' | 'promoted', what: string) => {
    const mine = await recordNow()
    const top = state === 'promoted' ? toTop(await ports.warehouse.versions(set), mine) : undefined
    await act(ports, set, [...(top?.superseded ?? []), acted(mine, ports.clock, options.actor, what, { state, promotion: top?.promotion ?? null })])
  }

  if (withRows) {
    if (todo.length > 0) await note('filling', `apply --${mode}`)
    for (const { partition } of todo) {
      const growth = await filled(ports, definition, partition)
      await catchUp(ports, growth, options)
      // Both versions compute from here on, then the view changes, then the old one ends: at no moment is a record without a row.
      await switchTo(ports, { ...options, chain }, growth, { endOthers: false })
    }
    if ((await recordNow()).state === 'filling') await note(mode === 'shadow' ? 'shadow' : 'promoted', mode === 'shadow' ? 'shadow complete' : 'promote')
    if ((await recordNow()).state === 'promoted') await endRuns(ports, set, version)
  } else if (todo.length > 0) {
    const growths = todo.map(({ partition, origins }) => warmed(definition, partition, origins))
    for (const growth of growths) if (Object.keys(growth.origins).length > 0) await catchUp(ports, growth, options)
    // The view first: until the new version has rows it falls back to the version before, so that nobody sees a gap.
    await note('promoted', mode === 'first' ? 'apply' : `apply --${mode}`)
    for (const growth of growths) await switchTo(ports, { ...options, chain }, growth, { endOthers: true })
  }
  // Where the stream switched is known only now.
  const mine = await recordNow()
  if (mine.switches.length < positions.length) await act(ports, set, [mine])
  await labelLive(ports, set)
}

/** From here on it is known on how many partitions the set runs: keys stay where they are. */
async function begin({ log }: VersionPorts, set: string, positions: readonly Position[]): Promise<void> {
  const writer = await log.writer(writerName(set, 0))
  await writer.commit({ save: positions.map((position, partition) => savePosition(set, partition, position)) }).finally(() => writer.close())
}

/** What is new in a forward-only version is replayed over all history, and what it inherits from a version that has stopped from where that one's began. */
function originsToWarm({ chain, version, mode }: ApplyOptions, { runs }: Position): Origins {
  if (mode !== 'cold' && mode !== 'forward-only') return {}
  const before = runs.findLast((run) => run.version === version - 1)
  return Object.fromEntries(featureChanges(chain[version - 1], chain[version]!).flatMap(({ feature, after, sameAs }) => {
    if (after === null) return []
    if (sameAs === null) return mode === 'forward-only' ? [[feature, 0]] : []
    return before && before.until !== null ? [[feature, before.origins[sameAs]!]] : []
  }))
}

/** Puts the version to work behind the last record committed. */
async function switchTo(ports: VersionPorts, options: ApplyOptions, growth: Growth, { endOthers }: { readonly endOthers: boolean }): Promise<void> {
  const { definition, partition, writeRows } = growth
  const { set, version } = definition
  const shadows = await shadowsOf(ports, set)
  await handover(ports, { set, partition, by: `apply ${label(definition)}` }, async (position) => {
    const ended = endOthers ? withEnded(position, version, shadows) : position
    if (Object.keys(growth.origins).length > 0) await advance(ports, growth, position, options)
    const taken = await takeOver(ports, options, partition, position)
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
    // The newest in front: its row of a record comes before the older one's, so that a view that falls back never shows the older one in between.
    return { position: { ...ended, runs: [run, ...ended.runs] }, save: [...saveState(set, version, partition, states), ...(await forgetFill(ports, growth))] }
  })
}

type Taken = { readonly origins: Origins; readonly states: ReadonlyMap<string, Uint8Array> }

/** What a cold or forward-only version inherits from the running one before, under its own names for it. */
async function takeOver(ports: VersionPorts, { chain, version, mode }: ApplyOptions, partition: number, position: Position): Promise<Taken> {
  const [previous, definition] = [chain[version - 1], chain[version]!]
  const before = position.runs.findLast((run) => run.version === previous?.version && run.until === null)
  if (!before || !previous || (mode !== 'cold' && mode !== 'forward-only')) return { origins: {}, states: new Map() }
  const pairs = featureChanges(previous, definition).flatMap(({ feature, sameAs }) => (sameAs === null ? [] : [{ feature, sameAs }]))
  const inherited = inherit(await loadState(ports.checkpoints, definition.set, previous.version, partition), pairs.map(({ sameAs }) => sameAs))
  return {
    origins: Object.fromEntries(pairs.map(({ feature, sameAs }) => [feature, before.origins[sameAs]!])),
    states: new Map([...inherited].map(([key, bytes]) => {
      const parts = unpackState(bytes)
      return [key, packState(pairs.flatMap(({ feature, sameAs }) => (parts.has(sameAs) ? [[feature, parts.get(sameAs)!] as const] : [])))]
    })),
  }
}
