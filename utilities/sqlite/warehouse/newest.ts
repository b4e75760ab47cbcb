/** Which row is the newest of each key: kept beside the rows, so that a view of them is a look-up and not a scan. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { textsOf } from '../../values/cell-text.ts'
import { columnOf, nullColumn, type Columns } from '../../values/columns.ts'
import { keyTexts } from '../../values/key-text.ts'
import type { Sqlite } from '../database.ts'
import { exactPrefix, type StoredColumn } from '../../sql/declared.ts'
import { newestName, newestTable, rowsTable } from '../../sql/names.ts'
import { readChunk, readRows, rowsPerChunk, written, type Read } from './read.ts'
import type { Fill, Value } from '../fill.ts'
import { filledBy } from './rows.ts'
import { columnsOf, target } from './tables.ts'

/** The table of a set: the column that tells its rows apart, and what it shows beside it of the key's fields. */
type Newest = { readonly table: string; readonly key: string; readonly per: readonly string[]; readonly shown: readonly StoredColumn[] }

/** undefined in a store of before, until it is arranged. */
function newestOf(db: Sqlite, set: string): Newest | undefined {
  const stored = columnsOf(db, newestName(set))
  if (stored.length === 0) return undefined
  const shown = stored.filter(({ name }) => !['_version', '_key', '_seq'].includes(name))
  const per = shown.map(({ name }) => name).filter((name) => !name.startsWith(exactPrefix))
  const table = newestTable(target, set)
  // A text that is all of the key is itself.
  return stored.some(({ name }) => name === '_key') ? { table, key: '_key', per, shown } : { table, key: per[0]!, per, shown: [] }
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
  const { per } = newest
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
  const values = valuesIn(rows, newest)
  for (const [version, last] of byVersion) if (last.size > 0) putNewest(db, newest, last, { version, seqs, values })
}

/** Measured: more rows a statement gain nothing. */
const rowsPerStatement = 20

type ToPut = { readonly version: number; readonly seqs: Float64Array; readonly values: readonly ((row: number) => Value)[] }

/** Neighbours in the table one behind the other: in any other order every row would be on another page. */
function putNewest(db: Sqlite, newest: Newest, last: ReadonlyMap<string, number>, { version, seqs, values }: ToPut): void {
  const keys = [...last.keys()].sort()
  const { table, key, shown } = newest
  const names = ['_version', key, '_seq', ...shown.map(({ name }) => name)].map((name) => `"${name}"`).join(', ')
  const one = `(${version}, ${[key, '_seq', ...values].map(() => '?').join(', ')})`
  const put = (count: number) =>
    db.prepare(
      `INSERT INTO ${table} (${names}) VALUES ${Array(count).fill(one).join(', ')} ` +
        `ON CONFLICT ("_version", "${key}") DO UPDATE SET "_seq" = excluded."_seq" WHERE excluded."_seq" > "_seq"`,
    )
  for (let from = 0; from < keys.length; from += rowsPerStatement) {
    const count = Math.min(rowsPerStatement, keys.length - from)
    const args: Value[] = []
    for (let i = from; i < from + count; i++) {
      const row = last.get(keys[i]!)!
      args.push(keys[i]!, seqs[row]!)
      for (const valueAt of values) args.push(valueAt(row))
    }
    put(count).run(...args)
  }
}

/** What the table shows of a key's fields beside the key, in the order of its columns. */
function valuesIn(rows: Columns, { per, shown }: Newest): readonly ((row: number) => Value)[] {
  if (shown.length === 0) return []
  const own = new Map(per.map((name) => [name, rows.byName.get(name)!]))
  return filledBy({ count: rows.count, byName: own }, shown).map(({ fill }) => valueOf(fill))
}

function valueOf(fill: Fill): (row: number) => Value {
  const slot: Value[] = [null]
  return (row) => {
    fill(slot, 0, 1, row, row + 1)
    return slot[0]!
  }
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
  const { table, key } = newest
  const hasKey = columnsOf(db, `${set}_rows`).some(({ name }) => name === '_key')
  const same = [['_version', '_version'], ['_seq', '_seq'], ...(hasKey ? [['_key', key]] : [])]
  const is = same.map(([name, other]) => `made."${name}" = ${table}."${other}"`).join(' AND ')
  db.write(() => db.prepare(`DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM ${rows} AS made WHERE ${is})`).run())
  const next = db.prepare(`SELECT min("_version") AS "version" FROM ${rows} WHERE "_version" > ?`)
  for (let version = -1; ;) {
    const found = db.read(() => next.get(version)?.['version'] as number | null)
    if (found === null) return
    await fillNewest(db, set, (version = found))
  }
}

