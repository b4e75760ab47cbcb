/** Batch: the real `backfill` in a fresh data directory, and DuckDB on the same file, taking turns. */
import { join } from 'node:path'
import { run, type Finished } from './child.ts'
import type { Compared } from './compare.ts'
import type { Data } from './data.ts'
import { inScratch } from './scratch.ts'

export type BatchResult = {
  readonly tidemark: readonly Finished[]
  readonly duckdb: readonly Finished[]
  readonly compared: Compared | undefined
}

export type BatchOptions = {
  readonly runs: number
  readonly withDuckdb: boolean
  readonly nodeOptions: readonly string[]
  readonly say: (text: string) => void
}

export async function measureBatch(
  { file, rows, years }: Data,
  { runs, withDuckdb, nodeOptions, say }: BatchOptions,
): Promise<BatchResult> {
  const tidemark: Finished[] = []
  const duckdb: Finished[] = []
  let compared: Compared | undefined
  for (let turn = 1; turn <= runs; turn++) {
    await inScratch(async ({ dir, configFile }) => {
      // A version is applied once, a batch comes every time: only the batch is timed.
      await run('tidemark.js', ['apply', 'loan_risk@0', '--yes', '--config', configFile])
      const mine = await run('tidemark.js', ['backfill', '--years', years, '--file', file, '--config', configFile, '--json'], nodeOptions)
      const done = JSON.parse(mine.stdout) as { rows: number }
      if (done.rows !== rows) throw new Error(`backfill wrote ${done.rows} rows of ${rows}`)
      tidemark.push(mine)
      say(`batch of ${rows}, run ${turn}: tidemark ${mine.seconds.toFixed(2)} s`)
      if (!withDuckdb) return
      const path = join(dir, 'duck.db')
      const theirs = await run('bench/batch-duckdb.ts', [file, path])
      duckdb.push(theirs)
      say(`batch of ${rows}, run ${turn}: DuckDB   ${theirs.seconds.toFixed(2)} s`)
      // Every run makes the same tables: one proof is enough.
      if (turn === runs) compared = JSON.parse((await run('bench/compare.ts', [configFile, path])).stdout) as Compared
    })
  }
  return { tidemark, duckdb, compared }
}
