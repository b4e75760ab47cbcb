/** Tells a hold that somebody is still behind from one that a killed command has left. */
import type { Clock } from '../utilities/values/clock.ts'

/** Waited out by the clock of whoever waits: no other machine's clock can make it longer. */
export const holdMs = 10_000

/** Whether the token has not been renewed for so long: by the clock or, where that is set back, by the time that passes. */
export function leftBehind(clock: Clock): (token: string) => boolean {
  let seen = { token: '', atMs: 0, atNs: 0n }
  return (token) => {
    if (seen.token !== token) seen = { token, atMs: performance.now(), atNs: clock() }
    return performance.now() - seen.atMs >= holdMs || clock() - seen.atNs >= BigInt(holdMs) * 1_000_000n
  }
}
