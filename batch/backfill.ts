/** The batch: years of a file through the same engine into the warehouse, leaving the checkpoint that the stream resumes from. */
import { loadPosition, loadSpeed, loadState, running, savePosition, saveSpeed, saveState, writerName, type BatchPiece, type Hold, type Position } from '../feature-defs/checkpoint.ts'
import { engine } from '../feature-defs/engine.ts'
import { baseFor, holds, loadHeld } from '../feature-defs/held.ts'
import { inputsOf } from '../feature-defs/inputs.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import { readCsv } from '../schemas/csv.ts'
import { covers, joinRanges, numberedFrom, selectYears, unreadable, type Ranges, type Years } from '../schemas/selection.ts'
import type { Checkpoints } from '../utilities/checkpoint/checkpoint.ts'
import type { Clock } from '../utilities/clock.ts'
import { columnOf, pick } from '../utilities/columns.ts'
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
  const { log, checkpoints, registry, source } = ports
  const { set, years, by } = options
  const identity = await source.identify(options.signal)
  const base = await baseFor(checkpoints, identity, options.continue).catch(async (error: unknown) => {
    // A damaged copy of the same file is not another file.
    await source.prove(options.signal)
    throw error
  })

  const writer = await log.writer(writerName(set, 0))
  try {
    const position = await undone(ports, set, writer, await loadPosition(checkpoints, set, 0), { identity, years })
    const lanes = await openLanes(ports, set, position)
    const hold: Hold = { kind: 'backfill', by, source: identity, place: source.place, years }
    const work = { ...options, identity, base, position, lanes, registry }
    const ingested = await ingestedBefore(checkpoints, position, identity)
    return await run(ports, work, writer, hold, ingested)
  } finally {
    await writer.close()
  }
}

async function openLanes({ registry, checkpoints }: BackfillPorts, set: string, position: Position) {
  const known = await knownVersions(registry, set)
  const live = running(position)
  if (live.length === 0) throw new Problem(`no version of ${set} is applied`, `Run: tidemark apply ${set}@0`)
  return Promise.all(live.map(async ({ version }) => {
    const { definition } = known.find((one) => one.definition.version === version)!
    return { definition, engine: engine(definition, await loadState(checkpoints, set, version, 0)) }
  }))
}

type Lanes = Awaited<ReturnType<typeof openLanes>>
type Work = BackfillOptions & { readonly identity: SourceIdentity; readonly base: number; readonly position: Position; readonly lanes: Lanes }

