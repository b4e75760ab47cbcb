/**
 * One write into Redshift: rows into a table of their own, from there in place of those with the same key, and the progress, in one
 * transaction.
 */
import { randomUUID } from 'node:crypto'
import { columnOf, type Columns } from '../values/columns.ts'
import { Problem } from '../values/problem.ts'
import { identifier, rowsTable, type Target } from '../sql/names.ts'
import type { StoredColumn } from '../sql/declared.ts'
import { mostStatements } from './api.ts'
import { inserts } from './literals.ts'
import type { Retry } from './patience.ts'
import { hashOf, lockText, saveStatements, savedFrom, savedOf, writeToken, type SavedProgress } from './progress.ts'
import { parquetOf, type Staging } from './staging.ts'
import type { Transactions } from './transactions.ts'
import type { Progress } from '../warehouse.ts'

/** Fewer are about ten INSERT statements, which cost less than a file, a manifest and a COPY. */
export const leastRowsForCopy = 5_000

export type Into = {
  readonly target: Target
  readonly transactions: Transactions
  readonly retry: Retry
  readonly staging: Staging | undefined
  /** Does work that nothing depends on. */
  readonly besides: (what: string, work: () => Promise<unknown>) => Promise<void>
}

type Write = {
  readonly set: string
  readonly rows: Columns
  readonly stored: readonly StoredColumn[]
  readonly progress: Progress | undefined
  readonly signal: AbortSignal | undefined
}

const stage = identifier('tidemark_stage')

export interface Writer {
  write(write: Write): Promise<void>
  /** What is known to be saved for the reader. */
  remember(reader: string, saved: SavedProgress | undefined): void
}

export function writerInto({ target, transactions, retry, staging, besides }: Into): Writer {
  const known = new Map<string, SavedProgress>()

  const savedBefore = async ({ progress, signal }: Write): Promise<SavedProgress | undefined> => {
    if (!progress) return undefined
    const saved = known.get(progress.reader) ?? (await savedOf(target, transactions, progress.reader, { outage: true, signal }))
    if (saved) known.set(progress.reader, saved)
    return saved
  }

  /** Runs the statements with the progress behind them; its name is made from the content. */
  const commit = async (statements: readonly string[], write: Write, content: string): Promise<void> => {
    const { set, progress, signal } = write
    const waiting = { outage: true, signal }
    if (!progress) return void (await transactions.run([lockText(target), ...statements], waiting))
    const before = await savedBefore(write)
    known.delete(progress.reader)
    const all = [lockText(target), ...statements, ...saveStatements(target, progress)]
    const batch = await transactions.run(all, { ...waiting, token: writeToken(before, progress, set, content) })
    // Without it the next write asks: what is written stays written.
    const saved = await transactions.rows(batch, all.length, { signal }).then(savedFrom, () => undefined)
    if (saved) known.set(progress.reader, saved)
  }

  const byCopy = async (through: Staging, write: Write): Promise<void> => {
    const { set, rows, stored, progress, signal } = write
    const files = await parquetOf(rows, stored)
    const content = hashOf(...files, ...moved(target, write, []))
    const name = (progress && writeToken(await savedBefore(write), progress, set, content)) ?? hashOf(randomUUID())
    await retry(() => through.put(name, files), { outage: true, signal, on: through.name })
    try {
      await commit(moved(target, write, [through.copyText(stage, name)]), write, content)
    } finally {
      await besides('the files in the staging bucket cannot be removed', () => through.remove(name, files))
    }
  }

  const byInserts = async (write: Write): Promise<void> => {
    const spare = mostStatements - 1 - moved(target, write, []).length - 3
    let texts: string[] = []
    let rowsBefore = 0
    for (const insert of inserts(stage, write.rows)) {
      if (!insert) {
        const todo = "Name a bucket under the warehouse's staging in the config file: rows then go through files."
        throw new Problem(`a row of ${write.set} is longer than a statement can be`, todo)
      }
      texts.push(insert.text)
      if (texts.length < spare && insert.to < write.rows.count) continue
      // The progress rides on the last: rows written before it are written again after a crash, onto themselves.
      const part = {
        ...write,
        rows: slice(write.rows, rowsBefore, insert.to),
        progress: insert.to === write.rows.count ? write.progress : undefined,
      }
      const statements = moved(target, part, texts)
      await commit(statements, part, hashOf(...statements))
      rowsBefore = insert.to
      texts = []
    }
  }

  return {
    async write(write) {
      if (write.rows.count === 0) {
        if (write.progress) await commit([], write, '')
      } else if (staging && (write.rows.count > leastRowsForCopy || hasLongRow(write.rows))) await byCopy(staging, write)
      else await byInserts(write)
    },
    remember(reader, saved) {
      if (saved) known.set(reader, saved)
    },
  }
}

/** Rows too long for an INSERT go through a file. */
function hasLongRow(rows: Columns): boolean {
  for (const insert of inserts(stage, rows)) if (!insert) return true
  return false
}

/** Only the keys: what the range of a part is read from. */
const slice = ({ byName }: Columns, from: number, to: number): Columns => {
  const part = (name: string) =>
    [name, { kind: 'int', values: columnOf({ count: 0, byName }, name, 'int').values.subarray(from, to) }] as const
  return {
    count: to - from,
    byName: new Map([...byName].map(([name, column]) => (name === '_seq' || name === '_version' ? part(name) : [name, column]))),
  }
}

function moved(target: Target, { set, rows, stored }: Write, filled: readonly string[]): readonly string[] {
  const names = [...rows.byName.keys()]
  const columns = names.map((name) => `${identifier(name)} ${stored.find((one) => one.name === name)!.type}`)
  const list = names.map(identifier).join(', ')
  const table = rowsTable(target, set)
  // The ranges say nothing new, but they tell which blocks of the sorted table need not be looked at.
  const ranges = ['_version', '_seq'].map((name) => `${table}.${identifier(name)} BETWEEN ${rangeOf(columnOf(rows, name, 'int').values)}`)
  const same = ['_version', '_seq'].map((name) => `${table}.${identifier(name)} = ${stage}.${identifier(name)}`)
  return [
    `CREATE TEMP TABLE ${stage} (${columns.join(', ')})`,
    ...filled,
    `DELETE FROM ${table} USING ${stage} WHERE ${[...same, ...ranges].join(' AND ')}`,
    `INSERT INTO ${table} (${list}) SELECT ${list} FROM ${stage}`,
    `DROP TABLE ${stage}`,
  ]
}

function rangeOf(values: Float64Array): string {
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)]
  return `${least} AND ${most}`
}
