/** Rows and changes of facts as entries by key. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import { textColumn } from '../feature-defs/values.ts'
import type { FactSchema } from '../schemas/fact.ts'
import type { EntryLot } from '../utilities/served.ts'
import { columnOf, pick, wholeAt, type Column, type Columns, type TextColumn } from '../utilities/values/columns.ts'
import { keyTexts } from '../utilities/values/key-text.ts'
import { factsTable, leading, rowsTable } from './kept.ts'

const dayMs = 86_400_000

export function rowEntries(definition: Definition, { count, byName }: Columns): EntryLot {
  const { set, version, record, features } = definition
  const kept = [...leading(definition), ...features.map(({ name }) => name)]
  const micros = microsOf(byName.get(record.at)!, count)
  const own = new Map<string, Column>([
    ['_key', keyColumn(definition, { count, byName })],
    ['_seq', byName.get('_seq')!],
    ['_known_ts', byName.get('_known_ts') ?? { kind: 'long', values: nanoseconds(micros) }],
    ['_modified_ts', byName.get('_modified_ts')!],
    ['_at', { kind: 'number', values: micros.map((one) => one / 1000) }],
  ])
  for (const name of kept) if (!own.has(name)) own.set(name, byName.get(name)!)
  return { table: rowsTable(set, version), entries: { count, byName: own }, kept }
}

function keyColumn({ per }: Definition, rows: Columns): TextColumn {
  const fields = keyFields(per)
  const only = fields.length === 1 ? rows.byName.get(fields[0]!) : undefined
  return only?.kind === 'text' ? only : textColumn(keyTexts(rows, fields))
}

/** Of a moment, since 1970. */
function microsOf(column: Column, count: number): Float64Array {
  const micros = new Float64Array(count)
  if (column.kind === 'date') for (let row = 0; row < count; row++) micros[row] = column.days[row]! * dayMs * 1000
  else if (column.kind === 'timestamp') for (let row = 0; row < count; row++) micros[row] = Number(wholeAt(column, row))
  else throw new TypeError(`a record happens on a ${column.kind}`)
  return micros
}

/** Records are known when they happened. Many have one day, and a number for it is made once. */
function nanoseconds(micros: Float64Array): BigInt64Array {
  const known = new BigInt64Array(micros.length)
  for (let row = 0, last = NaN, ns = 0n; row < known.length; row++) {
    if (micros[row] !== last) ns = BigInt((last = micros[row]!)) * 1000n
    known[row] = ns
  }
  return known
}

/** The changes of facts, without the ticks, which are of none. */
export function factEntries(name: string, { fields }: FactSchema, changes: Columns): EntryLot {
  const key = columnOf(changes, 'key', 'text')
  const byName = new Map<string, Column>([
    ['_key', key],
    ['_stands', columnOf(changes, 'after', 'flag')],
    ['_seq', columnOf(changes, '_seq', 'int')],
    ['_known_ts', columnOf(changes, 'known', 'long')],
    ...Object.keys(fields).map((field) => [field, changes.byName.get(`after.${field}`)!] as const),
  ])
  const rows = Int32Array.from(key.starts.keys()).filter((row) => key.starts[row]! >= 0)
  return { table: factsTable(name), entries: pick({ count: changes.count, byName }, rows), kept: Object.keys(fields) }
}
