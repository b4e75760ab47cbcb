/** The SQL that joins rows to what they refer to, in one state or the other, and that finds the rows which refer to those that change. */
import type { Joined, StoredTable, TableColumn } from '../../tables.ts'
import { quoted, sqlType, type Placed } from './columns.ts'

/** Every name in double quotes is a column's, a table's, or one that no definition can have. */
export const rowsOf = ({ name }: { readonly name: string }) => quoted(`rows ${name}`)
export const stagedOf = ({ name }: { readonly name: string }) => quoted(`staged ${name}`)
/** Of a staged row: 1 where the row of that key goes. */
export const gone = quoted('.gone')
/** Of a row that stands: the number of the commit that wrote it last; null is the commit that its table was first filled by. */
export const commit = quoted('.commit')
/** Of a staged row: when it became known, in nanoseconds; null where nobody said. */
export const knownAt = quoted('.known')

/** Where a table's rows of a state lie: the one, the other, or in both, where what is staged counts. */
export type Lies = 'rows' | 'staged' | 'both'

/** The rows themselves, among those that are joined. */
export const own = '.'
const later = (alias: string) => quoted(`${alias}>`)

export type JoinedSql = {
  /** Begins with a join: what it begins with comes before. */
  readonly from: string
  readonly where: readonly string[]
  readonly expression: (column: string) => string
  /** When each of the staged rows in it became known, 0 where nobody said; with commas between. */
  readonly known: string
}

/** The rows of `of` that have these keys, which are expressions; without any the statement begins with them. */
export function joinedSql(joined: Joined, lies: (table: StoredTable) => Lies, keys: readonly string[] | undefined): JoinedSql {
  const tables = new Map<string, StoredTable>([[own, joined.of]])
  const from: string[] = []
  const where: string[] = []
  const known: string[] = []
  /** Optional ones: what is staged of one that leaves has its key, which is null then as all of it is. */
  const mayLack = new Set<string>()
  const expression = (column: string): string => {
    const { alias, name } = placeOf(column)
    const table = tables.get(alias)!
    const [stood, becomes] = [quoted(alias), later(alias)].map((of) => `${of}.${quoted(name)}`)
    if (lies(table) !== 'both') return stood!
    const ofStaged = mayLack.has(alias) ? `WHEN NOT ${later(alias)}.${gone} THEN ${becomes}` : `ELSE ${becomes}`
    return `CASE WHEN ${later(alias)}.${firstKey(table)} IS NULL THEN ${stood} ${ofStaged} END`
  }
  const add = (alias: string, table: StoredTable, on: readonly string[], optional: boolean) => {
    const lie = lies(table)
    if (lie !== 'rows') known.push(`coalesce(${lie === 'both' ? later(alias) : quoted(alias)}.${knownAt}, 0)`)
    const equal = (of: string, given = on) => table.key.map((key, i) => `${of}.${quoted(key)} = ${given[i]!}`).join(' AND ')
    if (lie !== 'both') {
      const kind = optional ? 'LEFT JOIN' : 'CROSS JOIN'
      const standing = lie === 'staged' ? ` AND NOT ${quoted(alias)}.${gone}` : ''
      from.push(`${kind} ${lie === 'staged' ? stagedOf(table) : rowsOf(table)} ${quoted(alias)} ON ${equal(quoted(alias))}${standing}`)
      return
    }
    from.push(`LEFT JOIN ${stagedOf(table)} ${later(alias)} ON ${equal(later(alias))}`)
    // Where it is staged, the row that stands is not even looked for: nothing equals null.
    const unlessStaged = on.map((given) => `CASE WHEN ${later(alias)}.${firstKey(table)} IS NULL THEN ${given} END`)
    from.push(`LEFT JOIN ${rowsOf(table)} ${quoted(alias)} ON ${equal(quoted(alias), unlessStaged)}`)
    if (optional) return void mayLack.add(alias)
    const isThere = `${quoted(alias)}.${firstKey(table)} IS NOT NULL`
    where.push(`CASE WHEN ${later(alias)}.${firstKey(table)} IS NULL THEN ${isThere} ELSE NOT ${later(alias)}.${gone} END`)
  }
  if (keys) add(own, joined.of, keys, false)
  else {
    const lie = lies(joined.of)
    from.push(`${lie === 'staged' ? stagedOf(joined.of) : rowsOf(joined.of)} ${quoted(own)}`)
    if (lie === 'staged') where.push(`NOT ${quoted(own)}.${gone}`)
  }
  for (const [name, { table, on, optional }] of Object.entries(joined.join)) {
    const given = on.map((column, i) => alike(expression(column), columnAt(joined, column), table.fields[table.key[i]!]!))
    tables.set(name, table)
    add(name, table, given, optional)
  }
  return { from: from.join(' '), where, expression, known: known.length > 0 ? known.join(', ') : '0' }
}

/** As the other lies: one is a text where it has more digits than an integer. */
const alike = (expression: string, from: TableColumn, to: TableColumn): string =>
  sqlType(from) === sqlType(to) ? expression : `CAST(${expression} AS ${sqlType(to)})`

const firstKey = ({ key }: StoredTable) => quoted(key[0]!)

/** `column` is one of the row itself, `joined.column` one of a join. */
export function placeOf(column: string): { readonly alias: string; readonly name: string } {
  const point = column.indexOf('.')
  return point < 0 ? { alias: own, name: column } : { alias: column.slice(0, point), name: column.slice(point + 1) }
}

const tableOf = ({ of, join }: Joined, alias: string): StoredTable => (alias === own ? of : join[alias]!.table)

export function columnAt(joined: Joined, column: string): TableColumn {
  const { alias, name } = placeOf(column)
  return tableOf(joined, alias).fields[name]!
}

export const placed = (joined: Joined, columns: readonly string[]): readonly Placed[] =>
  columns.map((name) => ({ name, column: columnAt(joined, name) }))

/** Columns by which rows are looked up, which want an index. */
export type LookedUp = { readonly table: StoredTable; readonly columns: readonly string[] }

/** Selects the keys of the rows that refer, by way of this join, to rows that are staged, and when these became known. */
export function referringSql(joined: Joined, name: string): { readonly sql: string; readonly lookedUp: readonly LookedUp[] } {
  const lookedUp: LookedUp[] = []
  const from = [`${stagedOf(joined.join[name]!.table)} ${later(name)}`]
  let [at, alias] = [later(name), name]
  while (alias !== own) {
    const { table, on } = joined.join[alias]!
    const before = placeOf(on[0]!).alias
    // Where a key is given by several, one of them finds more rows than needed, and these turn out to be as they were.
    const given = on.flatMap((column, i) => (placeOf(column).alias === before ? [{ column, key: table.key[i]! }] : []))
    const beforeTable = tableOf(joined, before)
    const equal = given.map(({ column, key }) => {
      const expression = alike(`${at}.${quoted(key)}`, table.fields[key]!, columnAt(joined, column))
      return `${quoted(before)}.${quoted(placeOf(column).name)} = ${expression}`
    })
    lookedUp.push({ table: beforeTable, columns: given.map(({ column }) => placeOf(column).name) })
    from.push(`CROSS JOIN ${rowsOf(beforeTable)} ${quoted(before)} ON ${equal.join(' AND ')}`)
    ;[at, alias] = [quoted(before), before]
  }
  const keys = joined.of.key.map((key) => `${quoted(own)}.${quoted(key)}`)
  return { sql: `SELECT ${[...keys, `${later(name)}.${knownAt}`].join(', ')} FROM ${from.join(' ')}`, lookedUp }
}
