/** Rows a second, over the time in which rows came: whoever waits for more is not slow. */

export interface Rate {
  /** So many more rows are done, at this time; returns how many a second. */
  add(rows: number, nowMs: number): number
  /** In which rows came. */
  seconds(): number
}

/** A longer wait for the next rows counts as so long: without an end, all of it is work. */
export function openRate(startedMs: number, { mostWaitMs = Infinity }: { readonly mostWaitMs?: number } = {}): Rate {
  let [latestMs, workedMs, done] = [startedMs, 0, 0]
  return {
    add(rows, nowMs) {
      workedMs += Math.min(nowMs - latestMs, mostWaitMs)
      latestMs = nowMs
      done += rows
      return workedMs > 0 ? (done * 1000) / workedMs : 0
    },
    seconds: () => workedMs / 1000,
  }
}
