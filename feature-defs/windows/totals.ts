/**
 * What count, sum, mean and stddev read off exact totals: how many values, their sum and the sum of their squares, as whole numbers at a
 * scale.
 */
import { bigTen, mostScale, nearestDouble, roundDecimal, roundRatio, tens } from '../decimal.ts'

export type TotalsOp = 'count' | 'sum' | 'mean' | 'stddev'

/** How to read totals in doubles at one scale: all that can be worked out beforehand. */
export type Plan = {
  readonly op: TotalsOp
  /** -1 when the result is not rounded. */
  readonly round: number
  readonly scale: number
  readonly power: number
  /** The rounded result is (sum · up) / (divisor · down) in units of 1 / unit. */
  readonly up: number
  readonly down: number
  readonly unit: number
}

/** Plans by scale. */
export const plansFor = (op: TotalsOp, round: number | undefined): readonly Plan[] =>
  Array.from({ length: mostScale + 1 }, (_, scale) => ({
    op,
    round: round ?? -1,
    scale,
    power: tens[scale]!,
    up: tens[Math.max(0, (round ?? scale) - scale)]!,
    down: tens[Math.max(0, scale - (round ?? scale))]!,
    unit: tens[round ?? scale]!,
  }))

/**
 * Up to these, twice the numerator and thrice the denominator stay below 2^53, where the floor of a quotient of doubles is the floor of the
 * quotient.
 */
export const safeNumerator = 2 ** 51
export const safeDenominator = 2 ** 50
/** The quotient as the nearest whole number, a half up; neither is negative. */
export const halfUp = (numerator: number, denominator: number): number => Math.floor((2 * numerator + denominator) / (2 * denominator))

const exactDouble = 2 ** 53

/** The result from totals that are whole numbers below 2^53. */
export function readTotals(plan: Plan, count: number, sum: number, squares: number): number {
  if (plan.op === 'count') return count
  if (count === 0) return NaN
  if (plan.op === 'stddev') return readSpread(plan, count, sum, squares)
  const divisor = plan.op === 'mean' ? count : 1
  if (plan.round < 0) {
    const denominator = divisor * plan.power
    return denominator <= exactDouble ? sum / denominator : readWide(plan, count, BigInt(sum), 0n, plan.scale)
  }
  const numerator = Math.abs(sum) * plan.up
  const denominator = divisor * plan.down
  if (numerator > safeNumerator || denominator > safeDenominator) return readWide(plan, count, BigInt(sum), 0n, plan.scale)
  const whole = halfUp(numerator, denominator)
  return (sum < 0 ? 0 - whole : whole) / plan.unit
}

function readSpread(plan: Plan, count: number, sum: number, squares: number): number {
  if (count < 2) return NaN
  const denominator = count * (count - 1) * plan.power * plan.power
  if (count * squares > exactDouble || denominator > exactDouble) return readWide(plan, count, BigInt(sum), BigInt(squares), plan.scale)
  const deviation = Math.sqrt((count * squares - sum * sum) / denominator)
  return plan.round < 0 ? deviation : roundDecimal(deviation, plan.round)
}

/** The same result from totals of any size and scale; null when it lies beyond the doubles, which only these can reach. */
export function readWide(plan: Plan, count: number, sum: bigint, squares: bigint, scale: number): number {
  const result = wideResult(plan, count, sum, squares, scale)
  return Number.isFinite(result) ? result : NaN
}

function wideResult({ op, round }: Plan, count: number, sum: bigint, squares: bigint, scale: number): number {
  if (op === 'count') return count
  if (count === 0 || (op === 'stddev' && count < 2)) return NaN
  if (op === 'stddev') {
    const many = BigInt(count)
    const deviation = rootOf(many * squares - sum * sum, many * (many - 1n) * bigTen(2 * scale))
    return round < 0 ? deviation : roundDecimal(deviation, round)
  }
  const denominator = (op === 'mean' ? BigInt(count) : 1n) * bigTen(scale)
  return round < 0 ? nearestDouble(sum, denominator) : roundRatio(sum, denominator, round)
}

/** A square beyond the doubles can have a root among them: it is made smaller by an even power of two, which costs no bit. */
const shrinkBits = 1100

function rootOf(numerator: bigint, denominator: bigint): number {
  const square = nearestDouble(numerator, denominator)
  return square === Infinity
    ? Math.sqrt(nearestDouble(numerator, denominator << BigInt(shrinkBits))) * 2 ** (shrinkBits / 2)
    : Math.sqrt(square)
}
