/** One write of the embedded warehouse: rows or facts, and progress, in one transaction, by whoever does it. */
import type { Columns } from '../../values/columns.ts'
import type { Sqlite } from '../database.ts'
import { checkColumns } from '../../sql/ddl.ts'
import { rowsTable, standingName, standingTable } from '../../sql/names.ts'
import { writeFacts } from './facts.ts'
import { keepNewest } from './newest.ts'
import { insertRows } from './rows.ts'
import { columnsOf, target } from './tables.ts'
import type { Lot, Progress } from '../../warehouse.ts'

export type Write = {
  readonly lots: readonly Lot[]
  readonly facts?: { readonly fact: string; readonly changes: readonly Columns[] }
  readonly progress: Progress | undefined
}

export function writeAll(db: Sqlite, { lots, facts, progress }: Write): void {
  db.write(() => {
    for (const { set, rows } of lots) {
      if (rows.count === 0) continue
      const stored = columnsOf(db, `${set}_rows`)
      checkColumns(set, stored, [...rows.byName.keys()])
      insertRows(db, rowsTable(target, set), stored, rows)
      keepNewest(db, set, rows)
    }
    for (const changes of facts?.changes ?? []) writeFacts(db, facts!.fact, changes)
    if (progress) putProgress(db, progress)
  })
}

export function forgetFacts(db: Sqlite, fact: string, places: readonly Progress[]): void {
  if (columnsOf(db, standingName(fact)).length > 0) db.prepare(`DELETE FROM ${standingTable(target, fact)}`).run()
  for (const place of places) putProgress(db, place)
}

function putProgress(db: Sqlite, { reader, next }: Progress): void {
  const now = `strftime('%Y-%m-%d %H:%M:%f', 'now')`
  db.prepare(`INSERT OR REPLACE INTO tidemark_progress (reader, next_offset, updated_at) VALUES (?, ?, ${now})`).run(reader, next)
}
