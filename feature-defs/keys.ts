/** Keys: a set has one running state for each value of a field, or for each combination of values of several. */
import { textsOf } from '../utilities/values/cell-text.ts'
import { noDay, type Column, type Columns } from '../utilities/values/columns.ts'

/** The field or the fields; null for one state of the whole stream. */
export type Per = string | readonly string[] | null

export const keyFields = (per: Per): readonly string[] => (per === null ? [] : typeof per === 'string' ? [per] : per)

/** One field is the same key whether it stands in a list or not. */
export const perOf = (per: Per | undefined): Per => (typeof per === 'object' && per?.length === 1 ? per[0]! : (per ?? null))

export const samePer = (one: Per, other: Per): boolean => JSON.stringify(one) === JSON.stringify(other)

export const keyWords = (per: Per, none = 'nothing'): string => keyFields(per).join(' and ') || none

/**
 * The key of each record as text. Of one field it is the value, and null is the key "". Of several they are joined by commas; a comma or
 * a backslash in one of them has a backslash before it, and null is \N, so that no two combinations have one key.
 */
export function keysOf({ byName, count }: Columns, per: Exclude<Per, null>): string[] {
  const texts = keyFields(per).map((field) => textsOf(asKey(byName.get(field)!)))
  const keys = new Array<string>(count)
  const [only] = texts
  if (texts.length === 1) for (let row = 0; row < count; row++) keys[row] = only!(row) ?? ''
  else for (let row = 0; row < count; row++) keys[row] = texts.map((textAt) => part(textAt(row))).join(',')
  return keys
}

const part = (text: string | null): string => (text === null ? '\\N' : /[\\,]/.test(text) ? text.replace(/[\\,]/g, '\\$&') : text)

/** A date has been its number in the keys of every state that was ever saved. */
const asKey = (column: Column): Column =>
  column.kind === 'date' ? { kind: 'int', values: Float64Array.from(column.days, (day) => (day === noDay ? NaN : day)) } : column
