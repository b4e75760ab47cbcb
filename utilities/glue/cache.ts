/**
 * What a Glue registry has answered, on disk: definitions for good, because a version never changes; lists and labels as they were last
 * seen.
 */
import { openSqlite } from '../sqlite/database.ts'
import type { Registered } from '../registry.ts'

const tables = {
  versions: `CREATE TABLE versions (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  number INTEGER NOT NULL,
  definition TEXT NOT NULL,
  labels TEXT NOT NULL
) WITHOUT ROWID`,
  answers: `CREATE TABLE answers (
  registry TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (registry, question)
) WITHOUT ROWID`,
}

export interface GlueCache {
  version(id: string): Registered | undefined
  keep(version: Registered): void
  /** As last listed; undefined when nobody ever asked: an empty list would be a lie. */
  list(subject: string): readonly Registered[] | undefined
  keepList(subject: string, versions: readonly Registered[]): void
  subjects(): readonly string[] | undefined
  keepSubjects(subjects: readonly string[]): void
  close(): void
}

/** Any number of processes share the file, and who may only read keeps nothing in it. `registry` tells one registry from another in it. */
export function openGlueCache(path: string, registry: string, { readOnly = false } = {}): GlueCache {
  const db = openSqlite(path, { readOnly, tables })
  const byId = (id: string): Registered | undefined => {
    const row = db.prepare('SELECT id, subject, number, definition, labels FROM versions WHERE id = ?').get(id)
    return row && ({ ...row, labels: JSON.parse(row['labels'] as string) } as Registered)
  }
  const put = (version: Registered) => {
    const { id, subject, number, definition } = version
    const labels = JSON.stringify(version.labels)
    db.prepare('INSERT INTO versions VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET labels = excluded.labels').run(
      id,
      subject,
      number,
      definition,
      labels,
    )
  }
  const answer = (question: string): readonly string[] | undefined => {
    const row = db.prepare('SELECT answer FROM answers WHERE registry = ? AND question = ?').get(registry, question)
    return row && (JSON.parse(row['answer'] as string) as string[])
  }
  const remember = (question: string, names: readonly string[]) => {
    db.prepare('INSERT INTO answers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET answer = excluded.answer').run(
      registry,
      question,
      JSON.stringify(names),
    )
  }
  // A consumer asks every few seconds and mostly hears what it knows: then nothing is written.
  const unlessKnown = (known: boolean, work: () => void) => {
    if (!known && !readOnly) db.write(work)
  }
  const isKnown = (version: Registered) => JSON.stringify(byId(version.id)?.labels) === JSON.stringify(version.labels)
  const same = (one: readonly string[] | undefined, other: readonly string[]) => JSON.stringify(one) === JSON.stringify(other)

  return {
    version: byId,
    keep: (version) => unlessKnown(isKnown(version), () => put(version)),
    list: (subject) => answer(`list ${subject}`)?.flatMap((id) => byId(id) ?? []),
    keepList(subject, versions) {
      const ids = versions.map(({ id }) => id)
      unlessKnown(same(answer(`list ${subject}`), ids) && versions.every(isKnown), () => {
        versions.forEach(put)
        remember(`list ${subject}`, ids)
      })
    },
    subjects: () => answer('subjects'),
    keepSubjects: (subjects) => unlessKnown(same(answer('subjects'), subjects), () => remember('subjects', subjects)),
    close: () => db.close(),
  }
}
