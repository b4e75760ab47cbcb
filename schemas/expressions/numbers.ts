/**
 * Arithmetic on doubles, by IEEE 754. A result that is not finite is none, and neither is a product too small for any double but zero; zero
 * has no sign.
 */
import type { NumberColumn } from '../../utilities/values/columns.ts'
import { bothBad, type Values } from './values.ts'

type Numbers = Values<NumberColumn>

const tooLarge = 'too large for a number'
const tooSmall = 'too small for a number'

export const addNumbers = (a: Numbers, b: Numbers): Numbers => {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Float64Array(x.length)
  for (let row = 0; row < x.length; row++) values[row] = x[row]! + y[row]!
  return finite(a, b, values)
}

export const subtractNumbers = (a: Numbers, b: Numbers): Numbers => {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Float64Array(x.length)
  for (let row = 0; row < x.length; row++) values[row] = x[row]! - y[row]!
  return finite(a, b, values)
}

export const multiplyNumbers = (a: Numbers, b: Numbers): Numbers => {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Float64Array(x.length)
  const small = new Map<number, string>()
  for (let row = 0; row < x.length; row++) {
    const product = x[row]! * y[row]! + 0
    values[row] = product
    if (product === 0 && x[row] !== 0 && y[row] !== 0) small.set(row, tooSmall)
  }
  for (const row of small.keys()) values[row] = NaN
  const made = finite(a, b, values)
  return { ...made, bad: bothBad(made.bad, small) }
}

export const negatedNumber = ({ column, bad }: Numbers): Numbers => ({
  column: { kind: 'number', values: column.values.map((value) => 0 - value) },
  bad,
})
export const absoluteNumber = ({ column, bad }: Numbers): Numbers => ({
  column: { kind: 'number', values: column.values.map(Math.abs) },
  bad,
})

function finite(a: Numbers, b: Numbers, values: Float64Array): Numbers {
  const bad = new Map<number, string>()
  for (let row = 0; row < values.length; row++) {
    if (values[row] !== Infinity && values[row] !== -Infinity) continue
    values[row] = NaN
    bad.set(row, tooLarge)
  }
  return { column: { kind: 'number', values }, bad: bothBad(bothBad(a.bad, b.bad), bad) }
}
