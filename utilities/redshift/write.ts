/**
 * One write into Redshift: rows into a table of their own, from there in place of those with the same key, and the progress, in one
 * transaction.
 */
import { randomUUID } from 'node:crypto'
import type { Columns } from '../values/columns.ts'
import { Problem } from '../values/problem.ts'
import type { Target } from '../sql/names.ts'
import { mostStatements } from './api.ts'
import { inserts } from './literals.ts'
import { moved, stage, type Load } from './load.ts'
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
  /** In the order in which they are written. */
  readonly loads: readonly Load[]
  readonly progress: Progress | undefined
  readonly signal: AbortSignal | undefined
}

/** Some rows of a load with the statements that bring them, all in one transaction; through a file where there is one. */
type Piece = { readonly load: Load; readonly rows: Columns; readonly filled: readonly string[]; readonly files?: readonly Uint8Array[] }

export interface Writer {
  write(write: Write): Promise<void>
  /** What is known to be saved for the reader; nothing, where it has to be asked for. */
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
    const { progress, signal } = write
    const waiting = { outage: true, signal }
    if (!progress) return void (await transactions.run([lockText(target), ...statements], waiting))
    const before = await savedBefore(write)
    known.delete(progress.reader)
    const all = [lockText(target), ...statements, ...saveStatements(target, progress)]
    const batch = await transactions.run(all, { ...waiting, token: writeToken(before, progress, namesOf(write), content) })
    // Without it the next write asks: what is written stays written.
    const saved = await transactions.rows(batch, all.length, { signal }).then(savedFrom, () => undefined)
    if (saved) known.set(progress.reader, saved)
  }

  /** One transaction, whose files are there before it and gone after it. */
  const writePieces = async (pieces: readonly Piece[], write: Write): Promise<void> => {
    const { progress, signal } = write
    const content = hashOf(...pieces.flatMap(({ load, rows, filled, files = [] }) => [...files, ...moved(load, rows, filled)]))
    const name = (progress && writeToken(await savedBefore(write), progress, namesOf(write), content)) ?? hashOf(randomUUID())
    const staged = pieces.flatMap(({ files }, i) => (files ? [{ name: i === 0 ? name : hashOf(name, String(i)), files, i }] : []))
    for (const { name, files } of staged) await retry(() => staging!.put(name, files), { outage: true, signal, on: staging!.name })
    const filledBy = (i: number) => staged.filter((one) => one.i === i).map((one) => staging!.copyText(stage, one.name))
    try {
      const statements = pieces.flatMap(({ load, rows, filled }, i) => moved(load, rows, [...filled, ...filledBy(i)]))
      await commit(statements, write, content)
    } finally {
      for (const { name, files } of staged)
        await besides('the files in the staging bucket cannot be removed', () => staging!.remove(name, files))
    }
  }

  return {
    async write(write) {
      const loads = write.loads.filter(({ rows }) => rows.count > 0)
      if (loads.length === 0) return void (write.progress && (await commit([], write, '')))
      let together: Piece[] = []
      for (const load of loads) {
        for await (const piece of piecesOf(load, staging)) {
          if (together.length > 0 && size([...together, piece]) > spare) {
            // The progress rides on the last: rows written before it are written again after a crash, onto themselves.
            await writePieces(together, { ...write, progress: undefined })
            together = []
          }
          together.push(piece)
        }
      }
      await writePieces(together, write)
    },
    remember(reader, saved) {
      if (saved) known.set(reader, saved)
      else known.delete(reader)
    },
  }
}

/** Beside the lock and the progress. */
const spare = mostStatements - 1 - 3

const size = (pieces: readonly Piece[]) =>
  pieces.reduce((sum, { load, rows, filled, files }) => sum + moved(load, rows, filled).length + (files ? 1 : 0), 0)

const namesOf = ({ loads }: Write) => [...new Set(loads.map(({ name }) => name))].join()

async function* piecesOf(load: Load, staging: Staging | undefined): AsyncGenerator<Piece> {
  const { rows, stored } = load
  if (staging && (rows.count > leastRowsForCopy || hasLongRow(rows)))
    return yield { load, rows, filled: [], files: await parquetOf(rows, stored) }
  let texts: string[] = []
  let rowsBefore = 0
  for (const insert of inserts(stage, rows)) {
    if (!insert) {
      const todo = "Name a bucket under the warehouse's staging in the config file: rows then go through files."
      throw new Problem(`a row of ${load.name} is longer than a statement can be`, todo)
    }
    texts.push(insert.text)
    if (moved(load, rows, texts).length < spare && insert.to < rows.count) continue
    yield { load, rows: slice(rows, rowsBefore, insert.to), filled: texts }
    rowsBefore = insert.to
    texts = []
  }
}

/** Rows too long for an INSERT go through a file. */
function hasLongRow(rows: Columns): boolean {
  for (const insert of inserts(stage, rows)) if (!insert) return true
  return false
}

/** Only the keys: what the range of a part is read from. */
const slice = ({ byName }: Columns, from: number, to: number): Columns => ({
  count: to - from,
  byName: new Map(
    [...byName].map(([name, column]) => [name, column.kind === 'int' ? { kind: 'int', values: column.values.subarray(from, to) } : column]),
  ),
})
