/** A commit of the embedded log: messages and entries in one transaction, by whoever still holds the writer's name. */
import { saveEntries } from './checkpoints.ts'
import type { Sqlite } from './database.ts'
import { appendBatch } from './topics.ts'
import type { Save } from '../checkpoints.ts'
import { Fenced, type Append } from '../log.ts'

export type Commit = {
  readonly writer: { readonly name: string; readonly epoch: number }
  readonly append: readonly Append[]
  readonly save: Iterable<Save>
}

/** The offset of the first message of each append. */
export const commitTo = (db: Sqlite, { writer: { name, epoch }, append, save }: Commit): readonly number[] =>
  db.write(() => {
    const holder = db.prepare('SELECT epoch FROM writers WHERE name = ?').get(name)!['epoch']
    if (holder !== epoch) throw new Fenced(`somebody else took over as ${name}`)
    const offsets = append.map((one) => appendBatch(db, one))
    saveEntries(db, save)
    return offsets
  })
