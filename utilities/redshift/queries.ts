/** What users ask of Redshift, and how much it holds. */
import { Problem } from '../values/problem.ts'
import { identifier, type Target } from '../sql/names.ts'
import { rowTablesStatement, sizeStatement } from './catalog.ts'
import { checkReads } from './reading.ts'
import type { Transactions } from './transactions.ts'
import type { QueryResult, Warehouse } from '../warehouse.ts'

export function queries(sql: Transactions, target: Target): Pick<Warehouse, 'query' | 'queryParts' | 'bytes'> {
  const schema = target.schema!

  async function* partsOf(text: string, signal?: AbortSignal): AsyncGenerator<QueryResult, void, undefined> {
    checkReads(text)
    signal?.throwIfAborted()
    try {
      for await (const { columns, rows } of sql.pages([`SET LOCAL search_path TO ${identifier(schema)}, public`, text], 2, signal)) {
        yield { columns, rows }
        signal?.throwIfAborted()
      }
    } catch (error) {
      if (!(error instanceof Problem && error.what.startsWith('Redshift refused'))) throw error
      throw new Problem(error.what, 'Correct the statement.', { cause: error })
    }
  }

  /** Where the sizes may not be looked at: eight bytes for each value. */
  async function estimatedBytes(): Promise<number> {
    const [tables] = await sql.read([rowTablesStatement(target)])
    const sizes = await Promise.all(
      tables!.map(async ([table, columns]) => {
        const [counted] = await sql.read([`SELECT count(*) FROM ${identifier(schema)}.${identifier(String(table))}`])
        return Number(counted![0]![0]) * Number(columns) * 8
      }),
    )
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  return {
    async query(text): Promise<QueryResult> {
      const rows: QueryResult['rows'][number][] = []
      let columns: readonly string[] = []
      for await (const part of partsOf(text)) {
        columns = part.columns
        for (const row of part.rows) rows.push(row)
      }
      return { columns, rows }
    },

    queryParts: partsOf,

    async bytes() {
      try {
        return Number((await sql.read([sizeStatement(target)]))[0]![0]![0] ?? 0)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        return estimatedBytes()
      }
    },
  }
}
