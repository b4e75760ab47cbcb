/**
 * How much faster each fast path is than its plain twin, and whether that is still enough. Ratios of one process hold on any machine;
 * seconds do not.
 */
import { median } from './report.ts'

type Work = () => unknown

export type Pair = {
  readonly name: string
  /** What both do, once a round. */
  readonly fast: Work
  readonly twin: Work
  /** Throws unless both come to the same, or the ratio would compare two different things. */
  readonly agree: () => unknown
  /** Below this ratio the fast path has fallen behind. Well under what is usual, as docs/benchmarks.md says. */
  readonly atLeast: number
}

export type Ratio = { readonly name: string; readonly atLeast: number; readonly ratios: readonly number[] }

/** What something cost that was done so many times. */
export type Meter = (work: Work, times: number) => Promise<number>

/** Processor time in µs: what other programs take meanwhile does not count. */
export const processorTime: Meter = async (work, times) => {
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Short enough for many rounds, long enough for one collection of garbage not to show. */
const leastMicros = 20_000

/** The fast path and its twin take turns, each first as often as second, so that a slow phase of the machine hits both. */
export async function ratiosOf(
  { name, fast, twin, atLeast }: Pair,
  { rounds, meter }: { readonly rounds: number; readonly meter: Meter },
): Promise<Ratio> {
  const [ofFast, ofTwin] = [await warmedUp(fast, meter), await warmedUp(twin, meter)]
  const ratios: number[] = []
  for (let turn = 0; turn < rounds; turn++) {
    const early = turn % 2 === 0 ? 0 : await meter(twin, ofTwin)
    const one = await meter(fast, ofFast)
    const other = turn % 2 === 0 ? await meter(twin, ofTwin) : early
    ratios.push(other / ofTwin / (one / ofFast))
  }
  return { name, atLeast, ratios }
}

/** Brings the work up to speed and says how many times make a round. */
async function warmedUp(work: Work, meter: Meter): Promise<number> {
  for (let spent = 0; spent < 5 * leastMicros;) spent += Math.max(1, await meter(work, 1))
  const one = (await meter(work, 3)) / 3
  return Math.max(1, Math.ceil(leastMicros / Math.max(1, one)))
}

export const fellBehind = (all: readonly Ratio[]): readonly Ratio[] => all.filter(({ ratios, atLeast }) => !(median(ratios) >= atLeast))

/** The same pair with the twin in the place of the fast path: what must be noticed. */
export const spoiled = (pair: Pair): Pair => ({ ...pair, fast: pair.twin })
