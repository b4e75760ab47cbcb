/** The columns of our tables in Redshift: a table is never made smaller, so what is known of it stays true. */
import type { StoredColumn } from '../sql/declared.ts'
import { factsOf, standingName, type Target } from '../sql/names.ts'
import { seenFrom, seenStatements, type Seen } from './catalog.ts'
import type { Waiting } from './patience.ts'
import type { Transactions } from './transactions.ts'
import type { Layout } from '../warehouse.ts'

export function columnsKnown(target: Target, sql: Transactions) {
  const known = new Map<string, readonly StoredColumn[]>()
  let hasBookkeeping = false
  const seen = (table: string, { bookkeeping, stored }: Seen) => {
    hasBookkeeping = bookkeeping
    if (stored.length > 0) known.set(table, stored)
    return stored
  }
  /** None: there is no such table. Looked at again where one of the names is not among what is known. */
  const of = async (table: string, names: readonly string[] = [], waiting?: Waiting): Promise<readonly StoredColumn[]> => {
    const before = known.get(table)
    if (before && names.every((name) => before.some((one) => one.name === name))) return before
    return seen(table, seenFrom(table, await sql.read(seenStatements(target, table), waiting)))
  }
  return {
    of,
    seen,
    bookkeeping: async (waiting?: Waiting) => hasBookkeeping || (await of('tidemark_versions', [], waiting), hasBookkeeping),
    /** When they were arranged. */
    forget(layout: Layout) {
      hasBookkeeping = true
      known.delete(`${layout.set}_rows`)
      for (const name of factsOf(layout)) known.delete(standingName(name))
    },
  }
}
