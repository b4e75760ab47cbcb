/** Carries out what the journal says: whatever was done of it before, afterwards all of it is. Each step may be repeated and done again. */
import { checkHistory, type Need } from '../batch/replay.ts'
import { loadPosition, loadPositions, rowsTaken, saveState, stateEntries, type Position, type Run } from '../feature-defs/checkpoint.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import type { Save } from '../utilities/checkpoint/checkpoint.ts'
import type { Writer } from '../utilities/log/log.ts'
import { Problem } from '../utilities/problem.ts'
import { advance, begin, catchUp, entriesOf, forgetPlace, isBehind, isReplayed, placeName, type Origin, type VersionPorts, type Watch } from './bring.ts'
import { featureChanges } from './changes.ts'
import { handover } from './handover.ts'
import { hasRowsOfHistory, stateOf, toBeComputed, type SetState, type Version } from './journal.ts'
import { timeText, type Journal } from './keep.ts'
import { labelLive, project } from './project.ts'

/** `filling` is the version whose history is to be filled now: others that are being filled are left to whoever does that. */
export async function carryOut(ports: VersionPorts, journal: Journal, watch: Watch, filling?: number): Promise<void> {
  const { set } = journal.state
  // The view first: until the new version has rows it falls back to the one before, so that nobody sees a gap; and nobody reads rows that are being deleted.
  await project(ports, journal.state)
  const definitions = await definitionsOf(ports, set)
  for (const version of toBeBrought(journal.state, filling)) {
    for (const partition of (await loadPositions(ports.checkpoints, set)).keys()) {
      await compute(ports, journal, { version, partition, definitions }, watch)
    }
  }
  await endOthers(ports, journal.state)
  for (const version of journal.state.versions) if (version.retired) await clear(ports, set, version.version)
  // Where the stream switched is known only now.
  await project(ports, journal.state)
  await labelLive(ports.registry, journal.state)
}

const toBeBrought = (state: SetState, filling: number | undefined): readonly Version[] =>
  toBeComputed(state).filter((version) => version.version === filling || stateOf(state, version) !== 'filling')

type Definitions = ReadonlyMap<number, Definition>
const definitionsOf = async ({ registry }: VersionPorts, set: string): Promise<Definitions> =>
  new Map((await knownVersions(registry, set)).map(({ definition }) => [definition.version, definition]))

type Computing = { readonly version: Version; readonly partition: number; readonly definitions: Definitions }

/** Has the stream compute the version on a partition, and end what is not to be computed any more, in one commit. */
async function compute(ports: VersionPorts, journal: Journal, { version: { version, mode }, partition, definitions }: Computing, watch: Watch): Promise<void> {
  const { set } = journal.state
  const definition = known(definitions, set, version)
  const found = await loadPosition(ports.checkpoints, set, partition)
  const before = lastRun(found, version)
  if (before?.until === null) return
  const origin = before ? { origins: before.origins, inherited: null, withRows: true } : originOf(mode, definition, definitions.get(version - 1), found)
  const bringing = await begin(ports, definition, partition, origin, before?.until ?? startOf(origin))
  await catchUp(ports, bringing, watch)
  const by = before ? `the return to ${label(definition)}` : `apply ${label(definition)}`
  const live = new Set(toBeComputed(journal.state).map((one) => one.version))
  const at = timeText(ports.clock)
  let afterSeq = 0
  await handover(ports, { set, partition, by }, async (position, stillHere) => {
    if (isBehind(origin)) await advance(ports, bringing, position, watch, { stillHere })
    afterSeq = position.seq
    const unread = (before?.unread ?? 0) + bringing.unread
    const run = before ? resumed(before) : newRun(position, { version, mode, origin, definition, at })
    const counted = unread > 0 ? { ...run, unread } : run
    const others = position.runs.filter((one) => one !== lastRun(position, version)).map((one) => (live.has(one.version) ? one : ended(one, position)))
    const save = [...(await entriesOf(ports.checkpoints, bringing)), ...(await forgetPlace(ports.checkpoints, bringing))]
    // The newest in front: its row of a record comes before the older one's, so that a view that falls back never shows the older one in between.
    return { position: { ...position, runs: before ? inPlace(position, version, counted, others) : [counted, ...others] }, save }
  })
  if (!before) await journal.add([{ kind: 'switched', version, partition, afterSeq, at }])
}

const lastRun = ({ runs }: Position, version: number): Run | undefined => runs.findLast((one) => one.version === version)

const startOf = ({ origins }: Origin) => Math.min(Number.MAX_SAFE_INTEGER, ...Object.values(origins))

const resumed = ({ untilRows: _, ...run }: Run): Run => ({ ...run, until: null })

const ended = (run: Run, position: Position): Run => (run.until === null ? { ...run, until: position.seq, untilRows: rowsTaken(position) } : run)

/** The order of versions stays as it is. */
function inPlace({ runs }: Position, version: number, run: Run, others: readonly Run[]): readonly Run[] {
  const place = runs.findLastIndex((one) => one.version === version)
  return others.toSpliced(place, 0, run)
}

