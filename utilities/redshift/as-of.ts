/** The rows of labels by one statement of Redshift: labels go there through the staging bucket, and their rows come back that way. */
import { randomUUID } from 'node:crypto'
import { parquetColumnsOf } from '../parquet/read-columns.ts'
import { asOfText, labelColumns } from '../sql/as-of.ts'
import { columnsFor } from '../sql/declared.ts'
import { identifier, type Target } from '../sql/names.ts'
import { Problem } from '../values/problem.ts'
import type { AsOf, Warehouse } from '../warehouse.ts'
import type { Retry } from './patience.ts'
import { hashOf } from './progress.ts'
import { parquetOf, type Staging } from './staging.ts'
import type { Transactions } from './transactions.ts'

type Into = {
  readonly target: Target
  readonly transactions: Transactions
  readonly retry: Retry
  readonly staging: Staging | undefined
  /** Does work that nothing depends on. */
  readonly besides: (what: string, work: () => Promise<unknown>) => Promise<void>
}

const labelsTable = identifier('tidemark_labels')

export function asOfIn({ target, transactions, retry, staging, besides }: Into): Required<Pick<Warehouse, 'asOf' | 'asOfStatement'>> {
  return {
    asOfStatement: (asked, labels) => asOfText(target, identifier(labels), asked),
    async *asOf(asked, labels, signal) {
      if (!staging)
        throw new Problem('labels go into Redshift through files', 'Name a bucket under "staging" of the warehouse in the config file.')
      const stored = storedFor(target, asked)
      const name = hashOf(randomUUID())
      const files = await parquetOf(labels, stored)
      const waiting = { signal, on: staging.name }
      try {
        await retry(() => staging.put(name, files), waiting)
        await transactions.run(
          [
            `CREATE TEMP TABLE ${labelsTable} (${stored.map((one) => `${identifier(one.name)} ${one.type}`).join(', ')})`,
            staging.copyText(labelsTable, name),
            staging.unloadText(asOfText(target, labelsTable, asked), name),
            `DROP TABLE ${labelsTable}`,
          ],
          { cancel: signal },
        )
        for await (const bytes of staging.unloaded(name)) {
          const file = await parquetColumnsOf(`${staging.name}, ${name}`, bytes)
          yield* file.read(
            file.columns.map((column) => column.name),
            signal,
          )
        }
      } finally {
        await besides('the files in the staging bucket cannot be removed', async () => {
          await staging.remove(name, files)
          await staging.removeUnloaded(name)
        })
      }
    },
  }
}

const storedFor = (target: Target, { per }: AsOf) => labelColumns(per).flatMap((column) => columnsFor(target, column))