async function run({ checkpoints, warehouse, source, rejects, clock }: BackfillPorts, work: Work, writer: Writer, hold: Hold, ingested: (seq: number) => boolean): Promise<Backfilled> {
  const { set, years, strict, identity, base, position, lanes, signal, report } = work
  const { record } = lanes[0]!.definition
  const select = selectYears(record.at, years)
  const total = { rows: 0, rejected: 0, alreadyThere: 0, versions: lanes.map(({ definition }) => definition.version) }
  const startedNs = clock()
  const writes = oneAhead()
  let ranges: Ranges = []

  let held = false
  try {
    for await (const csv of readCsv(record, source.read(), { place: source.place })) {
      const batch = numberedFrom(base, csv)
      const chosen = select(batch)
      const allSeq = columnOf(batch.columns, '_seq', 'int').values
      const rows = chosen.rows.filter((row) => !ingested(allSeq[row]!))
      const bad = chosen.rejects.filter(({ seq }) => !ingested(seq))
      total.alreadyThere += chosen.rows.length - rows.length
      if (strict && bad.length > 0) throw unreadable(source.place, bad[0]!)
      if (rows.length > 0) {
        const records = pick(batch.columns, rows)
        const seq = columnOf(records, '_seq', 'int').values
        if (seq[0]! <= position.seq) throw behind(set, years, seq[0]!, position)
        if (total.rows === 0) {
          await rejects.keep((one) => one <= position.seq)
          // From here on rows are written that no checkpoint knows yet: the consumer waits, and the next backfill finishes or undoes it.
          await writer.commit({ save: [savePosition(set, 0, { ...position, hold })] })
          held = true
        }
        for (const { definition, engine } of lanes) {
          const made = rowsOf(definition, records, engine.push(inputsOf(definition, records)), clock())
          await writes.begin(() => warehouse.write(set, made))
        }
      }
      await rejects.append(bad)
      ranges = joinRanges(ranges, chosen.ranges.filter(([first]) => !ingested(first)))
      total.rows += rows.length
      total.rejected += bad.length
      report({ rows: rows.length, seq: batch.lastSeq })
      if (signal.aborted) break
    }
    await writes.settled()
  } catch (error) {
    await writes.settled().catch(() => {})
    // A file that turns out to be damaged, or a line that --strict refuses: nothing of it stays.
    if (held && error instanceof Problem) {
      await undo(warehouse, set, writer, position)
      await rejects.keep((one) => one <= position.seq)
    }
    throw error
  }
  if (signal.aborted) return { ...total, interrupted: true }
  if (total.rows === 0) return { ...total, interrupted: false }

  const [firstSeq, lastSeq] = [ranges[0]![0], ranges.at(-1)![1]]
  const piece = { kind: 'batch', source: identity, place: source.place, years, base, ranges, firstSeq, lastSeq, rows: total.rows } as const
  const perSecond = Math.round(total.rows / (Number(clock() - startedNs) / 1e9))
  const speed = total.rows < 50_000 ? [] : [saveSpeed({ ...(await loadSpeed(checkpoints)), withRows: perSecond })]
  const states = lanes.flatMap(({ definition, engine }) => saveState(set, definition.version, 0, engine.changes()))
  await writer.commit({ save: [...states, ...speed, savePosition(set, 0, { ...position, seq: lastSeq, history: [...position.history, piece], hold: null })] })
  return { ...total, interrupted: false }
}

/** Rows that the set took in before: from the same file, or through inflow. */
async function ingestedBefore(checkpoints: Checkpoints, { history }: Position, { sha256 }: SourceIdentity): Promise<(seq: number) => boolean> {
  const held = await loadHeld(checkpoints)
  const batches = history.filter((piece): piece is BatchPiece => piece.kind === 'batch' && piece.source.sha256 === sha256)
  const streamed = history.filter((piece) => piece.kind === 'inflow')
  return (seq) => batches.some(({ ranges }) => covers(ranges, seq)) || (streamed.some(({ firstSeq, lastSeq }) => covers([[firstSeq, lastSeq]], seq)) && holds(held, seq))
}

/** A backfill that was killed left rows without a checkpoint: the same one is simply done again, onto them; any other removes them first. */
async function undone({ warehouse }: BackfillPorts, set: string, writer: Writer, position: Position, { identity, years }: { readonly identity: SourceIdentity; readonly years: Years }): Promise<Position> {
  const { hold } = position
  if (hold?.kind !== 'backfill') return { ...position, hold: null }
  const same = hold.source.sha256 === identity.sha256 && hold.years.join() === years.join()
  if (same) return { ...position, hold: null }
  return undo(warehouse, set, writer, position)
}

async function undo(warehouse: Warehouse, set: string, writer: Writer, position: Position): Promise<Position> {
  for (const { version } of running(position)) await warehouse.remove(set, version, { first: position.seq + 1, last: Number.MAX_SAFE_INTEGER })
  const free = { ...position, hold: null }
  await writer.commit({ save: [savePosition(set, 0, free)] })
  return free
}

/** Takes back what an unfinished backfill wrote. */
export async function undoBackfill({ log, checkpoints, warehouse }: Pick<BackfillPorts, 'log' | 'checkpoints' | 'warehouse'>, set: string): Promise<boolean> {
  const position = await loadPosition(checkpoints, set, 0)
  if (position.hold?.kind !== 'backfill') return false
  const writer = await log.writer(writerName(set, 0))
  try {
    await undo(warehouse, set, writer, position)
    return true
  } finally {
    await writer.close()
  }
}

const behind = (set: string, [from, to]: Years, seq: number, position: Position) =>
  new Problem(`row ${seq} of ${from === to ? from : `${from}-${to}`} lies behind row ${position.seq}, which ${set} has taken already`,
    'Features run over records in order. Start over in an empty data directory and backfill the earlier years first.')