/** Where a version that was never computed gets each feature's state from. */
function originOf(mode: Version['mode'], definition: Definition, previous: Definition | undefined, position: Position): Origin {
  if (hasRowsOfHistory({ mode })) return { origins: Object.fromEntries(definition.features.map(({ name }) => [name, 0])), inherited: null, withRows: true }
  if (mode === 'first' || !previous) return { origins: {}, inherited: null, withRows: false }
  const before = lastRun(position, previous.version)
  const changes = featureChanges(previous, definition).filter(({ after }) => after !== null)
  const pairs = changes.flatMap(({ feature, sameAs }) => (sameAs === null || !before ? [] : [{ feature, sameAs }]))
  // What is new in a forward-only version is replayed over all history, and what it inherits from a version that has stopped from where that one's began.
  const fresh = mode === 'forward-only' ? changes.filter(({ feature }) => !pairs.some((pair) => pair.feature === feature)).map(({ feature }) => [feature, 0] as const) : []
  if (before?.until !== null) {
    return { origins: Object.fromEntries([...fresh, ...pairs.map(({ feature, sameAs }) => [feature, before!.origins[sameAs]!] as const)]), inherited: null, withRows: false }
  }
  return { origins: Object.fromEntries(fresh), inherited: pairs.length > 0 ? { version: previous.version, pairs } : null, withRows: false }
}

type NewRun = { readonly version: number; readonly mode: Version['mode']; readonly origin: Origin; readonly definition: Definition; readonly at: string }

function newRun(position: Position, { version, mode, origin, definition, at }: NewRun): Run {
  const all = origin.withRows || mode === 'first'
  const from = origin.inherited && lastRun(position, origin.inherited.version)
  const inherited = new Map(origin.inherited?.pairs.map(({ feature, sameAs }) => [feature, from!.origins[sameAs]!]))
  return {
    version, mode, after: all ? 0 : position.seq, afterRows: all ? 0 : rowsTaken(position), switchedAfter: position.seq, switchedAt: at, until: null,
    origins: Object.fromEntries(definition.features.map(({ name }) => [name, origin.origins[name] ?? inherited.get(name) ?? position.seq])),
  }
}

/** Whatever is not to be computed stops after the last record taken. */
async function endOthers(ports: VersionPorts, state: SetState): Promise<void> {
  const { set } = state
  const live = new Set(toBeComputed(state).map(({ version }) => version))
  const isOver = (run: Run) => run.until === null && !live.has(run.version)
  for (const [partition, position] of (await loadPositions(ports.checkpoints, set)).entries()) {
    if (!position.runs.some(isOver)) continue
    await handover(ports, { set, partition, by: `the end of ${set}@${position.runs.find(isOver)!.version}` }, async (now) => ({
      position: { ...now, runs: now.runs.map((run) => (isOver(run) ? ended(run, now) : run)) }, save: [],
    }))
  }
}

/** Removes a version's rows and state, on whatever way it was. */
export async function clear(ports: VersionPorts, set: string, version: number): Promise<void> {
  const { checkpoints, log, warehouse } = ports
  for (const partition of (await loadPositions(checkpoints, set)).keys()) {
    const of = { definition: { set, version } as Definition, partition }
    // Taken only where there is something to remove: a version that was retired long ago is looked at each time.
    let writer: Writer | undefined
    const remove = async (save: readonly Save[]) => {
      if (save.length > 0) await (writer ??= await log.writer(placeName(of))).commit({ save })
    }
    try {
      await remove(await forgetPlace(checkpoints, of))
      for await (const entries of stateEntries(checkpoints, set, version, partition)) {
        await remove(saveState(set, version, partition, new Map(entries.map(([key]) => [key, null]))))
      }
    } finally {
      await writer?.close()
    }
  }
  if (await warehouse.extent(set, version)) await warehouse.remove(set, version, { first: 0, last: Number.MAX_SAFE_INTEGER })
}

/** Before anything is changed: what the state asks for must be possible. Reads the files of history through. */
export async function checkPossible(ports: VersionPorts, state: SetState, signal: AbortSignal, filling?: Definition): Promise<void> {
  const { set } = state
  const definitions = new Map([...(await definitionsOf(ports, set)), ...(filling ? [[filling.version, filling] as const] : [])])
  const needs = (await loadPositions(ports.checkpoints, set)).flatMap((position, partition) => toBeBrought(state, filling?.version).flatMap(({ version, mode }): Need[] => {
    const before = lastRun(position, version)
    if (before?.until === null) return []
    if (before) return [{ partition, history: position.history, after: before.until }]
    const origin = originOf(mode, known(definitions, set, version), definitions.get(version - 1), position)
    return isReplayed(origin) ? [{ partition, history: position.history, after: startOf(origin) }] : []
  }))
  await checkHistory(ports, needs, signal)
}

function known(definitions: Definitions, set: string, version: number): Definition {
  const definition = definitions.get(version)
  if (!definition) throw new Problem(`the registry has lost the schema of ${set}@${version}`, `Restore it from a copy, or have it made again: tidemark repair ${set}`)
  return definition
}
