/** Transactions on Redshift that outlive lost replies and trouble that passes: none runs twice, none is lost. */
import { randomUUID } from 'node:crypto'
import type { Cell } from '../sql/cells.ts'
import { RolledBack, type DataApi, type Page } from './api.ts'
import type { Retry, Waiting } from './patience.ts'

type RunOptions = Waiting & {
  /**
   * The same for the same statements in the same state of the warehouse, so that whoever comes after a crash finds the transaction that is
   * under way.
   */
  readonly token?: string | undefined
  /** Stops the transaction when it aborts. */
  readonly cancel?: AbortSignal | undefined
}

export interface Transactions {
  /** Resolves with the batch's id once it has committed. */
  run(statements: readonly string[], options?: RunOptions): Promise<string>
  /** The rows of each statement, all from one transaction. */
  read(statements: readonly string[], waiting?: Waiting): Promise<readonly (readonly (readonly Cell[])[])[]>
  /** The result of one statement, in parts as they come. */
  pages(statements: readonly string[], statement: number, cancel?: AbortSignal): AsyncIterable<Page>
  /** All rows of a statement of a batch that has committed. */
  rows(batch: string, statement: number, waiting?: Waiting): Promise<readonly (readonly Cell[])[]>
}

export function transactions(api: DataApi, retry: Retry): Transactions {
  const run: Transactions['run'] = (statements, { token, cancel, ...waiting } = {}) => {
    let current = token ?? randomUUID()
    return retry(
      async () => {
        for (;;) {
          try {
            return await api.batch(statements, current, cancel)
          } catch (error) {
            if (!(error instanceof RolledBack)) throw error
            // The token stands for what failed, for hours. That it failed is believed of a fresh one only: another process may have used
            // the given one, in other circumstances.
            const given = current === token
            current = randomUUID()
            if (!given) throw error
          }
        }
      },
      cancel ? { ...waiting, signal: cancel } : waiting,
    )
  }

  async function* pagesOf(batch: string, statement: number, waiting?: Waiting) {
    for (let token: string | undefined; ;) {
      const page = await retry(() => api.page(batch, statement, token), waiting)
      yield page
      if (page.next === undefined) return
      token = page.next
    }
  }

  const rows: Transactions['rows'] = async (batch, statement, waiting) => {
    const all: (readonly Cell[])[] = []
    for await (const page of pagesOf(batch, statement, waiting)) for (const row of page.rows) all.push(row)
    return all
  }

  return {
    run,
    rows,
    async read(statements, waiting) {
      const batch = await run(statements, waiting)
      const results: (readonly (readonly Cell[])[])[] = []
      for (const i of statements.keys()) results.push(await rows(batch, i + 1, waiting))
      return results
    },
    async *pages(statements, statement, cancel) {
      yield* pagesOf(await run(statements, { cancel }), statement, { signal: cancel })
    },
  }
}
