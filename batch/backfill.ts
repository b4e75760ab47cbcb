/** The batch: years of a file through the same engine into the warehouse, leaving the checkpoint that the stream resumes from. */
import {
  loadPosition, loadPositions, loadSpeed, loadState, partitionsApplied, running, savePosition, saveSpeed, saveState, writerName,
  type BatchPiece, type Hold, type Position, type Routing,
} from '../feature-defs/checkpoint.ts'
import { engine } from '../feature-defs/engine.ts'
import { baseFor, holds, loadHeld, type HeldSource } from '../feature-defs/held.ts'
import { inputsOf } from '../feature-defs/inputs.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { spread } from '../feature-defs/routing.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import { readCsv } from '../schemas/csv.ts'
import { covers, joinRanges, numberedFrom, selectYears, unreadable, type Ranges, type Years } from '../schemas/selection.ts'
import type { Checkpoints } from '../utilities/checkpoint/checkpoint.ts'
import type { Clock } from '../utilities/clock.ts'
import { columnOf, pick, rowsWhere } from '../utilities/columns.ts'
import type { Log, Writer } from '../utilities/log/log.ts'
import { oneAhead } from '../utilities/one-ahead.ts'
import { Problem } from '../utilities/problem.ts'
import type { Registry } from '../utilities/registry/registry.ts'
import type { RejectsFile } from '../utilities/source/rejects-file.ts'
import type { Source, SourceIdentity } from '../utilities/source/source.ts'
import type { Warehouse } from '../utilities/warehouse/warehouse.ts'

export type BackfillPorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly warehouse: Warehouse
  readonly clock: Clock
  readonly source: Source
  readonly rejects: RejectsFile
}

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

export type Backfilled = { readonly rows: number; readonly rejected: number; readonly alreadyThere: number; readonly versions: readonly number[]; readonly interrupted: boolean }

export async function backfill(ports: BackfillPorts, options: BackfillOptions): Promise<Backfilled> {
  const { checkpoints, source } = ports
  const { set, years, by } = options
  const identity = await source.identify(options.signal)
  const base = await baseFor(checkpoints, identity, options.continue).catch(async (error: unknown) => {
    // A damaged copy of the same file is not another file.
    await source.prove(options.signal)
    throw error
  })

  const parts = await takeParts(ports, set)
  try {
    await undone(ports, set, parts, { identity, years })
    const hold: Hold = { kind: 'backfill', by, source: identity, place: source.place, years }
    const held = await loadHeld(checkpoints)
    const works = await Promise.all(parts.map(async (part) => ({ ...part, ranges: [], rows: 0, ingested: ingestedBefore(held, part.position, identity), lanes: await openLanes(ports, set, part) })))
    return await run(ports, { ...options, identity, base, hold }, works)
  } finally {
    for (const { writer } of parts) await writer.close()
  }
}

/** A partition that is ours: nobody else moves its position. */
type Part = {
  readonly partition: number
  readonly writer: Writer
  position: Position
  /** The batch was cut short when this partition had it all. */
  finished: boolean
}

/** A partition's share of the batch. */
type PartWork = Part & {
  readonly lanes: Lanes
  readonly ingested: (seq: number) => boolean
  /** What it took of the file, and how many of the rows there are its own. */
  ranges: Ranges
  rows: number
}

async function takeParts({ log, checkpoints }: Pick<BackfillPorts, 'log' | 'checkpoints'>, set: string): Promise<Part[]> {
  const parts: Part[] = []
  const count = Math.max(1, await partitionsApplied(checkpoints, set))
  for (let partition = 0; partition < count; partition++) {
    const writer = await log.writer(writerName(set, partition))
    parts.push({ partition, writer, position: await loadPosition(checkpoints, set, partition), finished: false })
  }
  return parts
}

async function openLanes({ registry, checkpoints }: BackfillPorts, set: string, { partition, position }: Part) {
  const known = await knownVersions(registry, set)
  const live = running(position)
  if (live.length === 0) throw new Problem(`no version of ${set} is applied`, `Run: tidemark apply ${set}@0`)
  return Promise.all(live.map(async ({ version }) => {
    const { definition } = known.find((one) => one.definition.version === version)!
    return { definition, engine: engine(definition, await loadState(checkpoints, set, version, partition)) }
  }))
}

