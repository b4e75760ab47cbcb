/** The facts that stand: one row for each key, the newest that is known of it. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { textsOf } from '../../values/cell-text.ts'
import { columnOf, pick, type Columns } from '../../values/columns.ts'
import type { Sqlite } from '../database.ts'
import { checkFactColumns } from '../../sql/ddl.ts'
import { identifier, standingName, standingTable } from '../../sql/names.ts'
import { readRows, rowsPerChunk, written } from './read.ts'
import { insertRows } from './rows.ts'
import { columnsOf, target } from './tables.ts'

/** Within a transaction. A fact that moved from one partition to another is told of by two readers, of which either may be ahead. */
export function writeFacts(db: Sqlite, fact: string, changes: Columns): void {
  if (changes.count === 0) return
  const table = standingTable(target, fact)
  const stored = columnsOf(db, standingName(fact))
  const byName = new Map([...changes.byName].filter(([name]) => name !== '_stands'))
  checkFactColumns(fact, stored, [...byName.keys()])
  const stands = columnOf(changes, '_stands', 'flag').values
  const rowsThat = (stand: number) => Int32Array.from(stands.keys()).filter((row) => stands[row] === stand)
  const put = pick({ count: changes.count, byName }, rowsThat(1))
  const others = [...byName.keys()].filter((name) => name !== '_key')
  const exact = stored.map(({ name }) => name).filter((name) => !byName.has(name))
  const given = [...others, ...exact].map((name) => `${identifier(name)} = excluded.${identifier(name)}`)
  if (put.count > 0)
    insertRows(db, table, stored, put, `ON CONFLICT ("_key") DO UPDATE SET ${given.join(', ')} WHERE excluded."_seq" >= ${table}."_seq"`)
  const gone = pick({ count: changes.count, byName }, rowsThat(0))
  const keyAt = textsOf(columnOf(gone, '_key', 'text'))
  const seqs = columnOf(gone, '_seq', 'int').values
  const remove = db.prepare(`DELETE FROM ${table} WHERE "_key" = ? AND "_seq" <= ?`)
  for (let row = 0; row < gone.count; row++) remove.run(keyAt(row), seqs[row]!)
}

export async function* readFacts(db: Sqlite, fact: string): AsyncGenerator<Columns> {
  const stored = db.read(() => columnsOf(db, standingName(fact)))
  if (stored.length === 0) return
  const read = { table: standingTable(target, fact), stored, wanted: written(stored) }
  let after = ''
  // A key of no characters is none: it would be of a table's null.
  for (;;) {
    const chunk = readRows(db, read, `WHERE "_key" > ? ORDER BY "_key" LIMIT ${rowsPerChunk}`, after)
    if (chunk.count === 0) return
    yield chunk
    after = textsOf(columnOf(chunk, '_key', 'text'))(chunk.count - 1)!
    await nextTurn()
  }
}
