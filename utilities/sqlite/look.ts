/** What a database file is found to be, without changing it. */
import type { DatabaseLook } from '../values/look.ts'
import { openSqlite } from './database.ts'

/** `deep` reads all of it: `sound`, or the first thing that is not. Else it is `opened`. */
export function lookAtDatabase(path: string, { deep }: { readonly deep: boolean }): DatabaseLook {
  const db = openSqlite(path, { readOnly: true })
  try {
    const look = (sql: string) => db.read(() => db.prepare(sql).all()).map((row) => String(Object.values(row)[0]))
    if (look('SELECT name FROM sqlite_schema LIMIT 1').length === 0) return { state: 'empty' }
    if (!deep) return { state: 'opened' }
    const [verdict] = look('PRAGMA quick_check(1)')
    return verdict === 'ok' ? { state: 'sound' } : { damage: verdict! }
  } finally {
    db.close()
  }
}
