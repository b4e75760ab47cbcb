/** Values of one kind as those of a wider one: nothing is lost, but for the digits that a double has no room for. */
import { nullColumn, type Columns, type DateColumn, type IntegerColumn, type NumberColumn } from '../../utilities/values/columns.ts'
import { asTimestamps } from './days.ts'
import type { Kind } from './kind.ts'
import type { Values, WholesColumn } from './values.ts'
import { rescaled } from './wholes.ts'

/** What has been typed, and can be evaluated over batches that have its columns. */
export type Expression = { readonly kind: Kind; readonly evaluate: (batch: Columns) => Values }

export const widened = ({ kind, evaluate }: Expression, to: Kind): Expression => ({
  kind: to,
  evaluate: (batch) => widen(evaluate(batch), kind, to, batch.count),
})

export function widen(values: Values, from: Kind, to: Kind, count: number): Values {
  if (from.kind === 'null') return { column: nullColumn({ ...to, kind: to.kind === 'null' ? 'text' : to.kind }, count) }
  if (to.kind === 'decimal') return rescaled(values as Values<WholesColumn>, to.scale)
  if (from.kind === to.kind) return values
  if (to.kind === 'integer') return asIntegers(values as Values<WholesColumn>)
  return to.kind === 'number' ? asNumbers(values as Values<WholesColumn>) : asTimestamps(values as Values<DateColumn>)
}

/** Of decimals without digits behind the point. */
const asIntegers = ({ column: { values, wide }, bad }: Values<WholesColumn>): Values<IntegerColumn> => ({
  column: { kind: 'integer', values, ...(wide && { wide }) },
  bad,
})

/** 10^22 is the last that a double holds. */
const mostExact = 22

/** The double nearest to each. */
function asNumbers({ column, bad }: Values<WholesColumn>): Values<NumberColumn> {
  const scale = column.kind === 'decimal' ? column.scale : 0
  // The quotient of two doubles that are exact is the one nearest to the true one.
  const unit = Number(`1e${scale}`)
  const values = scale === 0 ? column.values : column.values.map((value) => value / unit)
  if (scale > mostExact) for (const [row, value] of column.values.entries()) if (value === value) values[row] = Number(`${value}e-${scale}`)
  if (scale > 0) for (const [row, value] of column.wide ?? []) values[row] = Number(`${value}e-${scale}`)
  return { column: { kind: 'number', values }, bad }
}
