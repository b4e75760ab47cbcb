/** Record batches as they lie in the log, walked through once: which of their records may be seen, and what became of transactions. */
import { Problem } from '../../values/problem.ts'
import { decompress } from './compression.ts'
import { crc32c } from './crc.ts'

/** A transaction that was aborted: the messages of that producer from there on, up to its marker, are not to be seen. */
export type Aborted = { readonly producer: number; readonly from: number }

/** A record batch whose records are to be unpacked. */
export type Visible = {
  readonly producer: number
  /** The offset that those of its records are counted from. */
  readonly base: number
  readonly count: number
  readonly records: Buffer
  /** Where the batch, its header first, begins in the data. */
  readonly at: number
}

/** The end of a transaction of that producer. */
export type Marker = { readonly producer: number; readonly marker: 'commit' | 'abort' }

export type Walked = {
  readonly batches: readonly (Visible | Marker)[]
  /** Behind everything that was looked at, whether it gave messages or not. */
  readonly next: number
  /** How many records the visible batches have. */
  readonly total: number
  /** How many bytes were unpacked, 0 where no batch was compressed. */
  readonly unpacked: number
}

const headerSize = 61

export async function walk(data: Buffer, from: number, aborted: readonly Aborted[]): Promise<Walked> {
  const batches: (Visible | Marker)[] = []
  const waiting = [...aborted].sort((a, b) => a.from - b.from)
  const dropped = new Set<number>()
  let next = from
  let total = 0
  let unpacked = 0
  // The answer may end in the middle of a batch: that one comes again, whole, with the next.
  for (let at = 0, end = 0; at + headerSize <= data.length; at = end) {
    end = at + 12 + data.readInt32BE(at + 8)
    if (data[at + 16] !== 2) throw oldFormat()
    if (end > data.length) break
    if (end < at + headerSize) throw damaged(from)
    if (crc32c(data.subarray(at + 21, end)) !== data.readUInt32BE(at + 17)) throw damaged(long(data, at))
    const base = long(data, at)
    const producer = long(data, at + 43)
    const attributes = data.readInt16BE(at + 21)
    const last = base + data.readInt32BE(at + 23)
    while (waiting.length > 0 && waiting[0]!.from <= last) dropped.add(waiting.shift()!.producer)
    if (attributes & 0x20) {
      // A control batch: one record without anything but a key, whose second number says what became of the transaction.
      const marker = data[at + headerSize + 8] === 1 ? 'commit' : 'abort'
      if (marker === 'abort') dropped.delete(producer)
      batches.push({ producer, marker })
    } else if (last >= from && !(attributes & 0x10 && dropped.has(producer))) {
      const packed = data.subarray(at + headerSize, end)
      const codec = attributes & 7
      const records = codec === 0 ? packed : await decompress(packed, codec)
      const count = data.readInt32BE(at + 57)
      batches.push({ producer, base, count, records, at })
      total += count
      if (codec !== 0) unpacked += records.length
    }
    next = Math.max(next, last + 1)
  }
  return { batches, next, total, unpacked }
}

/** When its messages were written: one time for all, where the broker put it, or one that each of them counts from. */
export function timesOf(data: Buffer, { at }: Visible): { readonly base: number; readonly same: boolean } {
  const same = (data.readInt16BE(at + 21) & 8) !== 0
  return { base: long(data, same ? at + 35 : at + 27), same }
}

export const long = (buffer: Buffer, at: number): number => buffer.readInt32BE(at) * 0x100000000 + buffer.readUInt32BE(at + 4)

const oldFormat = () => new Problem('the messages are in a format from before Kafka 0.11', 'Copy the topic with a current producer.')
const damaged = (offset: number) =>
  new Problem(`the messages from offset ${offset} on arrived damaged`, 'Run it again; if it stays, look at the disks of the brokers.')
