/** Carries out what the journal says: whatever was done of it before, afterwards all of it is. Each step may be repeated and done again. */
import { checkHistory, type Need } from '../batch/replay.ts'
import { loadPosition, loadPositions, positionsOfSet, rowsTaken, type Position, type Run } from '../streams/position.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { isFact } from '../schemas/fact.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { above, layersOf, type Layers } from '../streams/state.ts'
import { ownerOf, streamOf } from '../streams/stream.ts'
import { endOf, loadTold, saveTold, toldAfter } from '../streams/told.ts'
import type { Save } from '../utilities/checkpoints.ts'
import { Problem } from '../utilities/values/problem.ts'
import { advance, begin, catchUp, entriesOf, isReplayed, type Bringing, type VersionPorts, type Watch } from './bring.ts'
import { forgetPlace, savedPlace } from './filled.ts'
import { handover } from './handover.ts'
import { stateOf, toBeComputed, type SetState, type Version } from './journal.ts'
import { timeText, type Journal } from './keep.ts'
import { isBeneath, letGo, nextLayer, thinned } from './layers.ts'
import { lastRun, newRun, originOf, startOf } from './origin.ts'
import { labelLive, project } from './project.ts'
import { tellServices } from './tell-services.ts'

/** `filling` is the version whose history is to be filled now: others that are being filled are left to whoever does that. */
export async function carryOut(ports: VersionPorts, journal: Journal, watch: Watch, filling?: number): Promise<void> {
  const { set } = journal.state
  // The view first: until the new version has rows it falls back to the one before, so that nobody sees a gap; and nobody reads rows that
  // are being deleted.
  await project(ports, journal.state)
  const definitions = await definitionsOf(ports, set)
  for (const version of toBeBrought(journal.state, filling)) {
    const owner = ownerOf(known(definitions, set, version.version))
    for (const partition of (await loadPositions(ports.checkpoints, owner)).keys()) {
      await compute(ports, journal, { version, partition, definitions }, watch)
    }
  }
  await endOthers(ports, journal.state)
  for (const version of journal.state.versions) if (version.retired) await clear(ports, set, version.version, watch.signal)
  // Where the stream switched is known only now.
  await project(ports, journal.state)
  await labelLive(ports.registry, journal.state)
  await tellServices(ports, journal, watch.signal)
}

const toBeBrought = (state: SetState, filling: number | undefined): readonly Version[] =>
  toBeComputed(state).filter((version) => version.version === filling || stateOf(state, version) !== 'filling')

type Definitions = ReadonlyMap<number, Definition>
const definitionsOf = async ({ registry }: VersionPorts, set: string): Promise<Definitions> =>
  new Map((await knownVersions(registry, set)).map(({ definition }) => [definition.version, definition]))

/** The version before, where its place is in the same stream: otherwise there is nothing to go on from. */
function before(definitions: Definitions, definition: Definition): Definition | undefined {
  const one = definitions.get(definition.version - 1)
  return one && ownerOf(one) === ownerOf(definition) ? one : undefined
}

type Computing = { readonly version: Version; readonly partition: number; readonly definitions: Definitions }

/** Has the stream compute the version on a partition, and end what is not to be computed any more, in one commit. */
async function compute(
  ports: VersionPorts,
  journal: Journal,
  { version: { version, mode }, partition, definitions }: Computing,
  watch: Watch,
): Promise<void> {
  const { set } = journal.state
  const definition = known(definitions, set, version)
  const previous = before(definitions, definition)
  const owner = ownerOf(definition)
  if (lastRun(await loadPosition(ports.checkpoints, owner, partition), version)?.until === null) return
  await thinned(ports, { set, owner, partition }, [version, version - 1], watch.signal)
  const found = await loadPosition(ports.checkpoints, owner, partition)
  const ran = lastRun(found, version)
  const { inherited, ...origin } = ran
    ? { origins: ran.origins, inherited: [], withRows: true }
    : originOf(mode, definition, previous, found)
  const layers = ran ? await layersAgain(ports, definition, partition, found) : layersOf({ version })
  const bringing = await begin(ports, definition, {
    ...origin,
    partition,
    layers,
    after: ran?.until ?? startOf(origin),
    tick: ran?.untilTick ?? null,
  })
  await catchUp(ports, bringing, watch)
  const by = ran ? `the return to ${label(definition)}` : `apply ${label(definition)}`
  const live = new Set(toBeComputed(journal.state).map((one) => one.version))
  const at = timeText(ports.clock)
  // Two versions go on from one state: what was written is left as it is, and each has a layer of its own above it.
  const parting = inherited.length > 0 && live.has(version - 1) ? await nextLayer(ports, { set, owner, partition }, version - 1) : undefined
  const withRows = bringing.withRows ? (ran?.until ?? startOf(origin)) : null
  let afterSeq = 0
  await handover(ports, { owner, partition, by }, async (position, stillHere) => {
    if (isReplayed(origin)) await advance(ports, bringing, position, watch, { stillHere })
    afterSeq = position.seq
    const unread = (ran?.unread ?? 0) + bringing.unread
    const source = inherited.length > 0 ? lastRun(position, version - 1)! : undefined
    const laid = source ? { ...layers, beneath: above(layersOf(source), inherited) } : layers
    const run = {
      ...(ran ? resumed(ran) : newRun(position, { version, mode, origin, inherited, definition, at })),
      ...kept(laid),
      ...(unread > 0 && { unread }),
      ...(isFact(definition.record) && { made: (ran?.made ?? 0) + bringing.made }),
    }
    const others = position.runs
      .filter((one) => one !== lastRun(position, version))
      .map((one) => {
        if (!live.has(one.version)) return ended(one, position)
        return one === source && parting !== undefined ? { ...one, ...kept(onTopOf(one, parting, previous!)) } : one
      })
    const told = await toldBy(ports, { definition, partition }, withRows)
    const save = [...entriesOf(bringing), ...(await forgetPlace(ports.checkpoints, bringing)), told]
    // The newest in front: its row of a record comes before the older one's, so that a view that falls back never shows the older one in
    // between.
    return { position: { ...position, runs: ran ? inPlace(position, version, run, others) : [run, ...others] }, save }
  })
  if (!ran) await journal.add([{ kind: 'switched', version, partition, afterSeq, at }])
}

