/**
 * Messages of others out of an answer to Fetch: keys, values and headers as they were sent, and when. Hot: nothing is made for a message
 * by itself, and nothing is copied where batches are not compressed. Its plain twin is kafkajs's own decoder;
 * test/kafka/foreign-wire.test.ts holds their results equal.
 */
import type { Messages } from '../../feed.ts'
import { timesOf, walk, type Visible } from './batches.ts'
import { partitionIn, type FetchFrom } from './fetch.ts'

export type MessagesAnswer = { readonly errorCode: number; readonly messages: Messages }

export async function messagesIn(payload: Buffer, { from }: FetchFrom): Promise<MessagesAnswer> {
  const { errorCode, lastStable, aborted, data } = partitionIn(payload)
  const { batches, next, total, unpacked } = await walk(data, from, aborted)
  const visible = batches.filter((batch) => 'records' in batch)
  return { errorCode, messages: { ...unpack(visible, { data, total, from, isPlain: unpacked === 0 }), next, end: lastStable } }
}

type Unpacking = { readonly data: Buffer; readonly total: number; readonly from: number; readonly isPlain: boolean }

function unpack(batches: readonly Visible[], { data, total, from, isPlain }: Unpacking): Omit<Messages, 'next' | 'end'> {
  const { bytes, firsts } = isPlain
    ? { bytes: data, firsts: batches.map(({ records }) => records.byteOffset - data.byteOffset) }
    : together(batches.map(({ records }) => records))
  const [offsets, times] = [new Float64Array(total), new Float64Array(total)]
  const [keyStarts, keyEnds] = [new Int32Array(total), new Int32Array(total)]
  const [starts, ends] = [new Int32Array(total), new Int32Array(total)]
  let headersAt: Int32Array | undefined
  let n = 0
  for (let batch = 0; batch < batches.length; batch++) {
    const { base, count } = batches[batch]!
    const { base: baseTime, same } = timesOf(data, batches[batch]!)
    for (let i = 0, at = firsts[batch]!; i < count; i++) {
      let b = bytes[at++]!
      let size = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = bytes[at++]!
        size |= (b & 0x7f) << shift
      }
      const end = at + ((size >>> 1) ^ -(size & 1))
      at++ // attributes
      b = bytes[at++]!
      // Up to 64 bits, and below 0 where a message is older than its batch.
      let later = b & 0x7f
      for (let scale = 128; b & 0x80; scale *= 128) {
        b = bytes[at++]!
        later += (b & 0x7f) * scale
      }
      b = bytes[at++]!
      let delta = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = bytes[at++]!
        delta |= (b & 0x7f) << shift
      }
      const offset = base + (delta >>> 1)
      if (offset < from) {
        at = end
        continue
      }
      b = bytes[at++]!
      let keySize = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = bytes[at++]!
        keySize |= (b & 0x7f) << shift
      }
      keySize = (keySize >>> 1) ^ -(keySize & 1)
      keyStarts[n] = keySize < 0 ? -1 : at
      if (keySize > 0) at += keySize
      keyEnds[n] = keySize < 0 ? -1 : at
      b = bytes[at++]!
      let valueSize = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = bytes[at++]!
        valueSize |= (b & 0x7f) << shift
      }
      valueSize = (valueSize >>> 1) ^ -(valueSize & 1)
      starts[n] = valueSize < 0 ? -1 : at
      if (valueSize > 0) at += valueSize
      ends[n] = valueSize < 0 ? -1 : at
      if (bytes[at] !== 0) (headersAt ??= new Int32Array(total))[n] = at
      times[n] = same ? baseTime : baseTime + (later & 1 ? -(later + 1) / 2 : later / 2)
      offsets[n++] = offset
      at = end
    }
  }
  return {
    count: n,
    offsets: offsets.subarray(0, n),
    times: times.subarray(0, n),
    keys: { bytes, starts: keyStarts.subarray(0, n), ends: keyEnds.subarray(0, n) },
    values: { bytes, starts: starts.subarray(0, n), ends: ends.subarray(0, n) },
    header: (message, name) => (headersAt?.[message] ? headerAt(bytes, headersAt[message], Buffer.from(name)) : undefined),
  }
}

/** Records of several batches in one place, and where each begins. */
function together(records: readonly Buffer[]): { readonly bytes: Buffer; readonly firsts: readonly number[] } {
  let filled = 0
  const firsts = records.map(({ length }) => (filled += length) - length)
  return { bytes: records.length === 1 ? records[0]! : Buffer.concat(records), firsts }
}

/** Of several of one name the last counts, as in Kafka's own clients. */
function headerAt(bytes: Buffer, start: number, name: Buffer): Uint8Array | undefined {
  let at = start
  const size = () => {
    let b = bytes[at++]!
    let zigzag = b & 0x7f
    for (let shift = 7; b & 0x80; shift += 7) {
      b = bytes[at++]!
      zigzag |= (b & 0x7f) << shift
    }
    return (zigzag >>> 1) ^ -(zigzag & 1)
  }
  let found: Uint8Array | undefined
  for (let left = size(); left > 0; left--) {
    const nameSize = size()
    const nameEnd = at + nameSize
    const isIt = bytes.subarray(at, nameEnd).equals(name)
    at = nameEnd
    const valueSize = size()
    if (isIt) found = valueSize < 0 ? undefined : bytes.subarray(at, at + valueSize)
    at += Math.max(valueSize, 0)
  }
  return found
}
