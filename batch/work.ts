/** The work of a batch under its hold: rows of the file through the engines into the warehouse, partition by partition, with the place saved. */
import { extendHistory, loadSpeed, running, savePosition, saveSpeed, type BatchPiece, type Routing } from '../feature-defs/checkpoint.ts'
import { engine, type Engine } from '../feature-defs/engine.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { inputsOf } from '../feature-defs/inputs.ts'
import { spread } from '../feature-defs/routing.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import { layersOf, lookupState, saveState, type Layers } from '../feature-defs/state.ts'
import { chosenRows } from '../schemas/chosen-rows.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { extendTake, nothingYet, takenIn, untaken, yearsText, type Take, type Taken, type Years } from '../schemas/selection.ts'
import { columnOf, pick, rowsWhere, type Columns } from '../utilities/columns.ts'
import { oneAhead } from '../utilities/one-ahead.ts'
import { Problem } from '../utilities/problem.ts'
import type { Registry } from '../utilities/registry/registry.ts'
import type { RejectsFile } from '../utilities/source/rejects-file.ts'
import type { Source, SourceIdentity } from '../utilities/source/source.ts'
import type { Warehouse } from '../utilities/warehouse/warehouse.ts'
import { commitHeld, giveUp, type HoldPorts, type Part } from './hold.ts'
import { forgetProgress, loadProgress, saveProgress } from './progress.ts'
import { firstWaiting } from './waiting.ts'

export type BackfillPorts = HoldPorts & { readonly registry: Registry; readonly warehouse: Warehouse; readonly source: Source; readonly rejects: RejectsFile }

export type BackfillOptions = {
  readonly set: string
  readonly years: Years
  readonly strict: boolean
  readonly continue: boolean
  /** Who does it, for those who wait. */
  readonly by: string
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number; readonly seq: number }) => void
}

/** Rows of the file: taken now, there already (or waiting in inflow), rejected now or before, of other years; together what was read. */
export type Backfilled = {
  readonly rows: number
  readonly alreadyThere: number
  readonly rejected: number
  readonly rejectedBefore: number
  readonly notChosen: number
  readonly versions: readonly number[]
  readonly interrupted: boolean
}

export type Batch = {
  readonly ports: BackfillPorts
  readonly options: BackfillOptions
  readonly identity: SourceIdentity
  readonly base: number
  readonly token: string
  readonly record: RecordSchema
  readonly batchOnly: boolean
  /** So many partitions had it all when an earlier run was cut short. */
  readonly finished: number
  /** The last record that the set had taken before. */
  readonly after: number
  /** Rows are written that no position knows. */
  wrote: boolean
}

/** A partition's share of the batch. */
export type Work = Part & {
  readonly lanes: readonly { readonly definition: Definition; readonly layers: Layers; readonly engine: Engine }[]
  /** What the partition has, or gets from the stream. */
  readonly before: Taken
  /** What inflow holds of the file, taken or waiting. */
  readonly inflow: Taken
  /** The next record that the stream will take. */
  readonly waits: number
  /** Up to there an earlier run has written. */
  readonly place: number
  /** How many rows of the batch are its own. */
  rows: number
}

/** `known` is every version of the set, `held` what inflow holds of the file. */
export async function openWork(batch: Batch, part: Part, { known, held }: { readonly known: readonly Definition[]; readonly held: readonly Take[] }): Promise<Work> {
  const { ports, options: { set }, base, record, batchOnly } = batch
  const { partition, position } = part
  const live = running(position).map(layersOf)
  const { place, states } = await loadProgress(ports.checkpoints, set, partition, live.map(({ version }) => version))
  const lanes = await Promise.all(live.map(async (layers) => {
    const definition = known.find((one) => one.version === layers.version)!
    const [changed, before] = [states.get(layers.version)!, await lookupState(ports.checkpoints, { set, partition }, layers)]
    return { definition, layers, engine: engine(definition, { get: (key) => changed.get(key) ?? before.get(key) }) }
  }))
  const waits = batchOnly ? Infinity : await firstWaiting(ports, record, partition, position)
  const batches = takenIn(position.history.filter((piece) => piece.kind === 'batch').filter((piece) => piece.base === base))
  const inflow = takenIn(held)
  const streamed = position.history.filter((piece) => piece.kind === 'inflow')
  const before: Taken = {
    upTo: Math.max(batches.upTo, inflow.upTo),
    // What inflow holds has gone through the stream, or it will.
    has: (seq, day) => batches.has(seq, day) || (inflow.has(seq, day) && (seq >= waits || streamed.some(({ firstSeq, lastSeq }) => seq >= firstSeq && seq <= lastSeq))),
  }
  // The same object, whose writer may be taken back.
  return Object.assign(part, { lanes, before, inflow, waits, place, rows: 0 })
}

