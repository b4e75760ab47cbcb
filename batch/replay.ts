/** Replays what a feature set has ingested, in the order it was ingested: stretches of files and stretches of inflow. */
import type { RecordSchema } from '../schemas/record.ts'
import { chosenTogether, numbersOf, readTogether } from '../schemas/csv/together.ts'
import type { BatchPiece, InflowPiece, Piece } from '../streams/position.ts'
import { inflowReader, readersOf, recordsOf, registerInflow } from '../streams/inflow.ts'
import { intakeOf } from '../streams/intake.ts'
import { streamOf } from '../streams/stream.ts'
import { between, columnOf, pick, rowsWhere, type Columns } from '../utilities/values/columns.ts'
import type { Log } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Source } from '../utilities/source.ts'
import { deleted, gone, incomplete } from './lost-history.ts'
import { spreadTogether } from './file-intake.ts'

export type ReplayPorts = {
  readonly log: Log
  readonly registry: Registry
  /** Opens the file of that place, or the one now configured for the record when it is not there any more. */
  readonly openSource: (place: string, record: string) => Source
}

export type ReplayOptions = {
  readonly record: RecordSchema
  /** Only these fields, beside `_seq`. */
  readonly wanted: readonly string[]
  readonly partition: number
  /** Records with after < _seq <= until. */
  readonly after: number
  readonly until: number
  /** How many records had been taken up to `after`, where that is known: what lies before them need not be there any more. */
  readonly afterRows?: number | undefined
  readonly signal?: AbortSignal
  /** At most so many records of a file at once. */
  readonly rowsPerBatch?: number | undefined
}

/** A stretch of records in order. */
export type Stretch = {
  readonly records: Columns
  readonly seq: Float64Array
  /** Numbers of the records that cannot be read as this one: it has no row for them. And how many they are. */
  readonly others: readonly number[]
  readonly unread: number
  /** The last record of all of them. */
  readonly lastSeq: number
  /** Numbers of what was dropped as a duplicate there. */
  readonly behind: readonly number[]
}

/** Gives every record that was taken, or fails: a reader that ends early, told to or not, has not given all. */
export async function* replay(ports: ReplayPorts, history: readonly Piece[], options: ReplayOptions): AsyncIterable<Stretch> {
  const { after, until, afterRows = 0, signal } = options
  let latest = after
  let passed = 0
  for (const piece of history) {
    const before = { after: latest, rows: Math.max(0, afterRows - passed) }
    passed += piece.rows
    if (piece.lastSeq <= after) continue
    let rows = 0
    for await (const stretch of piece.kind === 'batch' ? fromFile(ports, piece, options) : fromInflow(ports, piece, options, before)) {
      const inside = within(stretch, latest, until)
      latest = Math.max(latest, inside.lastSeq)
      rows += inside.seq.length + inside.unread
      yield inside
      // To the end of what was taken, also behind its last record: what was dropped there is seen too.
      if (latest >= until && piece.lastSeq > until) break
    }
    signal?.throwIfAborted()
    const whole = piece.firstSeq > after && piece.lastSeq <= until
    if (whole && rows !== piece.rows) throw lacking(piece, rows)
    if (piece.kind === 'inflow' && piece.rows > 0 && piece.lastSeq <= until && latest !== piece.lastSeq) throw lacking(piece, rows)
    if (latest >= until) return
  }
}

const lacking = (piece: Piece, rows: number) =>
  new Problem(
    `history is not complete: of the ${piece.rows} records from ${piece.firstSeq} to ${piece.lastSeq}, ` +
      `which came from ${piece.kind === 'batch' ? piece.source.name : 'inflow'}, ${rows} were there to be read`,
    'Restore what they came from out of a copy; to go on without these records, apply the next version with --cold, ' +
      'which needs no history.',
  )

/** Takes from a file what was taken then: by the same records, whichever this one can read of it. */
async function* fromFile({ openSource, registry }: ReplayPorts, piece: BatchPiece, options: ReplayOptions): AsyncIterable<Stretch> {
  const { record, partition, signal, rowsPerBatch } = options
  const { base, years, after, lastSeq, routing = { per: null, partitions: 1 } } = piece
  const { id } = await registerInflow(registry, record)
  const { readers = [id] } = piece
  const wasThere = readers.includes(id)
  const records = [
    record,
    ...(await recordsOf(
      registry,
      readers.filter((one) => one !== id),
    )),
  ]
  const source = await unchanged(openSource(piece.place, record.name), piece, signal)
  for await (const stretch of readTogether(source, records, { base, rowsPerBatch, signal })) {
    const chosen = chosenTogether(stretch, records, years).readings.map((columns) => between(columns, after, lastSeq))
    const share = spreadTogether(chosen, routing).find((part) => part.partition === partition)
    if (share) {
      const [own, ...others] = share.readings as [Columns, ...Columns[]]
      yield takenOf(own, wasThere ? share.readings : others)
    }
    if (stretch.lastSeq >= lastSeq) return
  }
}

