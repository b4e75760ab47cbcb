/**
 * The work of a batch under its hold: rows of the file through the engines into the warehouse, partition by partition, with the place
 * saved.
 */
import { extendHistory, loadSpeed, savePosition, saveSpeed, withUnread, type BatchPiece, type Routing } from '../streams/position.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { registerInflow } from '../streams/inflow.ts'
import { noNumbersCounter } from '../feature-defs/models/no-numbers.ts'
import { rowsOf } from '../streams/rows.ts'
import { saveState } from '../streams/state.ts'
import { streamOf } from '../streams/stream.ts'
import { endOf, loadTold, saveTold, toldAfter } from '../streams/told.ts'
import { chosenRows } from '../schemas/csv/chosen-rows.ts'
import { extendTake, nothingYet, ofYears, type Take, type Years } from '../schemas/csv/selection.ts'
import { unreadLines } from '../schemas/csv/together.ts'
import { between, rowsWhere } from '../utilities/values/columns.ts'
import type { Save } from '../utilities/checkpoints.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import { Problem } from '../utilities/values/problem.ts'
import { commitHeld, giveUp } from './hold.ts'
import { forgetProgress, loadProgress, saveProgress } from './progress.ts'
import { sharesOf, type Backfilled, type Batch, type VersionAtWork, type Work } from './share.ts'
import { firstWaiting } from './waiting.ts'

/** So many rows may have to be computed again after a kill. */
const rowsPerSave = 200_000

