/** The value that a share of a window's values does not exceed: the nearest rank, exactly. */
import { bigTen, decimalOf, roundDecimal, roundedWhole } from '../decimal.ts'
import { defineOperator, type Options } from '../define-operator.ts'
import { fractionOf, inOrder } from '../fractions.ts'
import { aNumber, anInteger, aRoundedDecimal } from '../gives.ts'
import { p, round } from '../options.ts'
import { values } from '../takes.ts'
import type { Value } from '../values.ts'
import { bagOver } from '../windows/bag-over.ts'
import { ranked } from '../windows/bag.ts'
import { decimalRoom, fitted } from '../windows/rooms.ts'

/** The value of rank p · n, up to the next whole one; the least for a p of 0. */
export const quantile = defineOperator({
  op: 'quantile',
  gives: { number: aNumber, integer: anInteger, decimal: aRoundedDecimal },
  reads: values,
  params: { p, round },
  windows: bagOver(({ p, round }: { readonly p: number; readonly round?: number }, field) => {
    const rankOf = rankAt(p)
    const read = (value: Value): Value => {
      if (round === undefined || value !== value) return value
      if (field.kind !== 'decimal') return roundDecimal(value as number, round)
      return fitted(roundedWhole(BigInt(value), bigTen(field.scale), round), decimalRoom)
    }
    return (bag) => read(bag.size === 0 ? NaN : ranked(bag, rankOf(bag.size)))
  }),
  exact(values, { p }) {
    const { over, under } = fractionOf(p)
    const rank = (over * BigInt(values.length) + under - 1n) / under
    return inOrder<(typeof values)[number]>(values)[Math.max(1, Number(rank)) - 1] ?? null
  },
})

/** Of a p as it is written: in doubles 0.07 · 100 would be more than 7. */
function rankAt(p: number): (size: number) => number {
  const { digits, scale } = decimalOf(p)
  const unit = bigTen(scale)
  return (size) => {
    const scaled = Number(digits) * size
    const rank = scaled + Number(unit) <= 2 ** 52 ? Math.ceil(scaled / Number(unit)) : Number((digits * BigInt(size) + unit - 1n) / unit)
    return Math.max(1, rank)
  }
}

type Median<When> = Options<keyof typeof quantile.windows, { readonly round: typeof round }> & { readonly when?: When }

/** The value in the middle, the lower one of two: a quantile. */
export const median = <const Of extends string, const When extends string = never>(of: Of, options: Median<When>) =>
  quantile<Of, When>(of, { ...options, p: 0.5 })
