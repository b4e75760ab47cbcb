/**
 * Decimals in SQLite, which has none: the double nearest to each, and beside it the text of one that has more digits than any double holds
 * (docs/decisions/0021).
 */
import { putWhole, type DecimalColumn } from '../../values/columns.ts'
import { decimalText, wholeOf } from '../../values/decimal-text.ts'
import type { Cell } from '../../sql/cells.ts'
import { digitsOfDouble } from '../../sql/declared.ts'

/** From here on a double may stand for several decimals. */
const leastLong = 10 ** digitsOfDouble
/** The largest power of ten that a double is, to the last digit. */
const exactPower = 22

export function nearestDoubles({ values, wide, scale }: DecimalColumn): (row: number) => number | null {
  const power = 10 ** scale
  return (row) => {
    const whole = values[row]!
    if (whole !== whole) return null
    // Of two exact numbers the quotient is the nearest double, as the text's is.
    const isExact = scale <= exactPower && Math.abs(whole) < leastLong
    return isExact ? whole / power : Number(decimalText(wide?.get(row) ?? whole, scale))
  }
}

export function longTexts({ values, wide, scale }: DecimalColumn): (row: number) => string | null {
  return (row) => (Math.abs(values[row]!) >= leastLong ? decimalText(wide?.get(row) ?? values[row]!, scale) : null)
}

/** The cells `at` are doubles, those `exactAt` texts; -1 where the table has none. */
export function decimalsFrom(scale: number, cells: readonly (readonly Cell[])[], at: number, exactAt: number): DecimalColumn {
  const values = new Float64Array(cells.length)
  const wide = new Map<number, bigint>()
  const power = 10 ** scale
  for (let row = 0; row < cells.length; row++) {
    const nearest = cells[row]![at]!
    const exact = exactAt < 0 ? null : cells[row]![exactAt]!
    if (exact !== null) putWhole(values, wide, row, wholeOf(String(exact), scale))
    else values[row] = nearest === null ? NaN : Math.round(Number(nearest) * power)
  }
  return { kind: 'decimal', scale, values, wide }
}
