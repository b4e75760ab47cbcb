/** Messages of inflow that cannot be read: where each stood, and why. */
import type { Batch, Fetched } from '../utilities/log.ts'

/** A message that is not a record: where it stood in the batch and in inflow, and why. */
export type Dead = {
  readonly index: number
  readonly offset: number
  readonly reason: string
  readonly bytes: Uint8Array
  /** It looks like a record, and no producer has recorded it. */
  readonly unrecorded?: true
}

export const deadAt = (fetched: Fetched, index: number, reason: string): Dead => ({
  index,
  offset: offsetOf(fetched, index),
  reason,
  bytes: message(fetched.batch, index),
})

export const offsetOf = ({ offset, offsets }: Fetched, index: number) => offsets?.[index] ?? offset + index

export const message = ({ bytes, ends }: Batch, index: number): Uint8Array =>
  bytes.subarray(index === 0 ? 0 : ends[index - 1]!, ends[index]!)
