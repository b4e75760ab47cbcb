/**
 * What is loaded into one table: the rows, on their way through a table of their own, and the statements that settle them in their place.
 */
import { textsOf } from '../values/cell-text.ts'
import { columnOf, pick, type Columns } from '../values/columns.ts'
import type { StoredColumn } from '../sql/declared.ts'
import { identifier, named, rowsTable, standingTable, type Target } from '../sql/names.ts'

export type Load = {
  /** The set or the fact. */
  readonly name: string
  readonly rows: Columns
  /** Those of the table on the way. */
  readonly stored: readonly StoredColumn[]
  /** The statements for some of the rows: what is there under their keys gives way to them. */
  readonly settle: (rows: Columns) => readonly string[]
}

export const stage = identifier('tidemark_stage')

const namesIn = ({ byName }: Columns) => [...byName.keys()]

/** Rows of a set, in place of those with the same key. */
export function rowsLoad(target: Target, set: string, rows: Columns, stored: readonly StoredColumn[]): Load {
  const table = rowsTable(target, set)
  const list = named(namesIn(rows))
  const key = ['_version', '_seq', ...(stored.some(({ name }) => name === '_key') ? ['_key'] : [])]
  return {
    name: set,
    rows,
    stored,
    settle(some) {
      // The ranges say nothing new, but they tell which blocks of the sorted table need not be looked at.
      const ranges = ['_version', '_seq'].map(
        (name) => `${table}.${identifier(name)} BETWEEN ${rangeOf(columnOf(some, name, 'int').values)}`,
      )
      return [
        `DELETE FROM ${table} USING ${stage} WHERE ${[...key.map((name) => sameIn(table, name)), ...ranges].join(' AND ')}`,
        `INSERT INTO ${table} (${list}) SELECT ${list} FROM ${stage}`,
      ]
    },
  }
}

/** What became of facts: what the table knows of a later number stays, and what does not stand leaves. */
export function factsLoad(target: Target, fact: string, changes: Columns, stored: readonly StoredColumn[]): Load {
  const table = standingTable(target, fact)
  const list = named(namesIn(changes).filter((name) => name !== '_stands'))
  const later = `EXISTS (SELECT 1 FROM ${table} AS there WHERE there."_key" = ${stage}."_key")`
  return {
    name: fact,
    rows: changes,
    stored: [...stored, { name: '_stands', type: 'BOOLEAN' }],
    settle: () => [
      `DELETE FROM ${table} USING ${stage} WHERE ${sameIn(table, '_key')} AND ${table}."_seq" <= ${stage}."_seq"`,
      `INSERT INTO ${table} (${list}) SELECT ${list} FROM ${stage} WHERE "_stands" AND NOT ${later}`,
    ],
  }
}

const sameIn = (table: string, name: string) => `${table}.${identifier(name)} = ${stage}.${identifier(name)}`

function rangeOf(values: Float64Array): string {
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)]
  return `${least} AND ${most}`
}

/** The statements around what fills the table on the way. */
export function moved({ rows, stored, settle }: Load, some: Columns, filled: readonly string[]): readonly string[] {
  const columns = namesIn(rows).map((name) => `${identifier(name)} ${stored.find((one) => one.name === name)!.type}`)
  return [`CREATE TEMP TABLE ${stage} (${columns.join(', ')})`, ...filled, ...settle(some), `DROP TABLE ${stage}`]
}

/** Of rows with the same key the last: a table without keys would keep them all. */
export function lastOfEach(rows: Columns): Columns {
  const seqs = columnOf(rows, '_seq', 'int').values
  const versions = columnOf(rows, '_version', 'int').values
  const own = rows.byName.get('_key')
  const keyAt = own && textsOf(own)
  let rising = true
  for (let row = 1; row < rows.count && rising; row++) rising = versions[row] === versions[row - 1] && seqs[row]! > seqs[row - 1]!
  if (rising) return rows
  const last = new Map<string, number>()
  for (let row = 0; row < rows.count; row++) last.set(`${versions[row]} ${seqs[row]} ${keyAt?.(row) ?? ''}`, row)
  return pick(rows, Int32Array.from(last.values()).sort())
}
