/** One value of a window, over all of its kinds. */
import { bucketsPick } from './buckets-pick.ts'
import { overTime } from './over-time.ts'
import { rowsPick, type Pick } from './rows-pick.ts'
import type { Rounded } from './totals-over.ts'

export const pickOver = (pick: Pick) => ({
  last: (records: number, { round }: Rounded) => rowsPick(pick, records, round),
  ...overTime((reach, { round }: Rounded) => bucketsPick(pick, reach, round)),
})
