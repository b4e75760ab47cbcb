/** Batches of inflow as they are taken: of facts, none ends inside a group of changes. */
import type { Fetched } from '../utilities/log.ts'
import { cut } from '../utilities/values/batch.ts'
import { columnOf, pick } from '../utilities/values/columns.ts'
import { offsetOf } from './dead.ts'
import type { Reading } from './inflow.ts'

export type Taken = { readonly fetched: Fetched; readonly readings: readonly Reading[] }

/** A group has no more, and one whose end never comes, as only somebody else could have written it, is not waited for for ever. */
const mostWaiting = 200_000

/** What comes behind the last end of a group waits for the rest of it; at the end of what is read it is taken as it is. */
export async function* wholeGroups(
  batches: AsyncIterable<Fetched>,
  read: (fetched: Fetched) => Promise<readonly Reading[]>,
  signal: AbortSignal,
): AsyncIterable<Taken> {
  const waiting: Fetched[] = []
  for await (const one of batches) {
    // Each is read by itself first: a group that lies in many is not read again with every one of them.
    const own = await read(one)
    const count = one.batch.ends.length
    const held = waiting.reduce((sum, { batch }) => sum + batch.ends.length, 0)
    const found = lastEnd(own)
    const end = found === 0 && held + count >= mostWaiting ? count : found
    if (end > 0) {
      const part = upTo({ fetched: one, readings: own }, end)
      const fetched = joined([...waiting.splice(0), part.fetched])
      yield fetched === part.fetched ? part : { fetched, readings: await read(fetched) }
    }
    if (end < count) waiting.push(end === 0 ? one : from(one, end))
  }
  if (waiting.length === 0 || signal.aborted) return
  const fetched = joined(waiting)
  yield { fetched, readings: await read(fetched) }
}

/** How many messages there are up to the last that ends a group, whoever can read it. */
function lastEnd(readings: readonly Reading[]): number {
  return Math.max(
    0,
    ...readings.map(({ rows, columns }) => {
      const row = columnOf(columns, 'group_end', 'flag').values.lastIndexOf(1)
      return row < 0 ? 0 : rows[row]! + 1
    }),
  )
}

function upTo({ fetched, readings }: Taken, end: number): Taken {
  if (end === fetched.batch.ends.length) return { fetched, readings }
  const batch = cut(fetched.batch, 0, end)
  return {
    fetched: { ...fetched, batch, next: offsetOf(fetched, end), ...(fetched.offsets && { offsets: fetched.offsets.subarray(0, end) }) },
    readings: readings.map(({ rows, columns, dead, ...reading }) => {
      const kept = rows.findIndex((message) => message >= end)
      const count = kept < 0 ? rows.length : kept
      return {
        batch: cut(reading.batch, 0, end),
        rows: rows.subarray(0, count),
        columns: pick(
          columns,
          Int32Array.from({ length: count }, (_, row) => row),
        ),
        dead: dead.filter(({ index }) => index < end),
      }
    }),
  }
}

const from = (fetched: Fetched, first: number): Fetched => ({
  offset: offsetOf(fetched, first),
  next: fetched.next,
  batch: cut(fetched.batch, first, fetched.batch.ends.length),
  ...(fetched.offsets && { offsets: fetched.offsets.subarray(first) }),
})

function joined(parts: readonly Fetched[]): Fetched {
  const [first] = parts
  if (parts.length === 1) return first!
  const ends = new Uint32Array(parts.reduce((sum, { batch }) => sum + batch.ends.length, 0))
  const offsets = new Float64Array(ends.length)
  let [at, start] = [0, 0]
  for (const part of parts) {
    for (let i = 0; i < part.batch.ends.length; i++, at++) {
      ends[at] = start + part.batch.ends[i]!
      offsets[at] = offsetOf(part, i)
    }
    start += part.batch.bytes.length
  }
  const bytes = Buffer.concat(parts.map(({ batch }) => batch.bytes))
  const keys = parts.every(({ batch }) => batch.keys) && { keys: parts.flatMap(({ batch }) => batch.keys!) }
  return { offset: first!.offset, next: parts.at(-1)!.next, batch: { bytes, ends, ...keys }, offsets }
}
