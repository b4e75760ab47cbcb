/** Chunks of bytes cut into the lines that lie in them; blank ones are left out. */
import type { Pieces } from '../feed.ts'
import { Problem } from '../values/problem.ts'

/** A longer line would have to be kept in memory, and nothing of ours takes a message of that size. */
const mostBytes = 8 * 1024 * 1024

const [newline, carriageReturn, space] = [10, 13, 32]
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Gives the lines that have ended; undefined is the end of all, which ends the last one too. */
export function lineCutter(place: string): (chunk: Buffer | undefined) => Pieces {
  /** What has come of the line that has not ended. */
  let begun: Buffer[] = []
  let begunBytes = 0
  let line = 1
  const refuseLong = (bytes: number, number: number) => {
    if (bytes <= mostBytes) return
    throw new Problem(`line ${number} of ${place} is longer than ${mostBytes / 1024 / 1024} MiB`, 'Put each message on a line of its own.')
  }
  return (chunk) => {
    const upTo = chunk === undefined ? 0 : chunk.lastIndexOf(newline) + 1
    const whole = chunk === undefined || upTo > 0 ? joined(begun, chunk?.subarray(0, upTo)) : undefined
    if (whole) [begun, begunBytes] = [[], 0]
    if (chunk && upTo < chunk.length) {
      begun.push(chunk.subarray(upTo))
      begunBytes += chunk.length - upTo
    }
    const [starts, ends]: [number[], number[]] = [[], []]
    const bytes = whole ?? Buffer.alloc(0)
    for (let at = 0; at < bytes.length; line++) {
      const found = bytes.indexOf(newline, at)
      const stop = found < 0 ? bytes.length : found
      refuseLong(stop - at, line)
      const start = line === 1 && bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : at
      let end = stop
      while (end > start && bytes[end - 1] === carriageReturn) end--
      if (!isBlank(bytes, start, end)) {
        starts.push(start)
        ends.push(end)
      }
      at = stop + 1
    }
    refuseLong(begunBytes, line)
    return { bytes, starts: Int32Array.from(starts), ends: Int32Array.from(ends) }
  }
}

const joined = (before: readonly Buffer[], last: Buffer | undefined): Buffer =>
  before.length === 0 ? (last ?? Buffer.alloc(0)) : Buffer.concat(last ? [...before, last] : before)

/** Spaces, tabs and other control characters. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > space) return false
  return true
}
