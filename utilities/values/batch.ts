/** Parts of a batch: the same bytes, seen from one message to another. */
import type { Batch } from '../log.ts'

/** The messages first..last (last excluded), without copying their bytes. */
export function cut(batch: Batch, first: number, last: number): Batch {
  const { bytes, ends, keys } = batch
  if (first === 0 && last === ends.length) return batch
  const start = first === 0 ? 0 : ends[first - 1]!
  const stop = last === 0 ? 0 : ends[last - 1]!
  const part = ends.subarray(first, last)
  return {
    bytes: bytes.subarray(start, stop),
    ends: start === 0 ? part : part.map((end) => end - start),
    ...(keys && { keys: keys.slice(first, last) }),
  }
}
