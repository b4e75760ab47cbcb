/** The key of rows as text: what tells running states, rows of the warehouse and facts apart. */
import { textsOf, type TextAt } from './cell-text.ts'
import { noDay, type Column, type Columns } from './columns.ts'

/**
 * Of one field it is the value, and null is the key "". Of several they are joined by commas; a comma or a backslash in one of them has a
 * backslash before it, and null is \N, so that no two combinations have one key. Of no field it is "".
 */
export function keyTexts({ byName, count }: Columns, fields: readonly string[]): string[] {
  const texts = fields.map((field) => textsOf(asKey(byName.get(field)!)))
  const keys = new Array<string>(count)
  if (texts.length === 0) return keys.fill('')
  const [only] = texts
  if (texts.length === 1) for (let row = 0; row < count; row++) keys[row] = only!(row) ?? ''
  else {
    const first = partOf(only!)
    const others = texts.slice(1).map(partOf)
    for (let row = 0; row < count; row++) {
      let key = first(row)
      for (const next of others) key += `,${next(row)}`
      keys[row] = key
    }
  }
  return keys
}

const partOf =
  (textAt: TextAt) =>
  (row: number): string =>
    asPart(textAt(row))

/** Of several fields, or of none. */
export const keyOfParts = (texts: readonly (string | null)[]): string => texts.map(asPart).join(',')

const asPart = (text: string | null): string => {
  if (text === null) return '\\N'
  return text.includes(',') || text.includes('\\') ? text.replace(/[\\,]/g, '\\$&') : text
}

/** A date has been its number in the keys of every state that was ever saved. */
const asKey = (column: Column): Column =>
  column.kind === 'date' ? { kind: 'int', values: Float64Array.from(column.days, (day) => (day === noDay ? NaN : day)) } : column
