/**
 * Tells new records from duplicates, alike for all who read a batch of inflow: versions over different records, or a replay of what they
 * took.
 */
import { columnOf, pick, type Columns } from '../utilities/values/columns.ts'
import type { Batch } from '../utilities/log.ts'
import type { Dead } from './dead.ts'
import type { Reading } from './inflow.ts'

/** The new records of a reading. */
export type NewRecords = {
  readonly batch: Batch
  /** The message of each. */
  readonly rows: Int32Array
  readonly seq: Float64Array
  readonly columns: Columns
  /** What is a new record to another reader, and this one could not read; and the numbers of those. */
  readonly unread: readonly Dead[]
  readonly others: readonly number[]
}

export type Intake = {
  /** One for each reading. */
  readonly taken: readonly NewRecords[]
  /** New records, whoever could read them. */
  readonly records: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly duplicates: number
  /** The numbers of those. */
  readonly behind: readonly number[]
  /** What nobody could read. */
  readonly dead: readonly Dead[]
}

/**
 * A record at or before `afterSeq`, or before one already taken, is a duplicate. What one of the deciding readings can read is a record,
 * also for those who cannot: otherwise a message would be new to one and a duplicate to another, and they would not have come to the same
 * place.
 */
export function intakeOf(readings: readonly Reading[], afterSeq: number, deciding: readonly Reading[] = readings): Intake {
  const only = deciding === readings && readings.length === 1 ? readings[0]! : undefined
  return (only && allNew(only, afterSeq)) ?? decided(readings, afterSeq, deciding)
}

/** What nearly every batch is, told without a mark for each message: all that the only reading has are new. undefined when they are not. */
function allNew({ batch, rows, columns, dead }: Reading, afterSeq: number): Intake | undefined {
  const seq = columnOf(columns, '_seq', 'int').values
  let lastSeq = afterSeq
  for (let row = 0; row < seq.length; row++) {
    if (!(seq[row]! > lastSeq)) return undefined
    lastSeq = seq[row]!
  }
  const taken = [{ batch, rows, seq, columns, unread: [], others: [] }]
  return { taken, records: seq.length, firstSeq: seq[0] ?? afterSeq + 1, lastSeq, duplicates: 0, behind: [], dead }
}

function decided(readings: readonly Reading[], afterSeq: number, deciding: readonly Reading[]): Intake {
  const messages = deciding[0]!.batch.ends.length
  const seqs = new Float64Array(messages).fill(NaN)
  for (const { rows, columns } of deciding) {
    const { values } = columnOf(columns, '_seq', 'int')
    for (let row = 0; row < rows.length; row++) seqs[rows[row]!] = values[row]!
  }
  const isNew = new Uint8Array(messages)
  const behind: number[] = []
  let [records, firstSeq, lastSeq] = [0, afterSeq + 1, afterSeq]
  for (let message = 0; message < messages; message++) {
    const seq = seqs[message]!
    if (Number.isNaN(seq)) continue
    if (seq <= lastSeq) {
      behind.push(seq)
      continue
    }
    if (records++ === 0) firstSeq = seq
    isNew[message] = 1
    lastSeq = seq
  }
  const dead = deciding[0]!.dead.filter(({ index }) => Number.isNaN(seqs[index]))
  const taken = readings.map((reading) => takenOf(reading, isNew, seqs))
  return { taken, records, firstSeq, lastSeq, duplicates: behind.length, behind, dead }
}

function takenOf({ batch, rows, columns, dead }: Reading, isNew: Uint8Array, seqs: Float64Array): NewRecords {
  const fresh = new Int32Array(rows.length)
  let count = 0
  for (let row = 0; row < rows.length; row++) if (isNew[rows[row]!] === 1) fresh[count++] = row
  const all = count === rows.length
  const taken = all ? columns : pick(columns, fresh.subarray(0, count))
  const unread = dead.filter(({ index }) => isNew[index] === 1)
  return {
    batch,
    rows: all ? rows : Int32Array.from(fresh.subarray(0, count), (row) => rows[row]!),
    seq: columnOf(taken, '_seq', 'int').values,
    columns: taken,
    unread,
    others: unread.map(({ index }) => seqs[index]!),
  }
}
