/** The door to DuckDB: what batch is measured against. */
import type { DuckDBValue } from '@duckdb/node-api'
import { Problem } from '../utilities/values/problem.ts'

export type Duckdb = {
  run(sql: string): Promise<void>
  /** Row by row, in pieces: a large result is never held as a whole. */
  rows(sql: string): AsyncIterable<readonly (readonly DuckDBValue[])[]>
  close(): void
}

const load = () =>
  import('@duckdb/node-api').catch((cause: unknown) => {
    throw new Problem('DuckDB is not installed', 'Install it with: npm ci.', { cause })
  })

/** undefined when it is not installed. */
export const duckdbVersion = async (): Promise<string | undefined> =>
  load().then(
    ({ version }) => version(),
    () => undefined,
  )

export async function openDuckdb(path: string, options: Readonly<Record<string, string>> = {}): Promise<Duckdb> {
  const { DuckDBInstance } = await load()
  const instance = await DuckDBInstance.create(path, options)
  const connection = await instance.connect()
  return {
    async run(sql) {
      await connection.run(sql)
    },
    async *rows(sql) {
      const result = await connection.stream(sql)
      for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) yield chunk.getRows()
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
