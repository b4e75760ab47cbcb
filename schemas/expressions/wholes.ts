/**
 * Arithmetic on whole numbers, which integers and decimals are: a pass in doubles that is exact below 2^53, and each row for which it is
 * not again in bigints.
 */
import { putWhole, wholeAt, type Wholes } from '../../utilities/values/columns.ts'
import { bothBad, type Bad, type Values, type WholesColumn } from './values.ts'

type Limit = 'integer' | 'decimal'
type Exact = (a: bigint, b: bigint) => bigint | string

const most = Number.MAX_SAFE_INTEGER
const divisionByZero = 'division by zero'

export const add = (a: Values<WholesColumn>, b: Values<WholesColumn>): Values<WholesColumn> => {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Float64Array(x.length)
  const unsure: number[] = []
  for (let row = 0; row < x.length; row++) {
    const sum = x[row]! + y[row]!
    values[row] = sum
    if (sum > most || sum < -most) unsure.push(row)
  }
  return settled(a, b, values, unsure, (p, q) => p + q)
}

export const subtract = (a: Values<WholesColumn>, b: Values<WholesColumn>): Values<WholesColumn> => {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Float64Array(x.length)
  const unsure: number[] = []
  for (let row = 0; row < x.length; row++) {
    const difference = x[row]! - y[row]!
    values[row] = difference
    if (difference > most || difference < -most) unsure.push(row)
  }
  return settled(a, b, values, unsure, (p, q) => p - q)
}

export const multiply = (a: Values<WholesColumn>, b: Values<WholesColumn>): Values<WholesColumn> => {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Float64Array(x.length)
  const unsure: number[] = []
  for (let row = 0; row < x.length; row++) {
    // Adding 0 makes the zero of a negative factor a plain one.
    const product = x[row]! * y[row]! + 0
    values[row] = product
    if (product > most || product < -most) unsure.push(row)
  }
  return settled(a, b, values, unsure, (p, q) => p * q, scale(a.column) + scale(b.column))
}

/** The quotient, half away from zero; the operands are scaled so that it has this scale. */
export const divide = (a: Values<WholesColumn>, b: Values<WholesColumn>, wanted: number): Values<WholesColumn> => {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Float64Array(x.length)
  const unsure: number[] = []
  for (let row = 0; row < x.length; row++) {
    const [above, below] = [x[row]!, y[row]!]
    const rest = above % below
    const quotient = (above - rest) / below
    const up = 2 * Math.abs(rest) >= Math.abs(below) ? (above < 0 === below < 0 ? 1 : -1) : 0
    values[row] = quotient + up + 0
    if (below === 0 || above > most || above < -most || below > most || below < -most) unsure.push(row)
  }
  return settled(a, b, values, unsure, quotientOf, wanted)
}

function quotientOf(above: bigint, below: bigint): bigint | string {
  if (below === 0n) return divisionByZero
  const rest = above % below
  const doubled = 2n * (rest < 0n ? -rest : rest)
  const up = doubled >= (below < 0n ? -below : below) ? (above < 0n === below < 0n ? 1n : -1n) : 0n
  return above / below + up
}

/** Each value so many times over, or so many a one: 10^more. */
export function rescaled(a: Values<WholesColumn>, wanted: number): Values<WholesColumn> {
  const more = wanted - scale(a.column)
  if (more === 0) return decimal(a)
  const by = constant(10n ** BigInt(Math.abs(more)), a.column.values.length)
  const made = more > 0 ? multiply(decimal(a), by) : divide(decimal(a), by, wanted)
  return { column: { ...made.column, kind: 'decimal', scale: wanted }, bad: made.bad }
}

export const negated = (a: Values<WholesColumn>): Values<WholesColumn> => multiply(a, constant(-1n, a.column.values.length))

export function absolute(a: Values<WholesColumn>): Values<WholesColumn> {
  const values = a.column.values.map(Math.abs)
  return settled(a, a, values, [], (p) => (p < 0n ? -p : p))
}

const scale = (column: WholesColumn) => (column.kind === 'decimal' ? column.scale : 0)
const decimal = ({ column, bad }: Values<WholesColumn>): Values<WholesColumn> => ({
  column: { ...column, kind: 'decimal', scale: scale(column) },
  bad,
})

/** The same at every row. */
export function constant(value: bigint, count: number): Values<WholesColumn> {
  const wide = new Map<number, bigint>()
  const one = Number(value)
  if (!Number.isSafeInteger(one)) for (let row = 0; row < count; row++) wide.set(row, value)
  return { column: { kind: 'integer', values: new Float64Array(count).fill(one), ...(wide.size > 0 ? { wide } : {}) } }
}

/** `values` with the rows that doubles are not sure of made exact, as are those of which an operand is beyond them. */
function settled(
  a: Values<WholesColumn>,
  b: Values<WholesColumn>,
  values: Float64Array,
  unsure: readonly number[],
  exact: Exact,
  wanted = Math.max(scale(a.column), scale(b.column)),
): Values<WholesColumn> {
  const limit: Limit = a.column.kind === 'decimal' || b.column.kind === 'decimal' ? 'decimal' : 'integer'
  const { bad, ...wholes } = corrected(a.column, b.column, values, unsure, exact, limit)
  const column: WholesColumn = limit === 'decimal' ? { kind: 'decimal', scale: wanted, ...wholes } : { kind: 'integer', ...wholes }
  return { column, bad: bothBad(bothBad(a.bad, b.bad), bad) }
}

function corrected(
  a: Wholes,
  b: Wholes,
  values: Float64Array,
  unsure: readonly number[],
  exact: Exact,
  limit: Limit,
): Wholes & { readonly bad?: Bad } {
  if (unsure.length === 0 && !a.wide?.size && !b.wide?.size) return { values }
  const wide = new Map<number, bigint>()
  const bad = new Map<number, string>()
  for (const row of new Set([...unsure, ...(a.wide?.keys() ?? []), ...(b.wide?.keys() ?? [])])) {
    const [p, q] = [wholeAt(a, row), wholeAt(b, row)]
    if (p === null || q === null) continue
    const value = exact(p, q)
    const reason = typeof value === 'string' ? value : beyond(value, limit)
    if (typeof value === 'bigint' && reason === undefined) putWhole(values, wide, row, value)
    else {
      values[row] = NaN
      bad.set(row, reason!)
    }
  }
  return { values, ...(wide.size > 0 ? { wide } : {}), ...(bad.size > 0 ? { bad } : {}) }
}

/** Decimals on the way to a result have room for what any of its digits can come from; doubles end behind it. */
const mostDecimal = 10n ** 300n

function beyond(value: bigint, limit: Limit): string | undefined {
  if (limit === 'integer') return BigInt.asIntN(64, value) === value ? undefined : 'beyond 64 bits'
  return value < mostDecimal && value > -mostDecimal ? undefined : 'beyond 300 digits'
}