type Lanes = Awaited<ReturnType<typeof openLanes>>
type Work = BackfillOptions & { readonly identity: SourceIdentity; readonly base: number; readonly hold: Hold }

async function run({ checkpoints, warehouse, source, rejects, clock }: BackfillPorts, work: Work, parts: readonly PartWork[]): Promise<Backfilled> {
  const { set, years, strict, identity, base, signal, report } = work
  const [{ definition: { record, per } }] = parts[0]!.lanes as [Lanes[number]]
  const routing: Routing = { per, partitions: parts.length }
  const select = selectYears(record.at, years)
  const total = { rows: 0, rejected: 0, alreadyThere: 0, versions: parts[0]!.lanes.map(({ definition }) => definition.version) }
  const startedNs = clock()
  const writes = oneAhead()
  const latest = latestOf(parts)
  // A rejected line has no key: it was taken when every partition has taken what is around it.
  const allIngested = (seq: number) => parts.every(({ ingested }) => ingested(seq))

  // Otherwise versions or partitions have columns in common.
  const alone = parts.length === 1 && parts[0]!.lanes.length === 1
  let held = false
  try {
    for await (const csv of readCsv(record, source.read(), { place: source.place, rowsPerBatch: warehouse.flush?.rows })) {
      const batch = numberedFrom(base, csv)
      const chosen = select(batch)
      const bad = chosen.rejects.filter(({ seq }) => !allIngested(seq))
      if (strict && bad.length > 0) throw unreadable(source.place, bad[0]!)
      const due = spread(pick(batch.columns, chosen.rows), routing).flatMap(({ partition, records }) => {
        const part = parts[partition]!
        const fresh = pick(records, rowsWhere(columnOf(records, '_seq', 'int').values, (seq) => !part.ingested(seq)))
        return fresh.count === 0 ? [] : [{ part, records: fresh }]
      })
      const rows = due.reduce((sum, { records }) => sum + records.count, 0)
      total.alreadyThere += chosen.rows.length - rows
      if (rows > 0) {
        const first = Math.min(...due.map(({ records }) => columnOf(records, '_seq', 'int').values[0]!))
        if (first <= latest) throw behind(set, years, first, latest)
        if (total.rows === 0) {
          await rejects.keep((one) => one <= latest)
          // From here on rows are written that no checkpoint knows yet: the consumer waits, and the next backfill finishes or undoes it.
          for (const { partition, writer, position, finished } of parts) {
            if (!finished) await writer.commit({ save: [savePosition(set, partition, { ...position, hold: work.hold })] })
          }
          held = true
        }
        for (const { part, records } of due) {
          for (const { definition, engine } of part.lanes) {
            const made = rowsOf(definition, records, engine.push(inputsOf(definition, records)), clock())
            await writes.begin(() => warehouse.write(set, alone ? { ...made, handedOver: true } : made))
          }
          part.rows += records.count
        }
      }
      await rejects.append(bad)
      for (const part of parts) part.ranges = joinRanges(part.ranges, chosen.ranges.filter(([first]) => !part.ingested(first)))
      total.rows += rows
      total.rejected += bad.length
      report({ rows, seq: batch.lastSeq })
      if (signal.aborted) break
    }
    await writes.settled()
  } catch (error) {
    await writes.settled().catch(() => {})
    // A file that turns out to be damaged, or a line that --strict refuses: nothing of it stays.
    if (held && error instanceof Problem && !parts.some(({ finished }) => finished)) {
      await undo(warehouse, set, parts)
      await rejects.keep((one) => one <= latest)
    }
    throw error
  }
  if (signal.aborted) return { ...total, interrupted: true }
  if (total.rows === 0) return { ...total, interrupted: false }

  const perSecond = Math.round(total.rows / (Number(clock() - startedNs) / 1e9))
  const speed = total.rows < 50_000 ? [] : [saveSpeed({ ...(await loadSpeed(checkpoints)), withRows: perSecond })]
  for (const { partition, writer, position, lanes, ranges, rows } of parts) {
    const [firstSeq, lastSeq] = [ranges[0]?.[0] ?? position.seq + 1, ranges.at(-1)?.[1] ?? position.seq]
    const piece = { kind: 'batch', source: identity, place: source.place, years, base, ranges, firstSeq, lastSeq, rows, ...(parts.length > 1 && { routing }) } as const
    const history = ranges.length > 0 ? [...position.history, piece] : position.history
    const states = lanes.flatMap(({ definition, engine }) => saveState(set, definition.version, partition, engine.changes()))
    await writer.commit({ save: [...states, ...speed, savePosition(set, partition, { ...position, seq: lastSeq, history, hold: null })] })
  }
  return { ...total, interrupted: false }
}

