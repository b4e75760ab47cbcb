/** The keys that labels ask about, as rows of a set have them: a whole number is the same one in a text, and a decimal at any scale. */
import { textsFrom } from '../utilities/sql/cells.ts'
import { keyTexts } from '../utilities/values/key-text.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { wholeOf } from '../utilities/values/decimal-text.ts'
import { noDay, noFlag, putWhole, type Column, type Columns, type TextColumn } from '../utilities/values/columns.ts'
import { microsOf } from '../utilities/values/timestamp.ts'
import type { Field } from '../schemas/record.ts'
import { quoted, wrongLabel, type LabelPart } from './labels.ts'

export type KeyField = { readonly name: string; readonly field: Field }

export function keysOfLabels({ rows, placeOf }: LabelPart, labels: string, per: readonly KeyField[]): TextColumn {
  const byName = new Map(
    per.map(({ name, field }) => {
      const fail = (row: number, text: string) =>
        wrongLabel(labels, placeOf(row), `${name} ${quoted(text)} is no ${field.kind}`, `Write it as the set has it: its key is ${name}.`)
      return [name, asKind(rows.byName.get(name)!, field, fail)] as const
    }),
  )
  return keysOfRows({ count: rows.count, byName }, per)
}

/** Of rows that have the key's columns, or the key itself. */
export function keysOfRows(rows: Columns, per: readonly KeyField[]): TextColumn {
  const own = rows.byName.get('_key')
  if (own?.kind === 'text') return own
  const [only] = per
  if (per.length === 1) {
    const column = rows.byName.get(only!.name)!
    if (column.kind === 'text') return column
  }
  const names = per.map(({ name }) => name)
  return textsFrom(keyTexts(rows, names))
}

/** The column that keys are made of; decimals of less digits are not the same text, and get those that they lack. */
function asKind(column: Column, field: Field, fail: (row: number, text: string) => Error): Column {
  if (column.kind === field.kind && (field.kind !== 'decimal' || (column as { scale?: number }).scale === field.scale)) return column
  const textAt = textsOf(column)
  const count = column.kind === 'date' ? column.days.length : column.kind === 'text' ? column.starts.length : column.values.length
  if (field.kind === 'text') return textsFrom(Array.from({ length: count }, (_, row) => textAt(row)))
  const values = new Float64Array(count).fill(NaN)
  const wide = new Map<number, bigint>()
  const days = new Int32Array(count).fill(noDay)
  const flags = new Uint8Array(count).fill(noFlag)
  for (let row = 0; row < count; row++) {
    const text = textAt(row)
    if (text === null || text === '') continue
    if (!forms[field.kind].test(text)) throw fail(row, text)
    switch (field.kind) {
      case 'number':
        values[row] = Number(text)
        break
      case 'integer':
        putWhole(values, wide, row, BigInt(text.replace(/^\+|\.0*$/g, '')))
        break
      case 'decimal': {
        const [whole = '', behind = ''] = text.replace(/^\+/, '').split('.')
        const kept = behind.replace(/0+$/, '')
        if (kept.length > field.scale) throw fail(row, text)
        putWhole(values, wide, row, wholeOf(kept === '' ? whole : `${whole}.${kept}`, field.scale))
        break
      }
      case 'date':
        days[row] = Date.parse(text) / 86_400_000
        break
      case 'timestamp': {
        const micros = microsOf(text.replace(/Z$/, ''))
        if (typeof micros === 'bigint') putWhole(values, wide, row, micros)
        else values[row] = micros
        break
      }
      case 'flag':
        flags[row] = /^[t1]/i.test(text) ? 1 : 0
        break
    }
  }
  switch (field.kind) {
    case 'date':
      return { kind: 'date', days }
    case 'flag':
      return { kind: 'flag', values: flags }
    case 'number':
      return { kind: 'number', values }
    case 'decimal':
      return { kind: 'decimal', scale: field.scale, values, wide }
    default:
      return { kind: field.kind, values, wide }
  }
}

const forms: { readonly [kind in Exclude<Field['kind'], 'text'>]: RegExp } = {
  number: /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/,
  // Some tools make doubles of whole numbers where one is missing.
  integer: /^[+-]?\d+(\.0*)?$/,
  decimal: /^[+-]?\d+(\.\d+)?$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  timestamp: /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/,
  flag: /^(true|false|t|f|1|0)$/i,
}
