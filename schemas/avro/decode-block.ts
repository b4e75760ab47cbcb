/** The block of messages that the decoder reads field by field: where each is to be read on, and why those that are bad are so. */
import { headerBytes, tooLong } from '../wire.ts'

export type Bad = { readonly index: number; readonly reason: string }

export type Block = {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Where to read on in each message, -1 once it is bad; and where it ends. */
  readonly at: Int32Array
  readonly stop: Int32Array
  /** 1 where the field at hand has a value to read. */
  readonly present: Uint8Array
  rows: number
  /** The message that is row 0. */
  first: number
  readonly bad: Bad[]
}

export function fail({ at, first, bad }: Block, row: number, reason: string) {
  at[row] = -1
  bad.push({ index: first + row, reason })
}

export function open(block: Block, ends: Uint32Array) {
  const { bytes, at, stop, rows, first } = block
  let start = first === 0 ? 0 : ends[first - 1]!
  for (let row = 0; row < rows; row++) {
    const end = ends[first + row]!
    at[row] = start + headerBytes
    stop[row] = end
    if (end - start < headerBytes || bytes[start] !== 0x03 || bytes[start + 1] !== 0x00) fail(block, row, 'it is no plain framed message')
    start = end
  }
}

export function close(block: Block) {
  const { at, stop, rows } = block
  for (let row = 0; row < rows; row++) {
    if (at[row]! >= 0 && at[row] !== stop[row]) fail(block, row, `${stop[row]! - at[row]!} bytes follow its last field`)
  }
}

/** Messages without the nested record wait until its fields have been read: to those they are as if they were bad. */
export function enter({ at, present, rows }: Block, waiting: Int32Array) {
  for (let row = 0; row < rows; row++) {
    waiting[row] = present[row] === 1 ? -1 : at[row]!
    if (present[row] === 0) at[row] = -1
  }
}

export function leave({ at, rows }: Block, waiting: Int32Array) {
  for (let row = 0; row < rows; row++) if (waiting[row]! >= 0) at[row] = waiting[row]!
}

export const fault = (name: string, next: number) =>
  next >= 0 ? undefined : next === tooLong ? `field ${name} is a number of more than 64 bits` : cutWithin(name)

export const cutWithin = (name: string) => `it ends within field ${name}`
