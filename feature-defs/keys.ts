/** Keys: a set has one running state for each value of a field, or for each combination of values of several. */
import { textsOf } from '../utilities/values/cell-text.ts'
import { noDay, noFlag, putWhole, type Column, type Columns } from '../utilities/values/columns.ts'
import { wholeOf } from '../utilities/values/decimal-text.ts'
import { microsOf } from '../utilities/values/timestamp.ts'
import type { Fields } from '../schemas/record.ts'
import { textColumn } from './values.ts'

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

const nullPart = '\\N'
const part = (text: string | null): string => (text === null ? nullPart : /[\\,]/.test(text) ? text.replace(/[\\,]/g, '\\$&') : text)

/** A date has been its number in the keys of every state that was ever saved. */
const asKey = (column: Column): Column =>
  column.kind === 'date' ? { kind: 'int', values: Float64Array.from(column.days, (day) => (day === noDay ? NaN : day)) } : column

/** The fields that keys were made of, read back from them: the key "" of one field is null. */
export function fieldsOfKeys(keys: readonly string[], per: Per, fields: Fields): ReadonlyMap<string, Column> {
  const names = keyFields(per)
  const parts = keys.map((key) => (names.length === 1 ? [key === '' ? null : key] : partsOf(key)))
  return new Map(
    names.map((name, i) => [
      name,
      columnOfTexts(
        parts.map((one) => one[i] ?? null),
        fields[name]!,
      ),
    ]),
  )
}

/** What `part` made, between commas that no backslash stands before. */
function partsOf(key: string): (string | null)[] {
  const parts: (string | null)[] = []
  let text = ''
  const end = (at: number) => {
    parts.push(key.slice(at - 2, at) === nullPart && text === 'N' ? null : text)
    text = ''
  }
  for (let at = 0; at < key.length; at++) {
    if (key[at] === ',') end(at)
    else text += key[at] === '\\' ? key[++at] : key[at]!
  }
  end(key.length)
  return parts
}

function columnOfTexts(texts: readonly (string | null)[], field: Fields[string]): Column {
  const numbers = (read: (text: string) => number, none: number) => texts.map((text) => (text === null ? none : read(text)))
  const wholes = (read: (text: string) => bigint) => {
    const [values, wide] = [new Float64Array(texts.length).fill(NaN), new Map<number, bigint>()]
    for (const [row, text] of texts.entries()) if (text !== null) putWhole(values, wide, row, read(text))
    return wide.size === 0 ? { values } : { values, wide }
  }
  switch (field.kind) {
    case 'number':
      return { kind: 'number', values: Float64Array.from(numbers(Number, NaN)) }
    case 'integer':
      return { kind: 'integer', ...wholes(BigInt) }
    case 'decimal':
      return { kind: 'decimal', scale: field.scale, ...wholes((text) => wholeOf(text, field.scale)) }
    case 'timestamp':
      return { kind: 'timestamp', ...wholes((text) => BigInt(microsOf(text.slice(0, -1)))) }
    case 'flag':
      return { kind: 'flag', values: Uint8Array.from(numbers((text) => Number(text === 'true'), noFlag)) }
    case 'date':
      return { kind: 'date', days: Int32Array.from(numbers(Number, noDay)) }
    case 'text':
      return textColumn(texts.map((text) => text ?? NaN))
  }
}