/** So many rows may have to be computed again after a kill. */
const rowsPerSave = 200_000

export async function work(batch: Batch, works: readonly Work[], undo: () => Promise<void>): Promise<Backfilled> {
  const { ports: { warehouse, source, rejects, clock }, options: { set, years, strict, signal, report }, identity, base, record, finished, after } = batch
  const routing: Routing = { per: works[0]!.lanes[0]!.definition.per, partitions: finished + works.length }
  const startedNs = clock()
  const writes = oneAhead()
  // Otherwise versions or partitions have columns in common.
  const alone = routing.partitions === 1 && works[0]!.lanes.length === 1
  const place = Math.min(...works.map((one) => one.place))
  const waits = Math.min(...works.map((one) => one.waits))
  let take = nothingYet({ source: identity, base, years, after })
  let unsaved = 0
  let interrupted = false
  let ofStore: unknown
  /** What goes wrong with the store is no fault of the file: what is written stays, to be gone on from. */
  const storing = (job: Promise<unknown>) => job.then(() => {}, (error: unknown) => { throw (ofStore = error) })

  // A rejected line has no key: it was taken when every partition has taken what is around it, and waits with whatever waits first.
  const isThere = (seq: number, day: number | null) => works.every(({ before }) => before.has(seq, day)) || (seq >= waits && works[0]!.inflow.has(seq, day))
  const { total, stretches } = chosenRows({
    record, chunks: source.read(), place: source.place, base, rowsPerBatch: warehouse.flush?.rows, years, strict, rejects, isThere, keptUpTo: place,
  })

  await rejects.keep((seq) => seq <= Math.max(after, place))
  try {
    for await (const stretch of stretches) {
      const { lines, lastSeq } = stretch
      const due = sharesOf(batch, works, stretch.records, routing)
      for (const { seq } of due) {
        if (seq[0]! <= after) throw behind(set, years, seq[0]!, after)
        if (seq.at(-1)! > waits) throw consumeFirst(set, years, seq.at(-1)!, waits)
        take = extendTake(take, seq, [])
      }
      take = extendTake(take, none, lines)
      const unwritten = due.map(({ part, records, seq }) => ({ part, records: part.place < seq[0]! ? records : pick(records, rowsWhere(seq, (one) => one > part.place)) }))
      const rows = unwritten.reduce((sum, { records }) => sum + records.count, 0)
      await storing(stretch.keepAndCount(rows))
      for (const { part, records } of due) part.rows += records.count
      for (const { part, records } of unwritten) {
        if (records.count === 0) continue
        batch.wrote = true
        for (const { definition, engine } of part.lanes) {
          const made = rowsOf(definition, records, engine.push(inputsOf(definition, records)), clock())
          await writes.begin(() => storing(warehouse.write(set, alone ? { ...made, handedOver: true } : made)))
        }
      }
      report({ rows, seq: lastSeq })
      interrupted = signal.aborted
      unsaved += rows
      if (unsaved >= rowsPerSave || (interrupted && batch.wrote)) {
        unsaved = 0
        const save = placeOf(batch, works, lastSeq)
        // Behind the rows that it stands for.
        await writes.begin(() => storing(save()))
      }
      if (interrupted) break
    }
    await writes.settled()
    if (!interrupted) await lookAgain(batch, works, take)
  } catch (error) {
    await writes.settled().catch(() => {})
    // A file that turns out to be damaged, or a line that --strict refuses: nothing of it stays.
    if (batch.wrote && error instanceof Problem && error !== ofStore && finished === 0) {
      await undo()
      await rejects.keep((seq) => seq <= after)
    }
    throw error
  }
  const { rows, there: alreadyThere, ...rest } = total
  const done = { rows, alreadyThere, ...rest, versions: works[0]!.lanes.map(({ definition }) => definition.version), interrupted }
  if (interrupted && batch.wrote) return done
  // A file of which no row was ever taken may still be replaced by a better one.
  const isWorthNoting = take.rows > 0 || (take.rejected > 0 && works.some(({ before }) => before.upTo > 0))
  if (interrupted || !isWorthNoting) await giveUp(batch.ports, set, works, batch.token)
  else await finish(batch, works, take, { routing, perSecond: rows < 50_000 ? undefined : Math.round(rows / (Number(clock() - startedNs) / 1e9)) })
  return done
}

