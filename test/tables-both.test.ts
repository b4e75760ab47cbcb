/** Both states of joined rows, read at once, are those that one look after the other finds. */
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { canRead } from '../utilities/sqlite/tables/both.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import type { Joined, StoredTable } from '../utilities/tables.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { columnsOf, rowsOf, type Plain, type PlainRow } from './plain-columns.ts'

const lands: StoredTable = {
  name: 'lands',
  key: ['code', 'part'],
  fields: { code: { kind: 'text' }, part: { kind: 'integer' }, name: { kind: 'text' }, chief: { kind: 'integer' } },
}
const chiefs: StoredTable = { name: 'chiefs', key: ['id'], fields: { id: { kind: 'integer' }, born: { kind: 'date' } } }
const towns: StoredTable = {
  name: 'towns',
  key: ['name'],
  fields: { name: { kind: 'text' }, land: { kind: 'text' }, part: { kind: 'integer' }, big: { kind: 'flag' } },
}
const people: StoredTable = {
  name: 'people',
  key: ['id', 'word'],
  fields: { id: { kind: 'integer' }, word: { kind: 'text' }, town: { kind: 'text' }, born: { kind: 'number' } },
}
const all = [lands, chiefs, towns, people]
const joinedWith = (optional: readonly boolean[]): Joined => ({
  of: people,
  join: {
    town: { table: towns, on: ['town'], optional: optional[0]! },
    land: { table: lands, on: ['town.land', 'town.part'], optional: optional[1]! },
    chief: { table: chiefs, on: ['land.chief'], optional: optional[2]! },
    same: { table: towns, on: ['word'], optional: true },
  },
  wanted: ['id', 'word', 'born', 'town.name', 'town.big', 'land.name', 'land.code', 'chief.id', 'chief.born', 'same.land'],
})

const word = fc.constantFrom('', 'a', 'ä', '"b\\', '𝄞', '1')
const number = fc.constantFrom<Plain>(0, 1, 2, -1, 2n ** 62n)
const rowOf = (table: StoredTable): fc.Arbitrary<PlainRow> =>
  fc.record(
    Object.fromEntries(
      Object.entries(table.fields).map(([name, { kind }]): [string, fc.Arbitrary<Plain>] => {
        const some: fc.Arbitrary<Plain> =
          kind === 'text' ? word : kind === 'integer' ? number : kind === 'flag' ? fc.boolean() : fc.integer({ min: 0, max: 3 })
        return [name, table.key.includes(name) ? some : fc.option(some)]
      }),
    ),
  )
const keyOf = ({ key }: StoredTable, row: PlainRow) => key.map((name) => `${typeof row[name]} ${String(row[name])}`).join()
const eachOnce = (table: StoredTable, rows: readonly PlainRow[]) => [...new Map(rows.map((row) => [keyOf(table, row), row])).values()]
const withKnown = (columns: Columns, moments: readonly bigint[]): Columns => ({
  count: columns.count,
  byName: new Map([
    ...columns.byName,
    ['_known', { kind: 'long', values: BigInt64Array.from({ length: columns.count }, (_, row) => moments[row % moments.length]!) }],
  ]),
})
const rows = fc.tuple(...all.map((table) => fc.array(rowOf(table), { maxLength: 12 })))
const moment = (finest: bigint) => fc.bigInt(1n, 900n).map((one) => 1_790_000_000_000_000_000n + one * finest)

describe('both states of rows that are joined', { timeout: 120_000 }, () => {
  for (const [said, finest] of [
    ['moments of whole microseconds', 1000n],
    ['finer ones', 1n],
  ] as const)
    it(`are what one state and then the other are, with ${said}`, () => {
      const life = fc.property(
        rows,
        rows,
        rows,
        fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
        fc.array(moment(finest), { minLength: 3, maxLength: 12 }),
        fc.boolean(),
        (stand, change, leave, optional, moments, startsEmpty) => {
          const tables = openSqliteTables(':memory:')
          onTestFinished(() => tables.close())
          tables.renew(all)
          const put = (given: readonly (readonly PlainRow[])[], then: (table: StoredTable, columns: Columns) => void) => {
            for (const [i, table] of all.entries()) {
              const own = eachOnce(table, given[i]!)
              if (own.length > 0) then(table, columnsOf(table.fields, own))
            }
          }
          put(stand, (table, columns) => (startsEmpty && table === towns ? undefined : tables.fill(table.name, columns)))
          tables.settle({ commit: 1, token: '' })
          put(change, (table, columns) => tables.stage(table.name, withKnown(columns, moments)))
          put(leave, (table, columns) => tables.stageGone(table.name, withKnown(columns, moments.toReversed())))
          const joined = joinedWith(optional)
          expect(canRead(joined)).toBe(true)
          const count = tables.list(joined, { all: false })
          for (const [from, to] of [
            [0, count],
            [Math.min(2, count), Math.max(2, count - 1)],
          ] as const) {
            const { before, after, known } = tables.both(joined, 'affected', from, to)
            expect(rowsOf(before)).toEqual(rowsOf(tables.rows(joined, 'before', 'affected', from, to)))
            expect(rowsOf(after)).toEqual(rowsOf(tables.rows(joined, 'after', 'affected', from, to)))
            expect([...known].slice(0, Math.max(0, Math.min(to, count) - from))).toEqual([...tables.known('affected', from, to)])
          }
          tables.close()
        },
      )
      fc.assert(life, { numRuns: 300 })
    })
})
