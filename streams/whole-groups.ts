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
  let waiting: Fetched | undefined
  for await (const one of batches) {
    const fetched: Fetched = waiting ? joined(waiting, one) : one
    const readings = await read(fetched)
    const count = fetched.batch.ends.length
    const found = lastEnd(readings)
    const end = found === 0 && count >= mostWaiting ? count : found
    waiting = end === count ? undefined : from(fetched, end)
    if (end > 0) yield end === count ? { fetched, readings } : upTo({ fetched, readings }, end)
  }
  if (waiting && !signal.aborted) yield { fetched: waiting, readings: await read(waiting) }
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

function joined(one: Fetched, other: Fetched): Fetched {
  const [before, behind] = [one.batch, other.batch]
  const bytes = Buffer.concat([before.bytes, behind.bytes])
  const ends = new Uint32Array(before.ends.length + behind.ends.length)
  ends.set(before.ends)
  for (let i = 0; i < behind.ends.length; i++) ends[before.ends.length + i] = before.bytes.length + behind.ends[i]!
  const offsets = Float64Array.from(ends, (_, i) => (i < before.ends.length ? offsetOf(one, i) : offsetOf(other, i - before.ends.length)))
  const keys = before.keys && behind.keys && [...before.keys, ...behind.keys]
  return { offset: one.offset, next: other.next, batch: { bytes, ends, ...(keys && { keys }) }, offsets }
}