const none = new Float64Array(0)

type Due = { readonly part: Work; readonly records: Columns; readonly seq: Float64Array }

/** The rows of the batch by partition, those of an earlier run that was cut short included. */
const sharesOf = ({ record, finished }: Batch, works: readonly Work[], records: Columns, routing: Routing): readonly Due[] =>
  spread(records, routing).flatMap(({ partition, records }) => {
    const part = works[partition - finished]
    const fresh = part && untaken(records, record.at, part.before)
    return fresh && fresh.count > 0 ? [{ part, records: fresh, seq: columnOf(fresh, '_seq', 'int').values }] : []
  })

/** Saves the place: the state as it is now, whenever that is done. */
function placeOf({ ports, options: { set }, token }: Batch, works: readonly Work[], place: number): () => Promise<void> {
  const saves = works.map((part) => {
    const changes = new Map(part.lanes.map(({ definition, engine }) => [definition.version, engine.changes()]))
    return { part, save: saveProgress(set, part.partition, Math.max(place, part.place), changes) }
  })
  return async () => {
    for (const { part, save } of saves) await commitHeld(ports, set, part, token, save)
  }
}

/** Somebody may have written into inflow under the hold without having looked at it. */
async function lookAgain({ ports, options: { set, years }, record, batchOnly }: Batch, works: readonly Work[], { lastSeq }: Take): Promise<void> {
  if (batchOnly) return
  const waits = await Promise.all(works.map(({ partition, position }) => firstWaiting(ports, record, partition, position)))
  if (Math.min(...waits) < lastSeq) throw consumeFirst(set, years, lastSeq, Math.min(...waits))
}

type End = { readonly routing: Routing; readonly perSecond: number | undefined }

async function finish({ ports, options: { set }, token }: Batch, works: readonly Work[], take: Take, { routing, perSecond }: End): Promise<void> {
  const speed = perSecond === undefined ? [] : [saveSpeed({ ...(await loadSpeed(ports.checkpoints)), withRows: perSecond })]
  for (const part of works) {
    const { partition, lanes, rows, position } = part
    const piece: BatchPiece = { kind: 'batch', ...take, place: ports.source.place, rows, ...(routing.partitions > 1 && { routing }) }
    const progress = await loadProgress(ports.checkpoints, set, partition, lanes.map(({ definition }) => definition.version))
    const states = lanes.flatMap(({ layers, engine }) =>
      saveState({ set, partition }, layers, new Map([...progress.states.get(layers.version)!, ...engine.changes()])))
    const moved = savePosition(set, partition, { ...position, seq: take.lastSeq, history: extendHistory(position.history, piece), hold: null })
    await commitHeld(ports, set, part, token, [...states, ...forgetProgress(set, partition, progress), ...speed, moved])
  }
}

const behind = (set: string, years: Years, seq: number, latest: number) =>
  new Problem(`row ${seq} of ${yearsText(years)} lies behind row ${latest}, which ${set} has taken already`,
    'Features run over records in order. Start over in an empty data directory and backfill the earlier years first.')

const consumeFirst = (set: string, years: Years, seq: number, waits: number) =>
  new Problem(`row ${seq} of ${yearsText(years)} lies behind row ${waits}, which waits in inflow and ${set} has not taken yet`,
    'Features run over records in order. Have it taken first: tidemark consume --until-caught-up; then run this again.')