/** What this record reads of what any of the deciding ones could. */
function takenOf(own: Columns, deciding: readonly Columns[]): Stretch {
  const only = deciding.length === 1 && deciding[0] === own
  const numbers = numbersOf(deciding)
  const taken = new Set(only ? [] : numbers)
  const records = only
    ? own
    : pick(
        own,
        rowsWhere(columnOf(own, '_seq', 'int').values, (one) => taken.has(one)),
      )
  const seq = columnOf(records, '_seq', 'int').values
  for (const one of seq) taken.delete(one)
  const others = [...taken]
  return { records, seq, others, unread: others.length, lastSeq: numbers.at(-1) ?? 0, behind: [] }
}

/**
 * Refuses when a record beyond `after` is no longer to be had: its file is missing or has changed, or it was deleted from inflow. Reads
 * each file through once.
 */
export async function checkHistory(
  { openSource, log }: Pick<ReplayPorts, 'openSource' | 'log'>,
  needs: readonly Need[],
  signal: AbortSignal,
): Promise<void> {
  const pieces = needs.flatMap(({ record, history, after }) =>
    history.filter((piece) => piece.kind === 'batch' && piece.lastSeq > after).map((piece) => ({ piece: piece as BatchPiece, record })),
  )
  const files = Map.groupBy(pieces, ({ piece: { place, source }, record: { name } }) => `${source.sha256} ${name} ${place}`)
  for (const [one] of files.values()) await unchanged(openSource(one!.piece.place, one!.record.name), one!.piece, signal)
  for (const { record, partition, history, after, afterRows = 0 } of needs) {
    const first = await firstHeld(log, streamOf(record).inflow, partition)
    let passed = 0
    for (const piece of history) {
      if (piece.kind === 'inflow' && piece.lastSeq > after) checkHeld(piece, { after, rows: Math.max(0, afterRows - passed) }, first)
      passed += piece.rows
    }
  }
}

/** What somebody is about to replay: the history of a partition, its records beyond `after`; see ReplayOptions. */
export type Need = { readonly history: readonly Piece[] } & Pick<ReplayOptions, 'record' | 'partition' | 'after' | 'afterRows'>

/** As it was when it was read: it may have grown since. */
async function unchanged(opened: Source, piece: BatchPiece, signal: AbortSignal | undefined): Promise<Source> {
  const source = opened.asOf(piece.source)
  const identity = await source.identify(signal).catch((error: unknown) => {
    throw error instanceof Problem ? incomplete(piece, error.what) : error
  })
  if (identity.sha256 !== piece.source.sha256) throw incomplete(piece, `${source.place} has other content now`)
  return source
}

/** The last record before, and how many of the piece's come up to there, as far as is known. */
type Before = { readonly after: number; readonly rows: number }

/** Takes from inflow what was taken then: by the same readers, and without what was too large for a row. */
async function* fromInflow(ports: ReplayPorts, piece: InflowPiece, options: ReplayOptions, before: Before): AsyncIterable<Stretch> {
  const { log, registry } = ports
  const { record, wanted, partition, signal } = options
  const { inflow } = streamOf(record)
  const recorded = { not: piece.unrecorded ?? [] }
  const own = await inflowReader(registry, record, wanted, recorded)
  const { to, readers = [own.id], most = Infinity } = piece
  const deciding = await readersOf(
    registry,
    readers.filter((id) => id !== own.id),
    recorded,
  )
  const wasThere = readers.includes(own.id)
  let latest = before.after
  const from = offsetBehind(piece, before)
  let offset = from
  if (piece.topic !== undefined) throw gone(piece)
  try {
    for await (const fetched of log.read(inflow, { partition, from, to, joined: true, ...(signal ? { signal } : {}) })) {
      // A version that was not there then takes what it can read, however large: its rows do not go through outflow.
      const mine = await own.read(fetched, wasThere ? most : Infinity)
      const theirs = await Promise.all(deciding.map((reader) => reader.read(fetched, most)))
      const { taken, lastSeq, behind } = intakeOf([mine], latest, wasThere ? [mine, ...theirs] : theirs)
      const { columns, seq, others } = taken[0]!
      latest = lastSeq
      offset = fetched.next
      yield { records: columns, seq, others, unread: others.length, lastSeq, behind }
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const first = await firstHeld(log, inflow, partition)
    throw first > offset ? deleted(piece, first) : error
  }
}

function checkHeld(piece: InflowPiece, before: Before, first: number): void {
  if (piece.topic !== undefined) throw gone(piece)
  if (offsetBehind(piece, before) < first) throw deleted(piece, first)
}

/** No later record can lie before it: there is a message for each that was taken before, and at most one record a number behind. */
const offsetBehind = ({ from, rows, lastSeq }: InflowPiece, { after, rows: before }: Before) =>
  from + Math.max(before, rows - Math.max(0, lastSeq - after), 0)

const firstHeld = async (log: Log, inflow: string, partition: number) =>
  (await log.topics()).find(({ topic }) => topic === inflow)?.partitions[partition]?.first ?? 0

function within(stretch: Stretch, after: number, until: number): Stretch {
  const others = stretch.others.filter((one) => one > after && one <= until)
  const records = between(stretch.records, after, until)
  return { ...stretch, records, seq: columnOf(records, '_seq', 'int').values, others, unread: others.length }
}