/** The last record that any of the partitions has taken before this batch. */
const latestOf = (parts: readonly Part[]) => Math.max(...parts.map(({ position, finished }) => (finished ? 0 : position.seq)))

/** Rows that the partition took in before: from the same file, or through inflow. */
function ingestedBefore(held: readonly HeldSource[], { history }: Position, { sha256 }: SourceIdentity): (seq: number) => boolean {
  const batches = history.filter((piece): piece is BatchPiece => piece.kind === 'batch' && piece.source.sha256 === sha256)
  const streamed = history.filter((piece) => piece.kind === 'inflow')
  return (seq) => batches.some(({ ranges }) => covers(ranges, seq)) || (streamed.some(({ firstSeq, lastSeq }) => covers([[firstSeq, lastSeq]], seq)) && holds(held, seq))
}

type Doing = { readonly identity: SourceIdentity; readonly years: Years }

/** A backfill that was killed left rows without a checkpoint: the same one is simply done again, onto them; any other removes them first. */
async function undone({ warehouse }: BackfillPorts, set: string, parts: readonly Part[], { identity, years }: Doing): Promise<void> {
  const hold = heldIn(parts)
  if (!hold) return
  if (hold.source.sha256 === identity.sha256 && hold.years.join() === years.join()) {
    for (const part of parts) {
      part.finished = part.position.hold === null
      part.position = { ...part.position, hold: null }
    }
  } else await undo(warehouse, set, parts)
}

const heldIn = (parts: readonly Part[]) => parts.map(({ position }) => position.hold).find((hold) => hold?.kind === 'backfill')

async function undo(warehouse: Warehouse, set: string, parts: readonly Part[]): Promise<void> {
  const hold = heldIn(parts)
  if (hold && parts.some(({ position }) => position.hold === null)) {
    throw new Problem(`the backfill of ${hold.years.join('-')} from ${hold.source.name} is complete in some partitions already`, 'Run the same backfill again to finish it.')
  }
  const versions = new Set(parts.flatMap(({ position }) => running(position).map(({ version }) => version)))
  for (const version of versions) await warehouse.remove(set, version, { first: latestOf(parts) + 1, last: Number.MAX_SAFE_INTEGER })
  for (const part of parts) {
    part.position = { ...part.position, hold: null }
    await part.writer.commit({ save: [savePosition(set, part.partition, part.position)] })
  }
}

/** Takes back what an unfinished backfill wrote. */
export async function undoBackfill(ports: Pick<BackfillPorts, 'log' | 'checkpoints' | 'warehouse'>, set: string): Promise<boolean> {
  if (!(await loadPositions(ports.checkpoints, set)).some(({ hold }) => hold?.kind === 'backfill')) return false
  const parts = await takeParts(ports, set)
  try {
    await undo(ports.warehouse, set, parts)
    return true
  } finally {
    for (const { writer } of parts) await writer.close()
  }
}

const behind = (set: string, [from, to]: Years, seq: number, latest: number) =>
  new Problem(`row ${seq} of ${from === to ? from : `${from}-${to}`} lies behind row ${latest}, which ${set} has taken already`,
    'Features run over records in order. Start over in an empty data directory and backfill the earlier years first.')