export async function work(batch: Batch, works: readonly Work[], undo: () => Promise<void>): Promise<Backfilled> {
  const {
    ports: { warehouse, source, rejects, clock },
    options: { set, years, strict, signal, report },
  } = batch
  const { identity, base, records, finished, after } = batch
  const routing: Routing = { per: works[0]!.atWork[0]!.definition.per, partitions: finished + works.length }
  const versions = works[0]!.atWork.map(({ definition }) => definition.version)
  const startedNs = clock()
  const writes = oneAhead()
  // Otherwise versions or partitions have columns in common.
  const alone = routing.partitions === 1 && works[0]!.atWork.length === 1
  const place = Math.min(...works.map((one) => one.place))
  // Where a partition has it all, the file was read to its end, and every line is kept.
  const linesUpTo = finished > 0 ? Infinity : place
  const waits = Math.min(...works.map((one) => one.waits))
  let take = nothingYet({ source: identity, base, years, after })
  let unsaved = 0
  let interrupted = false
  let beyond = 0
  const noNumbers = noNumbersCounter()
  let ofStore: unknown
  /** What goes wrong with the store is no fault of the file: what is written stays, to be gone on from. */
  const storing = (job: Promise<unknown>) =>
    job.then(
      () => {},
      (error: unknown) => {
        throw (ofStore = error)
      },
    )

  // A rejected line has no key: it was taken when every partition has taken what is around it, and waits with whatever waits first.
  const isThere = (seq: number, day: number | null) =>
    works.every(({ before }) => before.has(seq, day)) || (seq >= waits && works[0]!.inflow.has(seq, day))
  const { total, stretches } = chosenRows({
    records,
    source,
    base,
    rowsPerBatch: warehouse.flush?.rows,
    years,
    strict,
    rejects,
    isThere,
    keptUpTo: linesUpTo,
  })
  const result = (): Backfilled => {
    const { there: alreadyThere, ...rest } = total
    return { ...rest, alreadyThere, versions, unread: unreadIn(works), beyond, ...noNumbers.found(), interrupted }
  }

  await rejects.keep((seq) => seq <= Math.max(after, linesUpTo))
  try {
    for await (const stretch of stretches) {
      const due = sharesOf(batch, works, stretch.chosen, routing)
      for (const { seq } of due) {
        if (seq[0]! <= after) throw behind(set, years, seq[0]!, after)
        if (seq.at(-1)! > waits) throw consumeFirst(set, years, seq.at(-1)!, waits)
        take = extendTake(take, seq, [])
      }
      take = extendTake(take, none, stretch.lines)
      const unread = due.flatMap(({ part, seq }) =>
        part.atWork.flatMap(({ definition, reading }) => unreadLines(stretch, reading, seq, label(definition))),
      )
      const newly = due.map(({ part, seq }) => (seq[0]! > part.place ? seq.length : rowsWhere(seq, (one) => one > part.place).length))
      const rows = newly.reduce((sum, one) => sum + one, 0)
      await storing(stretch.keepAndCount(rows, unread))
      for (const [i, { part, readings, seq }] of due.entries()) {
        part.rows += seq.length
        const unwritten = newly[i]!
        batch.wrote ||= unwritten > 0
        for (const version of part.atWork) {
          const { definition, maker, reading } = version
          const own = between(readings[reading]!, part.place, Infinity)
          version.unread += seq.length - readings[reading]!.count
          version.unreadNow += unwritten - own.count
          if (own.count === 0) continue
          const { records, values } = await maker.push(own)
          const made = rowsOf(definition, records, values, clock())
          beyond += maker.beyond()
          noNumbers.add(label(definition), maker.noNumbers())
          await writes.begin(() => storing(warehouse.write(set, alone ? { ...made, transferable: true } : made)))
        }
      }
      report({ rows, seq: stretch.lastSeq })
      interrupted = signal.aborted
      unsaved += rows
      if (unsaved >= rowsPerSave || (interrupted && batch.wrote)) {
        unsaved = 0
        const save = placeOf(batch, works, stretch.lastSeq)
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
  if (interrupted && batch.wrote) return result()
  // A file of which no row was ever taken may still be replaced by a better one.
  const isWorthNoting = take.rows > 0 || (take.rejected > 0 && works.some(({ before }) => before.upTo > 0))
  if (interrupted || !isWorthNoting) await giveUp(batch.ports, set, works, batch.token)
  else
    await finish(batch, works, take, {
      routing,
      perSecond: total.rows < 50_000 ? undefined : Math.round(total.rows / (Number(clock() - startedNs) / 1e9)),
    })
  return result()
}

const none = new Float64Array(0)

/** How many of the rows taken now each version cannot read; those that can read all are left out. */
function unreadIn(works: readonly Work[]): Backfilled['unread'] {
  const atWork = Map.groupBy(
    works.flatMap((part) => part.atWork),
    ({ definition }) => definition.version,
  )
  const counts = [...atWork].map(([version, some]) => ({ version, rows: some.reduce((sum, { unreadNow }) => sum + unreadNow, 0) }))
  return counts.filter(({ rows }) => rows > 0)
}

/** Saves the place: the state as it is now, whenever that is done. */
function placeOf({ ports, options: { set }, token }: Batch, works: readonly Work[], place: number): () => Promise<void> {
  const saves = works.map((part) => {
    const changes = new Map(part.atWork.map(({ definition, maker }) => [definition.version, maker.changes()]))
    return { part, save: saveProgress(set, part.partition, Math.max(place, part.place), changes) }
  })
  return async () => {
    for (const { part, save } of saves) await commitHeld(ports, set, part, token, save)
  }
}

/** Somebody may have written into inflow under the hold without having looked at it. */
async function lookAgain({ ports, options, records, batchOnly }: Batch, works: readonly Work[], { lastSeq }: Take): Promise<void> {
  const { set, years } = options
  if (batchOnly) return
  const waits = await Promise.all(works.map(({ partition, position }) => firstWaiting(ports, records, partition, position)))
  if (Math.min(...waits) < lastSeq) throw consumeFirst(set, years, lastSeq, Math.min(...waits))
}

type End = { readonly routing: Routing; readonly perSecond: number | undefined }

async function finish(batch: Batch, works: readonly Work[], take: Take, { routing, perSecond }: End): Promise<void> {
  const {
    ports,
    options: { set },
    records,
    token,
  } = batch
  const speed = perSecond === undefined ? [] : [saveSpeed({ ...(await loadSpeed(ports.checkpoints)), withRows: perSecond })]
  const readers = await Promise.all(records.map(async (record) => (await registerInflow(ports.registry, record)).id))
  for (const part of works) {
    const { partition, atWork, rows, position } = part
    const spread = routing.partitions > 1 && { routing }
    const piece: BatchPiece = { kind: 'batch', ...take, place: ports.source.place, rows, readers, ...spread }
    const progress = await loadProgress(
      ports.checkpoints,
      set,
      partition,
      atWork.map(({ definition }) => definition.version),
    )
    const states = atWork.flatMap(({ layers, maker }) =>
      saveState({ set, partition }, layers, new Map([...progress.states.get(layers.version)!, ...maker.changes()])),
    )
    const [runs, history] = [withUnread(position.runs, unreadBy(atWork)), extendHistory(position.history, piece)]
    const moved = savePosition(set, partition, { ...position, seq: take.lastSeq, runs, history, hold: null })
    const told =
      batch.batchOnly || rows === 0 ? [] : await Promise.all(atWork.map(({ definition }) => toldOf(batch, definition, partition)))
    const save = [...told, ...states, ...forgetProgress(set, partition, progress), ...speed, moved]
    await commitHeld(ports, set, part, token, save)
  }
}

/** The rows of the batch lie in the warehouse, and outflow has none of them. */
async function toldOf(
  { ports: { log, checkpoints }, after }: Batch,
  { set, version, record }: Definition,
  partition: number,
): Promise<Save> {
  const before = (await loadTold(checkpoints, set))(version, partition)
  return saveTold({ set, version, partition }, toldAfter(before, await endOf(log, streamOf(record).outflow, partition), after))
}

/** How many rows of the batch a version could not read. */
const unreadBy =
  (atWork: readonly VersionAtWork[]) =>
  (version: number): number =>
    atWork.find(({ definition }) => definition.version === version)?.unread ?? 0

const behind = (set: string, years: Years, seq: number, latest: number) =>
  new Problem(
    `row ${seq}${ofYears(years)} lies behind row ${latest}, which ${set} has taken already`,
    'Features run over records in order. Start over in an empty data directory and backfill the earlier years first.',
  )

const consumeFirst = (set: string, years: Years, seq: number, waits: number) =>
  new Problem(
    `row ${seq}${ofYears(years)} lies behind row ${waits}, which waits in inflow and ${set} has not taken yet`,
    'Features run over records in order. Have it taken first: tidemark consume --until-caught-up; then run this again.',
  )
