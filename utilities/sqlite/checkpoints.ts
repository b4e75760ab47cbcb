/** Checkpoints in the file of the embedded log, so that they commit with the messages. */
import { openSqlite, type Sqlite } from './database.ts'
import type { Checkpoints, Save } from '../checkpoints.ts'

export const checkpointTables = {
  checkpoints: `CREATE TABLE checkpoints (
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (name, key)
) WITHOUT ROWID`,
}

/** Of many entries each statement puts so many: it costs half of what a statement for each does. */
const perStatement = 20

/** Puts the entries; to be called inside the transaction of the commit that they belong to. */
export function saveEntries(db: Sqlite, save: Iterable<Save>): void {
  const put = (rows: number) =>
    db.prepare(`INSERT OR REPLACE INTO checkpoints (name, key, value) VALUES ${Array(rows).fill('(?, ?, ?)').join(', ')}`)
  const remove = db.prepare('DELETE FROM checkpoints WHERE name = ? AND key = ?')
  const [one, many] = [put(1), put(perStatement)]
  const args: (string | Uint8Array)[] = []
  const putRest = () => {
    for (let i = 0; i < args.length; i += 3) one.run(args[i]!, args[i + 1]!, args[i + 2]!)
    args.length = 0
  }
  for (const { name, key, value } of save) {
    // What is removed comes between what is put, in the order given.
    if (value === null) {
      putRest()
      remove.run(name, key)
      continue
    }
    args.push(name, key, value)
    if (args.length < 3 * perStatement) continue
    many.run(...args)
    args.length = 0
  }
  putRest()
}

/** `path` is the log's own file. */
export function openEmbeddedCheckpoints(path: string, { readOnly = false } = {}): Checkpoints & { close(): Promise<void> } {
  const db = openSqlite(path, { readOnly, tables: checkpointTables })
  return {
    async load(name) {
      const rows = db.read(() => db.prepare('SELECT key, value FROM checkpoints WHERE name = ?').all(name))
      return new Map(rows.map(({ key, value }) => [key as string, value as Uint8Array]))
    },
    async lookup(name) {
      const find = db.prepare('SELECT value FROM checkpoints WHERE name = ? AND key = ?')
      return { get: (key) => find.get(name, key)?.['value'] as Uint8Array | undefined }
    },
    async *entries(name) {
      const next = 'SELECT key, value FROM checkpoints WHERE name = ? AND key > ? ORDER BY key LIMIT 5000'
      const first = 'SELECT key, value FROM checkpoints WHERE name = ? AND key >= ? ORDER BY key LIMIT 5000'
      for (let after: string | undefined; ;) {
        const rows = db.read(() => db.prepare(after === undefined ? first : next).all(name, after ?? ''))
        if (rows.length === 0) return
        yield rows.map(({ key, value }) => [key as string, value as Uint8Array] as const)
        after = rows.at(-1)!['key'] as string
      }
    },
    async names(prefix) {
      const names: string[] = []
      db.read(() => {
        // A name may have millions of entries: hop from name to name instead of reading them all.
        const first = db.prepare('SELECT name FROM checkpoints WHERE name >= ? ORDER BY name LIMIT 1')
        const after = db.prepare('SELECT name FROM checkpoints WHERE name > ? ORDER BY name LIMIT 1')
        let name = first.get(prefix)?.['name'] as string | undefined
        while (name?.startsWith(prefix)) {
          names.push(name)
          name = after.get(name)?.['name'] as string | undefined
        }
      })
      return names
    },
    async close() {
      db.close()
    },
  }
}
