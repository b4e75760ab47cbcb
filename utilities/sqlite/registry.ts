/** The embedded registry: schemas in one SQLite file, with ids of the same form as Glue's. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { openSqlite } from './database.ts'
import { incompatible, labelled, reasonsAgainst, type Incompatibility, type Registered, type Registry } from '../registry.ts'

const tables = {
  schemas: `CREATE TABLE schemas (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  number INTEGER NOT NULL,
  definition TEXT NOT NULL,
  labels TEXT NOT NULL,
  UNIQUE (subject, number)
) WITHOUT ROWID`,
  identity: 'CREATE TABLE identity (id TEXT PRIMARY KEY) WITHOUT ROWID',
}

export function openEmbeddedRegistry(path: string, incompatibility: Incompatibility, { readOnly = false } = {}): Registry {
  const db = openSqlite(path, { tables, readOnly })
  const byId = (id: string) => registered(db.prepare('SELECT * FROM schemas WHERE id = ?').get(id))
  const bySubject = (subject: string) =>
    db
      .prepare('SELECT * FROM schemas WHERE subject = ? ORDER BY number')
      .all(subject)
      .map((row) => registered(row)!)

  const known = (subject: string, definition: string) => bySubject(subject).find((one) => one.definition === definition)

  const identified = () => db.prepare('SELECT id FROM identity').get()?.['id'] as string | undefined
  // A file of before has none, and gets it from whoever opens it first.
  const identify = () =>
    db.write(() => {
      if (identified() === undefined) db.prepare('INSERT INTO identity (id) VALUES (?)').run(randomUUID())
      return identified()!
    })
  return {
    identity: async () => ({ id: db.read(identified) ?? identify(), place: `${resolve(path)} on ${hostname()}` }),

    reasonsAgainst: async (subject, definition) => db.read(() => reasonsAgainst(incompatibility, definition, bySubject(subject))),

    async register(subject, definition) {
      // Most are there already, also for who may only read.
      return (
        db.read(() => known(subject, definition)) ??
        db.write(() => {
          const earlier = bySubject(subject)
          const same = known(subject, definition)
          if (same) return same
          const reasons = reasonsAgainst(incompatibility, definition, earlier)
          if (reasons.length > 0) throw incompatible(subject, reasons)
          const version: Registered = { id: randomUUID(), subject, number: earlier.length + 1, definition, labels: {} }
          const insert = db.prepare('INSERT INTO schemas (id, subject, number, definition, labels) VALUES (?, ?, ?, ?, ?)')
          insert.run(version.id, subject, version.number, definition, '{}')
          return version
        })
      )
    },

    async restore({ id, subject, definition }) {
      const insert = 'INSERT OR IGNORE INTO schemas (id, subject, number, definition, labels) VALUES (?, ?, ?, ?, ?)'
      db.write(() => db.prepare(insert).run(id, subject, bySubject(subject).length + 1, definition, '{}'))
    },

    find: async (id) => db.read(() => byId(id)),
    list: async (subject) => db.read(() => bySubject(subject)),
    async subjects() {
      const rows = db.read(() => db.prepare('SELECT DISTINCT subject FROM schemas ORDER BY subject').all())
      return rows.map((row) => row['subject'] as string)
    },

    async label(id, labels) {
      db.write(() => {
        const all = labelled(id, byId(id), labels)
        db.prepare('UPDATE schemas SET labels = ? WHERE id = ?').run(JSON.stringify(all), id)
      })
    },

    async close() {
      db.close()
    },
  }
}

function registered(row: Readonly<Record<string, unknown>> | undefined): Registered | undefined {
  if (!row) return undefined
  const { labels, ...version } = row as Omit<Registered, 'labels'> & { readonly labels: string }
  return { ...version, labels: JSON.parse(labels) as Record<string, string> }
}
