/** Which row is the newest of each key: kept beside the rows, so that a view of them is a look-up and not a scan. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { textsOf } from '../../values/cell-text.ts'
import { columnOf, nullColumn, type Columns } from '../../values/columns.ts'
import { keyTexts } from '../../values/key-text.ts'
import type { Sqlite } from '../database.ts'
import { exactPrefix, type StoredColumn } from '../../sql/declared.ts'
import { newestName, newestTable, rowsTable } from '../../sql/names.ts'
import { readChunk, readRows, rowsPerChunk, written, type Read } from './read.ts'
import { fillWith, type Value } from '../fill.ts'
import { filledBy, insertFilled, type Filled } from './rows.ts'
import { columnsOf, target } from './tables.ts'

/** What is known of the table of a set: undefined in a store of before, until it is arranged. */
type Newest = { readonly table: string; readonly stored: readonly StoredColumn[]; readonly per: readonly string[] }

function newestOf(db: Sqlite, set: string): Newest | undefined {
  const stored = columnsOf(db, newestName(set))
  if (stored.length === 0) return undefined
  const per = stored.map(({ name }) => name).filter((name) => !['_version', '_key', '_seq'].includes(name) && !name.startsWith(exactPrefix))
  return { table: newestTable(target, set), stored, per }
}

const keysIn = (rows: Columns, per: readonly string[]): ((row: number) => string) => {
  const own = rows.byName.get('_key')
  if (own) {
    const textAt = textsOf(own)
    return (row) => textAt(row)!
  }
  const keys = keyTexts(rows, per)
  return (row) => keys[row]!
}

/** Within a transaction that has written these rows: where a key has a newer row already, that stays. */
export function keepNewest(db: Sqlite, set: string, given: Columns): void {
  const newest = newestOf(db, set)
  if (!newest || given.count === 0) return
  const { table, stored, per } = newest
  // A column that is not given is null in every row.
  const lacking = per.filter((name) => !given.byName.has(name)).map((name) => [name, nullColumn({ kind: 'text' }, given.count)] as const)
  const rows: Columns = { count: given.count, byName: new Map([...given.byName, ...lacking]) }
  const keyAt = keysIn(rows, per)
  const seqs = columnOf(rows, '_seq', 'int').values
  const versions = columnOf(rows, '_version', 'int').values
  const found = new Map<string, number>()
  const byVersion = new Map([[versions[0]!, found]])
  for (let row = 0, last = found; row < rows.count; row++) {
    if (row > 0 && versions[row] !== versions[row - 1]) {
      last = byVersion.get(versions[row]!) ?? new Map<string, number>()
      byVersion.set(versions[row]!, last)
    }
    const key = keyAt(row)
    const before = last.get(key)
    if (before === undefined || seqs[before]! <= seqs[row]!) last.set(key, row)
  }
  for (const last of byVersion.values()) {
    // Neighbours in the table one behind the other: in any other order every row would be on another page.
    const sorted = [...last].sort(([one], [other]) => (one < other ? -1 : 1))
    const fills = fillsFor(newest, rows, sorted)
    insertFilled(
      db,
      table,
      fills,
      sorted.length,
      'ON CONFLICT ("_version", "_key") DO UPDATE SET "_seq" = excluded."_seq" WHERE excluded."_seq" > "_seq"',
    )
    // A text that is null and one that is empty are one key, where nothing else is in it: it is shown as its newest row has it.
    const none = per.length === 1 ? last.get('') : undefined
    if (none !== undefined) showAs(db, newest, [versions[none]!, '', seqs[none]!], fieldsAt(rows, stored, per)(none))
  }
}

function fillsFor({ stored, per }: Newest, rows: Columns, sorted: readonly (readonly [string, number])[]): readonly Filled[] {
  const only = ['_version', '_seq', ...per]
  const chosen = { count: rows.count, byName: new Map(only.map((name) => [name, rows.byName.get(name)!])) }
  const fills = filledBy(chosen, stored).map(({ name, fill }): Filled => {
    const valueAt = valueOf(fill)
    return { name, fill: fillWith((i) => valueAt(sorted[i]![1])) }
  })
  return [...fills, { name: '_key', fill: fillWith((i) => sorted[i]![0]) }]
}

function valueOf(fill: Filled['fill']): (row: number) => Value {
  const slot: Value[] = [null]
  return (row) => {
    fill(slot, 0, 1, row, row + 1)
    return slot[0]!
  }
}

function fieldsAt(rows: Columns, stored: readonly StoredColumn[], per: readonly string[]): (row: number) => readonly Value[] {
  const own = { count: rows.count, byName: new Map(per.map((name) => [name, rows.byName.get(name)!])) }
  const values = filledBy(own, stored).map(({ fill }) => valueOf(fill))
  return (row) => values.map((valueAt) => valueAt(row))
}

const fieldNames = ({ stored }: Newest) => stored.map(({ name }) => name).filter((name) => !['_version', '_key', '_seq'].includes(name))

/** Shows the key as that row has it, if that is its newest. */
function showAs(db: Sqlite, newest: Newest, [version, key, seq]: readonly [number, string, number], fields: readonly Value[]): void {
  const set = fieldNames(newest).map((name) => `"${name}" = ?`)
  db.prepare(`UPDATE ${newest.table} SET ${set.join(', ')} WHERE "_version" = ? AND "_key" = ? AND "_seq" = ?`).run(
    ...fields,
    version,
    key,
    seq,
  )
}