/** In a store of before nothing points at any: all of them, in their order, have the newest of each key behind the others. */
async function* rowsBehind(db: Sqlite, read: Read, version: number, after: number): AsyncGenerator<Columns> {
  if (read.stored.length === 0) return
  for (let chunk = readChunk(db, read, version, after + 1, Number.MAX_SAFE_INTEGER); chunk;) {
    yield chunk.rows
    await nextTurn()
    chunk = readChunk(db, read, version, chunk.next, Number.MAX_SAFE_INTEGER)
  }
}

/** The rows that are pointed at, some keys at a time; one that somebody has pointed elsewhere meanwhile is left out. */
export async function* newestRows(db: Sqlite, set: string, version: number, after: number): AsyncGenerator<Columns> {
  const newest = db.read(() => newestOf(db, set))
  const stored = db.read(() => columnsOf(db, `${set}_rows`))
  const read: Read = { table: rowsTable(target, set), stored, wanted: written(stored) }
  if (!newest) return yield* rowsBehind(db, read, version, after)
  const { table, key } = newest
  const pointed = (from: string) =>
    db.prepare(
      `SELECT "${key}" AS "key", "_seq" AS "seq" FROM ${table} WHERE "_version" = ? AND "${key}" ${from} AND "_seq" > ? ` +
        `ORDER BY "${key}" LIMIT ${rowsPerChunk}`,
    )
  const isIts = stored.some(({ name }) => name === '_key')
    ? ` AND EXISTS (SELECT 1 FROM ${table} AS newest WHERE newest."_version" = made."_version" AND newest."${key}" = made."_key"` +
      ' AND newest."_seq" = made."_seq")'
    : ''
  const rest = `AS made WHERE made."_version" = ? AND made."_seq" IN (SELECT value FROM json_each(?))${isIts}`
  let [statement, last] = [pointed('>= ?'), '']
  for (;;) {
    const found = db.read(() => statement.all(version, last, after)) as { readonly key: string; readonly seq: number }[]
    if (found.length === 0) return
    const rows = readRows(db, read, rest, version, JSON.stringify([...new Set(found.map(({ seq }) => seq))]))
    if (rows.count > 0) yield rows
    ;[statement, last] = [pointed('> ?'), found.at(-1)!.key]
    await nextTurn()
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
  const found = new Map<string, number>()
  const place = db.prepare(`SELECT "_seq" FROM ${rows.table} WHERE "_version" = ? AND "_seq" <= ? ORDER BY "_seq" DESC LIMIT 1 OFFSET ?`)
  for (let last = range.first - 1; last >= 0 && found.size < leaving.size;) {
    const bound = db.read(() => place.get(version, last, rowsPerChunk - 1)?.['_seq'] as number | undefined) ?? 0
    const chunk = readRows(db, rows, 'WHERE "_version" = ? AND "_seq" BETWEEN ? AND ? ORDER BY "_seq"', version, bound, last)
    const keyAt = keysIn(chunk, newest.per)
    const seqs = columnOf(chunk, '_seq', 'int').values
    for (let row = chunk.count - 1; row >= 0; row--) {
      const key = keyAt(row)
      if (leaving.has(key) && !found.has(key)) found.set(key, seqs[row]!)
    }
    last = bound - 1
    await nextTurn()
  }
  const where = `WHERE "_version" = ? AND "${newest.key}" = ? AND "_seq" BETWEEN ? AND ?`
  db.write(() => {
    const back = db.prepare(`UPDATE ${newest.table} SET "_seq" = ? ${where}`)
    const gone = db.prepare(`DELETE FROM ${newest.table} ${where}`)
    for (const key of leaving) {
      const before = found.get(key)
      if (before === undefined) gone.run(version, key, range.first, range.last)
      else back.run(before, version, key, range.first, range.last)
    }
  })
}

function leavingKeys(db: Sqlite, { table, key, per }: Newest, rows: Read, version: number, { first, last }: Range): ReadonlySet<string> {
  if (last - first < fewRecords) {
    const chunk = readRows(db, rows, 'WHERE "_version" = ? AND "_seq" BETWEEN ? AND ?', version, first, last)
    const keyAt = keysIn(chunk, per)
    return new Set(Array.from({ length: chunk.count }, (_, row) => keyAt(row)))
  }
  const all = db.prepare(`SELECT "${key}" FROM ${table} WHERE "_version" = ? AND "_seq" BETWEEN ? AND ?`)
  return new Set(db.read(() => all.all(version, first, last)).map((row) => row[key] as string))
}
