/** One reading statement on SQLite, its cells as the warehouse's results have them. */
import type { Sqlite } from '../database.ts'
import type { Cell } from '../../sql/cells.ts'
import type { QueryResult } from '../../warehouse.ts'

export function* queryParts(db: Sqlite, sql: string): Generator<QueryResult> {
  for (const { columns, types, rows } of db.select(sql)) {
    const isFlag = types.map((type) => type === 'BOOLEAN')
    yield { columns, rows: rows.map((row) => row.map((cell, i) => (isFlag[i] && cell !== null ? Number(cell) === 1 : plain(cell)))) }
  }
}

/** Integers as numbers where that is exact; bytes, which no table of ours holds, as hexadecimal. */
function plain(cell: Cell | Uint8Array): Cell {
  if (typeof cell === 'bigint') return Number.isSafeInteger(Number(cell)) ? Number(cell) : cell
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell
}