/** Rows behind `after` were written to the warehouse and nowhere else; null where none were. */
async function toldBy(
  { log, checkpoints }: VersionPorts,
  { definition, partition }: Pick<Bringing, 'definition' | 'partition'>,
  after: number | null,
): Promise<Save> {
  const { set, version, record } = definition
  const before = (await loadTold(checkpoints, set))(version, partition)
  return saveTold({ set, version, partition }, toldAfter(before, await endOf(log, streamOf(record).outflow, partition), after))
}

/** As short as it can be: it is saved with every commit. */
const kept = ({ layer, beneath }: Layers) => ({ ...(layer > 0 && { layer }), ...(beneath.length > 0 && { beneath }) })

const onTopOf = (run: Run, layer: number, { features }: Definition): Layers => ({
  version: run.version,
  layer,
  beneath: above(
    layersOf(run),
    features.map(({ name }) => [name, name]),
  ),
})

/** Where a version that is computed again goes on: in its own layer, unless another one reads that by now. */
async function layersAgain(ports: VersionPorts, definition: Definition, partition: number, position: Position): Promise<Layers> {
  const { set, version } = definition
  const owner = ownerOf(definition)
  const run = lastRun(position, version)!
  const own = layersOf(run)
  const begun = (await savedPlace(ports.checkpoints, { definition, partition }))?.layer
  const layer = begun ?? (isBeneath(position, own) ? await nextLayer(ports, { set, owner, partition }, version) : own.layer)
  return layer === own.layer ? own : onTopOf(run, layer, definition)
}

const resumed = ({ untilRows: _, untilTick: __, ...run }: Run): Run => ({ ...run, until: null })

const ended = (run: Run, position: Position): Run =>
  run.until === null
    ? { ...run, until: position.seq, untilRows: rowsTaken(position), ...(position.tick !== undefined && { untilTick: position.tick }) }
    : run

/** The order of versions stays as it is. */
function inPlace({ runs }: Position, version: number, run: Run, others: readonly Run[]): readonly Run[] {
  const place = runs.findLastIndex((one) => one.version === version)
  return others.toSpliced(place, 0, run)
}

/** Whatever is not to be computed stops after the last record taken. */
async function endOthers(ports: VersionPorts, state: SetState): Promise<void> {
  const { set } = state
  const live = new Set(toBeComputed(state).map(({ version }) => version))
  const isOver = (run: Run) => run.until === null && !live.has(run.version)
  for (const { owner, partition, position } of await positionsOfSet(ports.checkpoints, set)) {
    if (!position.runs.some(isOver)) continue
    await handover(ports, { owner, partition, by: `the end of ${set}@${position.runs.find(isOver)!.version}` }, async (now) => ({
      position: { ...now, runs: now.runs.map((run) => (isOver(run) ? ended(run, now) : run)) },
      save: [],
    }))
  }
}

/** Removes a version's rows and state, on whatever way it was. */
export async function clear(ports: VersionPorts, set: string, version: number, signal: AbortSignal): Promise<void> {
  const { checkpoints, warehouse } = ports
  for (const { owner, partition } of await positionsOfSet(checkpoints, set)) await letGo(ports, { set, owner, partition }, version, signal)
  if (await warehouse.extent(set, version)) await warehouse.remove(set, version, { first: 0, last: Number.MAX_SAFE_INTEGER })
}

/** Before anything is changed: what the state asks for must be possible. Reads the files of history through. */
export async function checkPossible(ports: VersionPorts, state: SetState, signal: AbortSignal, filling?: Definition): Promise<void> {
  const { set } = state
  const definitions = new Map([...(await definitionsOf(ports, set)), ...(filling ? [[filling.version, filling] as const] : [])])
  const needs: Need[] = []
  for (const { version, mode } of toBeBrought(state, filling?.version)) {
    const definition = known(definitions, set, version)
    const { record } = definition
    for (const [partition, position] of (await loadPositions(ports.checkpoints, ownerOf(definition))).entries()) {
      const { history } = position
      const ran = lastRun(position, version)
      if (ran?.until === null) continue
      const origin = originOf(mode, definition, before(definitions, definition), position)
      if (ran) needs.push({ record, partition, history, after: ran.until })
      else if (isReplayed(origin)) needs.push({ record, partition, history, after: startOf(origin) })
    }
  }
  await checkHistory(ports, needs, signal)
}

function known(definitions: Definitions, set: string, version: number): Definition {
  const definition = definitions.get(version)
  if (!definition)
    throw new Problem(
      `the registry has lost the schema of ${set}@${version}`,
      `Restore it from a copy, or have it made again: tidemark repair ${set}`,
    )
  return definition
}
