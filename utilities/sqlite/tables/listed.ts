/**
 * Reads listed rows with what they refer to. Where a list is long, small tables are joined in memory; and rows that are the same in both
 * states, because nothing of what they are made of is staged, are read once for both.
 */
import type { Joined, Listed, State, StoredTable } from '../../tables.ts'
import type { Column, Columns } from '../../values/columns.ts'
import type { Sqlite } from '../database.ts'
import { cellsOf, columnFrom, type Cells } from './columns.ts'
import { joinedSql, placed, rowsOf, stagedOf, type Lies } from './joins.ts'
import { listedKeys, seq } from './lists.ts'
import { joinSmall, keysIn, smallRows, splitJoins, type SmallJoin, type SmallRows, type Split } from './small.ts'

/** A table is small beside a list of so many times its rows, if it has no more than so many, and the list no fewer. */
export type SmallAre = { readonly times: number; readonly most: number; readonly leastListed: number }

type Read = { readonly query: string; readonly from: number; readonly to: number; readonly cells: Cells; readonly columns: Columns }

export function listedReader(db: Sqlite, liesIn: (state: State) => (table: StoredTable) => Lies, { times, most, leastListed }: SmallAre) {
  const splits = new Map<Joined, Split>()
  const kept = new Map<string, SmallRows>()
  let last: Read | undefined
  let listed = 0

  const isSmall = (table: StoredTable): boolean => {
    if (listed < leastListed) return false
    const bound = Math.min(most, Math.floor(listed / times))
    const some = (from: string) => `SELECT 1 FROM ${from} LIMIT ${bound + 1}`
    const both = `SELECT count(*) AS count FROM (SELECT * FROM (${some(rowsOf(table))}) UNION ALL SELECT * FROM (${some(stagedOf(table))}))`
    return Number(db.prepare(both).get()!['count']) <= bound
  }
  const splitOf = (joined: Joined): Split => {
    const known = splits.get(joined) ?? splitJoins(joined, isSmall)
    splits.set(joined, known)
    return known
  }
  const rowsIn = (join: SmallJoin, lies: Lies): SmallRows => {
    const name = [lies, join.table.name, ...join.wanted].map((one) => JSON.stringify(one)).join()
    const known = kept.get(name) ?? smallRows(db, join, lies)
    kept.set(name, known)
    return known
  }
  const read = (inSql: Joined, lies: (table: StoredTable) => Lies, of: Listed, from: number, to: number): Read => {
    const sql = joinedSql(inSql, lies, listedKeys(inSql.of))
    const where = ['l.n > ?', 'l.n <= ?', ...sql.where].join(' AND ')
    const columns = ['l.n - 1', ...inSql.wanted.map(sql.expression)]
    const query = `SELECT ${columns.join(', ')} FROM temp.${of} l ${sql.from} WHERE ${where} ORDER BY l.n`
    if (last?.query === query && last.from === from && last.to === to) return last
    const cells = cellsOf(db, query, [from, to])
    const all = [seq, ...placed(inSql, inSql.wanted)]
    const byName = new Map(all.map(({ name, column }, at): [string, Column] => [name, columnFrom(column, cells, at)]))
    return (last = { query, from, to, cells, columns: { count: cells.length, byName } })
  }

  return {
    /** A new list, of so many rows, or other tables: what is known of those before does not hold. */
    forget(rows = listed): void {
      listed = rows
      last = undefined
      splits.clear()
      kept.clear()
    },
    rows(joined: Joined, state: State, of: Listed, from: number, to: number): Columns {
      const lies = liesIn(state)
      const { inSql, small } = splitOf(joined)
      const { cells, columns } = read(inSql, lies, of, from, to)
      if (small.length === 0) return columns
      const joins = small.map((join) => ({
        join,
        rows: rowsIn(join, lies(join.table)),
        keys: keysIn(cells, inSql.wanted.indexOf(join.on) + 1),
      }))
      return joinSmall(columns, joins)
    },
  }
}
