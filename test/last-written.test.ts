/** Which commit wrote a row last: it tells the rows that a new snapshot of their table did not have. */
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bringTables } from '../ingest/cache.ts'
import { loadPlace } from '../ingest/place.ts'
import { registerTables } from '../ingest/table-rows.ts'
import { openSqlite } from '../utilities/sqlite/database.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import type { StoredTable, Tables } from '../utilities/tables.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { newDirectory } from './contracts/processes.ts'
import { factStore } from './fact-store.ts'
import { columnsOf, rowsOf, type PlainRow } from './plain-columns.ts'
import { sale, shopTables } from './shop-facts.ts'
import { shopOf } from './small-shop.ts'

const pairs: StoredTable = { name: 'pairs', key: ['a', 'b'], fields: { a: { kind: 'integer' }, b: { kind: 'text' }, c: { kind: 'text' } } }
const rowAt = (n: number): PlainRow => ({ a: n % 7, b: `b${n}`, c: null })
const columns = (numbers: readonly number[]) => columnsOf(pairs.fields, numbers.map(rowAt))

/** All that were written before it, part by part. */
function everyBefore(tables: Tables, table: string, commit: number, most: number): readonly PlainRow[] {
  const rows: PlainRow[] = []
  let part: Columns | undefined
  do {
    part = tables.before(table, commit, most, part)
    expect(part.count).toBeLessThanOrEqual(most)
    rows.push(...rowsOf(part))
  } while (part.count > 0)
  return rows
}

describe('the commit that wrote a row last', () => {
  it('is told for every row that stands, however it came to stand, part by part and by key', () => {
    const tables = openSqliteTables(':memory:')
    onTestFinished(() => tables.close())
    const numbers = fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 12 })
    const commits = fc.array(fc.record({ put: numbers, gone: numbers }), { maxLength: 6 })
    const filled = fc.record({ unknown: numbers, known: numbers, unfilled: numbers })
    fc.assert(
      fc.property(filled, commits, fc.integer({ min: 1, max: 9 }), ({ unknown, known, unfilled }, each, most) => {
        const written = new Map<number, number>()
        tables.renew([pairs])
        tables.fill('pairs', columns(unknown))
        const { count, byName } = columns(known)
        tables.fill('pairs', {
          count,
          byName: new Map([...byName, ['_commit', { kind: 'long', values: BigInt64Array.from(known, (n) => BigInt(n % 3)) }]]),
        })
        tables.unfill('pairs', columns(unfilled))
        for (const n of unknown) written.set(n, 0)
        for (const n of known) written.set(n, n % 3)
        for (const n of unfilled) written.delete(n)
        const check = (last: number) => {
          for (let commit = 0; commit <= last + 1; commit++) {
            const older = [...written].flatMap(([n, by]) => (by < commit ? [rowAt(n)] : []))
            const byKey = older.toSorted((x, y) => Number(x['a']) - Number(y['a']) || (String(x['b']) < String(y['b']) ? -1 : 1))
            expect(everyBefore(tables, 'pairs', commit, most)).toEqual(byKey.map(({ a, b }) => ({ a, b })))
            expect(tables.countBefore('pairs', commit)).toBe(older.length)
          }
        }
        tables.settle({ commit: 2, token: '' })
        check(2)
        for (const [i, { put, gone }] of each.entries()) {
          tables.stage('pairs', columns(put))
          tables.stageGone('pairs', columns(gone))
          tables.settle({ commit: 3 + i, token: '' })
          for (const n of put) written.set(n, 3 + i)
          for (const n of gone) written.delete(n)
          check(3 + i)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('lets what a snapshot lacks leave part by part, behind the part before', () => {
    const tables = openSqliteTables(':memory:')
    onTestFinished(() => tables.close())
    tables.renew([pairs])
    tables.stage('pairs', columns(Array.from({ length: 100 }, (_, n) => n)))
    tables.settle({ commit: 1, token: '' })
    const kept = Array.from({ length: 30 }, (_, n) => n * 3)
    tables.stage('pairs', columns(kept))
    tables.settle({ commit: 2, token: '' })
    let [part, commit] = [tables.before('pairs', 2, 8), 2]
    while (part.count > 0) {
      tables.stageGone('pairs', part)
      tables.settle({ commit: ++commit, token: '' })
      part = tables.before('pairs', 2, 8, part)
    }
    expect(commit).toBe(2 + Math.ceil(70 / 8))
    expect([tables.count('pairs'), tables.countBefore('pairs', 2), tables.countBefore('pairs', 3)]).toEqual([30, 0, 30])
  })

  it('is the same for rows that are made again from the checkpoints', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const store = factStore([sale])
      const shop = shopOf(seed)
      for (let load = 1; load <= 4; load++) await store.load(shopTables, shop.change())
      const { tables: settled, checkpoints, registry } = store.ports()
      const again = openSqliteTables(':memory:')
      onTestFinished(() => again.close())
      const place = await loadPlace(checkpoints)
      await bringTables({ checkpoints, registry, tables: again }, await registerTables(registry, shopTables), place)
      const told = (tables: Tables) =>
        shopTables.map(({ name }) =>
          Array.from({ length: 6 }, (_, commit) => [tables.countBefore(name, commit), everyBefore(tables, name, commit, 3)]),
        )
      expect(told(again)).toEqual(told(settled))
      // Some are older than others.
      const lines = told(again)
        .at(-2)!
        .map(([count]) => count)
      expect(new Set(lines).size).toBeGreaterThan(2)
    }
  })

  it('is not asked of tables of before, which are made again', () => {
    const { dir, remove } = newDirectory()
    onTestFinished(remove)
    const path = join(dir, 'tables.db')
    const tables = openSqliteTables(path)
    onTestFinished(() => tables.close())
    tables.shape([pairs], () => false)
    tables.settle({ commit: 1, token: 'a' })
    const db = openSqlite(path)
    db.exec(`DROP TABLE "rows pairs"; CREATE TABLE "rows pairs" (a INTEGER, b TEXT, c TEXT, ".gone" INTEGER NOT NULL, PRIMARY KEY (a, b))`)
    db.exec(`DELETE FROM known WHERE name = 'form'`)
    db.close()
    tables.shape([pairs], () => false)
    expect(tables.mark()).toBeUndefined()
    tables.fill('pairs', columns([1]))
    expect(tables.countBefore('pairs', 1)).toBe(1)
  })
})
