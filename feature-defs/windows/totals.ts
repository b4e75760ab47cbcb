/**
 * What count, sum, mean and stddev read off exact totals: how many values, their sum and the sum of their squares, as whole numbers at a
 * scale.
 */
import { bigTen, mostScale, nearestDouble, roundDecimal, roundedWhole, roundRatio, tens } from '../decimal.ts'
import type { Whole } from '../values.ts'
import { fitted, type Room } from './rooms.ts'

type TotalsOp = 'count' | 'sum' | 'mean' | 'stddev'

/** What is asked of totals. */
export type Totals = {
  readonly op: TotalsOp
  readonly round?: number | undefined
  /** The inputs are whole numbers of 1 / 10^behind where that is more than 0. */
  readonly behind?: number
  /** Of a result that is a whole number of 1 / 10^round. */
  readonly room?: Room
}

/** How to read totals in doubles at one scale: all that can be worked out beforehand. */
export type Plan = Totals & {
  /** -1 when the result is not rounded. */
  readonly round: number
  /** An input times 10^own, which is `power`, is a whole number. */
  readonly own: number
  readonly power: number
  /** Of the sum of those: it counts 1 / under. */
  readonly under: number
  /** The rounded result is (sum · up) / (divisor · down) in units of 1 / unit. */
  readonly up: number
  readonly down: number
  readonly unit: number
}

/** A double nearest to it: only whoever stays below 2^53 goes on with it. */
const tenTo = (exponent: number): number => tens[exponent] ?? Number(`1e${exponent}`)

/** Plans by scale of the inputs. */
export const plansFor = (totals: Totals): readonly Plan[] =>
  Array.from({ length: mostScale + 1 }, (_, own) => {
    const scale = own + (totals.behind ?? 0)
    const round = totals.round ?? -1
    const shown = round < 0 ? scale : round
    return {
      ...totals,
      round,
      own,
      power: tens[own]!,
      under: tenTo(scale),
      up: tenTo(Math.max(0, shown - scale)),
      down: tenTo(Math.max(0, scale - shown)),
      unit: totals.room ? 1 : tenTo(shown),
    }
  })

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
export function readTotals(plan: Plan, count: number, sum: number, squares: number): Whole {
  if (plan.op === 'count') return count
  if (count === 0) return NaN
  if (plan.op === 'stddev') return readSpread(plan, count, sum, squares)
  const divisor = plan.op === 'mean' ? count : 1
  if (plan.round < 0) {
    const denominator = divisor * plan.under
    return denominator <= exactDouble ? sum / denominator : readWide(plan, count, BigInt(sum), 0n, plan.own)
  }
  const numerator = Math.abs(sum) * plan.up
  const denominator = divisor * plan.down
  if (numerator > safeNumerator || denominator > safeDenominator) return readWide(plan, count, BigInt(sum), 0n, plan.own)
  const whole = halfUp(numerator, denominator)
  return (sum < 0 ? 0 - whole : whole) / plan.unit
}

function readSpread(plan: Plan, count: number, sum: number, squares: number): Whole {
  if (count < 2) return NaN
  const denominator = count * (count - 1) * plan.under * plan.under
  if (count * squares > exactDouble || denominator > exactDouble) return readWide(plan, count, BigInt(sum), BigInt(squares), plan.own)
  const deviation = Math.sqrt((count * squares - sum * sum) / denominator)
  return plan.round < 0 ? deviation : roundDecimal(deviation, plan.round)
}

/**
 * The same result from totals of any size, at a scale of the inputs' own; null when it lies beyond the doubles, which only these can reach,
 * and infinite when there is no room for it.
 */
export function readWide(plan: Plan, count: number, sum: bigint, squares: bigint, scale: number): Whole {
  const { op, round, room, behind = 0 } = plan
  if (op === 'count') return count
  if (count === 0 || (op === 'stddev' && count < 2)) return NaN
  if (op === 'stddev') return finite(spreadOf(plan, count, sum, squares, scale + behind))
  const denominator = (op === 'mean' ? BigInt(count) : 1n) * bigTen(scale + behind)
  if (room) return fitted(roundedWhole(sum, denominator, round), room)
  return finite(round < 0 ? nearestDouble(sum, denominator) : roundRatio(sum, denominator, round))
}

const finite = (result: number) => (Number.isFinite(result) ? result : NaN)

function spreadOf({ round }: Plan, count: number, sum: bigint, squares: bigint, scale: number): number {
  const many = BigInt(count)
  const deviation = rootOf(many * squares - sum * sum, many * (many - 1n) * bigTen(2 * scale))
  return round < 0 ? deviation : roundDecimal(deviation, round)
}

/** A square beyond the doubles can have a root among them: it is made smaller by an even power of two, which costs no bit. */
const shrinkBits = 1100

function rootOf(numerator: bigint, denominator: bigint): number {
  const square = nearestDouble(numerator, denominator)
  return square === Infinity
    ? Math.sqrt(nearestDouble(numerator, denominator << BigInt(shrinkBits))) * 2 ** (shrinkBits / 2)
    : Math.sqrt(square)
}