/** What tells which row is whose, of the rows of a set. */
function keysOfRows(db: Sqlite, set: string, per: readonly string[]): Read {
  const stored = columnsOf(db, `${set}_rows`)
  const wanted = written(stored).filter(({ name }) => ['_version', '_seq', '_key', ...per].includes(name))
  return { table: rowsTable(target, set), stored, wanted }
}

const rowsPerFill = 100_000

/** Looks at all rows of a version: for tables of before, and where somebody changed what was there. Others write meanwhile. */
export async function fillNewest(db: Sqlite, set: string, version: number): Promise<void> {
  const newest = db.read(() => newestOf(db, set))
  if (!newest) return
  const rows = db.read(() => keysOfRows(db, set, newest.per))
  for (let first = 0; ;) {
    const chunk = readChunk(db, rows, version, first, Number.MAX_SAFE_INTEGER, rowsPerFill)
    if (!chunk) return
    db.write(() => keepNewest(db, set, chunk.rows))
    first = chunk.next
    await nextTurn()
  }
}

export async function renewNewest(db: Sqlite, set: string): Promise<void> {
  const rows = rowsTable(target, set)
  const newest = db.read(() => newestOf(db, set))
  if (!newest) return
  const same = ['_version', '_seq', ...(columnsOf(db, `${set}_rows`).some(({ name }) => name === '_key') ? ['_key'] : [])]
  const is = same.map((name) => `made."${name}" = ${newest.table}."${name}"`).join(' AND ')
  db.write(() => db.prepare(`DELETE FROM ${newest.table} WHERE NOT EXISTS (SELECT 1 FROM ${rows} AS made WHERE ${is})`).run())
  const next = db.prepare(`SELECT min("_version") AS "version" FROM ${rows} WHERE "_version" > ?`)
  for (let version = -1; ;) {
    const found = db.read(() => next.get(version)?.['version'] as number | null)
    if (found === null) return
    await fillNewest(db, set, (version = found))
  }
}

type Range = { readonly first: number; readonly last: number }
/** Fewer records than keys: then their rows say which keys they have. */
const fewRecords = 1_000

/** Before rows of the range go: the keys that have their newest row in it get the one before, or none. Rows are looked at backwards. */
export async function leaveRange(db: Sqlite, set: string, version: number, range: Range): Promise<void> {
  const newest = db.read(() => newestOf(db, set))
  if (!newest) return
  const rows = db.read(() => keysOfRows(db, set, newest.per))
  const leaving = leavingKeys(db, newest, rows, version, range)
  const found = new Map<string, { readonly seq: number; readonly fields: readonly Value[] }>()
  const place = db.prepare(`SELECT "_seq" FROM ${rows.table} WHERE "_version" = ? AND "_seq" <= ? ORDER BY "_seq" DESC LIMIT 1 OFFSET ?`)
  for (let last = range.first - 1; last >= 0 && found.size < leaving.size;) {
    const bound = db.read(() => place.get(version, last, rowsPerChunk - 1)?.['_seq'] as number | undefined) ?? 0
    const chunk = readRows(db, rows, 'WHERE "_version" = ? AND "_seq" BETWEEN ? AND ? ORDER BY "_seq"', version, bound, last)
    const keyAt = keysIn(chunk, newest.per)
    const seqs = columnOf(chunk, '_seq', 'int').values
    const fields = fieldsAt(chunk, newest.stored, newest.per)
    for (let row = chunk.count - 1; row >= 0; row--) {
      const key = keyAt(row)
      if (leaving.has(key) && !found.has(key)) found.set(key, { seq: seqs[row]!, fields: fields(row) })
    }
    last = bound - 1
    await nextTurn()
  }
  const where = `WHERE "_version" = ? AND "_key" = ? AND "_seq" BETWEEN ? AND ?`
  const changed = ['_seq', ...fieldNames(newest)].map((name) => `"${name}" = ?`).join(', ')
  db.write(() => {
    const back = db.prepare(`UPDATE ${newest.table} SET ${changed} ${where}`)
    const gone = db.prepare(`DELETE FROM ${newest.table} ${where}`)
    for (const key of leaving) {
      const before = found.get(key)
      if (before) back.run(before.seq, ...before.fields, version, key, range.first, range.last)
      else gone.run(version, key, range.first, range.last)
    }
  })
}

function leavingKeys(db: Sqlite, { table, per }: Newest, rows: Read, version: number, { first, last }: Range): ReadonlySet<string> {
  if (last - first < fewRecords) {
    const chunk = readRows(db, rows, 'WHERE "_version" = ? AND "_seq" BETWEEN ? AND ?', version, first, last)
    const keyAt = keysIn(chunk, per)
    return new Set(Array.from({ length: chunk.count }, (_, row) => keyAt(row)))
  }
  const all = db.prepare(`SELECT "_key" FROM ${table} WHERE "_version" = ? AND "_seq" BETWEEN ? AND ?`)
  return new Set(db.read(() => all.all(version, first, last)).map((row) => row['_key'] as string))
}
