/**
 * `<set>_latest` in the embedded warehouse: a look-up by key, also through the chain of promotions, in stores of before, and beside
 * writers.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqlite } from '../utilities/sqlite/database.ts'
import { openEmbeddedWarehouse } from '../utilities/sqlite/warehouse/warehouse.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import {
  keyedColumns,
  keyedLayout,
  kinds,
  rowOf,
  setOf,
  shownAs,
  shownIn,
  Model,
  type KeyedRow,
  type Kind,
} from './contracts/keyed-rows.ts'

let folder: string
let path: string
let warehouse: Warehouse
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-latest-'))
  path = join(folder, 'warehouse.db')
  warehouse = openEmbeddedWarehouse(path)
})
afterEach(async () => {
  await warehouse.close()
  rmSync(folder, { recursive: true })
})

const byAccount: Kind = { per: ['account'], facts: true }

/** How SQLite goes about it. */
function stepsOf(sql: string): readonly string[] {
  const db = openSqlite(path, { readOnly: true })
  try {
    return db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => String(row['detail']))
  } finally {
    db.close()
  }
}

describe('a look-up by key', () => {
  it.each(kinds.filter(({ per }) => per.length > 0))(
    'is a search of an index for the key and of its row, per $per (facts: $facts)',
    async (kind) => {
      const set = setOf(kind)
      await warehouse.arrange(keyedLayout(kind, [2, 1, 0]), [])
      const model = new Model(kind)
      for (const version of [0, 1, 2]) {
        const rows = Array.from({ length: 3000 }, (_, i) => rowOf(kind, version, i + 1, i, i))
        for (const row of rows) model.put(row)
        await warehouse.write(set, keyedColumns(kind, rows))
      }
      const key = kind.per.length === 1 ? `account = 'A7'` : `account = 'A7' AND item = 2`
      for (const view of [`${set}_v1_latest`, `${set}_latest`]) {
        const steps = stepsOf(`SELECT * FROM ${view} WHERE ${key}`)
        const reads = steps.filter((one) => /\b(newest|made|newer|tidemark_newest\w*|\w+_rows)\b/.test(one))
        expect(reads.filter((one) => !one.startsWith('SEARCH'))).toEqual([])
        // The key's fields, or the key itself, beside the version: not the version alone.
        for (const one of reads.filter((step) => step.startsWith('SEARCH newest'))) expect(one).toMatch(/_version=\? AND account[=<>]/)
        for (const one of reads.filter((step) => step.startsWith('SEARCH made'))) expect(one).toMatch(/_version=\? AND _seq=\?/)
      }
      const one = (await warehouse.query(`SELECT _version, _seq FROM ${set}_latest WHERE ${key}`)).rows
      const expected = model.latest([2, 1, 0]).filter(({ account, item }) => account === 'A7' && (kind.per.length === 1 || item === 2))
      expect(one).toEqual(expected.map(({ version, seq }) => [version, seq]))
      expect(one).toHaveLength(1)
    },
  )

  it('takes no longer beside a hundred times as many rows', async () => {
    const kind: Kind = { per: ['account'], facts: false }
    const set = setOf(kind)
    await warehouse.arrange(keyedLayout(kind, [0]), [])
    const row = (seq: number): KeyedRow => ({ account: `k${seq % 1000}`, item: 1, day: 13_000, version: 0, seq, value: seq })
    const write = async (from: number, to: number) => {
      for (let first = from; first <= to; first += 10_000)
        await warehouse.write(
          set,
          keyedColumns(
            kind,
            Array.from({ length: 10_000 }, (_, i) => row(first + i)),
          ),
        )
    }
    /** The quickest of many: what else runs here slows some of them. */
    const quickest = async () => {
      let least = Infinity
      for (let i = 0; i < 60; i++) {
        const startedMs = performance.now()
        const { rows } = await warehouse.query(`SELECT one FROM ${set}_latest WHERE account = 'k${i}'`)
        least = Math.min(least, performance.now() - startedMs)
        expect(rows).toHaveLength(1)
      }
      return least
    }
    await write(1, 10_000)
    const few = await quickest()
    await write(10_001, 400_000)
    // A scan would take forty times as long.
    expect(await quickest()).toBeLessThan(few * 8)
  })
})

describe('a store of before', () => {
  it.each(kinds)(
    'lacks the newest rows, is planned to have them, and gets them by being arranged: per $per (facts: $facts)',
    async (kind) => {
      const set = setOf(kind)
      const model = new Model(kind)
      await warehouse.arrange(keyedLayout(kind, [1, 0]), [])
      const written = async (version: number, first: number, last: number) => {
        const rows = Array.from({ length: last - first + 1 }, (_, i) => rowOf(kind, version, first + i, i, i))
        for (const row of rows) model.put(row)
        await warehouse.write(set, keyedColumns(kind, rows))
      }
      await written(0, 1, 3000)
      await written(1, 2000, 2500)
      // As it was before there were any.
      const db = openSqlite(path)
      for (const view of ['latest', 'v0_latest', 'v1_latest', 'v2_latest']) db.exec(`DROP VIEW ${set}_${view}`)
      db.exec(`DROP TABLE tidemark_newest_${set}`)
      await written(1, 2501, 2600)
      await warehouse.remove(set, 0, { first: 2990, last: 3000 })
      model.remove(0, 2990, 3000)
      const { statements, views } = await warehouse.plan(keyedLayout(kind, [1, 0]))
      expect(statements.join('\n')).toContain(`CREATE TABLE "tidemark_newest_${set}"`)
      expect(views).toEqual([`${set}_v0_latest`, `${set}_v1_latest`, `${set}_v2_latest`, `${set}_latest`])
      // Somebody began to, and was killed.
      for (const statement of statements.filter((text) => /^CREATE (TABLE|INDEX)/.test(text))) db.exec(statement)
      db.close()
      await written(1, 2601, 2610)
      await warehouse.arrange(keyedLayout(kind, [1, 0]), [])
      expect((await warehouse.plan(keyedLayout(kind, [1, 0]))).statements).toEqual([])
      for (const version of [0, 1])
        expect(await shownIn(warehouse, `${set}_v${version}_latest`)).toEqual(shownAs(kind, model.latest([version]), version > 0))
      expect(await shownIn(warehouse, `${set}_latest`)).toEqual(shownAs(kind, model.latest([1, 0]), true))
    },
  )
})

describe('beside a writer', () => {
  it('shows all that is written together, or nothing of it', async () => {
    const set = setOf(byAccount)
    await warehouse.arrange(keyedLayout(byAccount, [1, 0]), [])
    const keys = ['a', 'b', 'c', 'd']
    const lot = (version: number, seq: number) => ({
      set,
      rows: keyedColumns(
        byAccount,
        keys.flatMap((account) =>
          Array.from({ length: 600 }, (_, i): KeyedRow => ({ account, item: 1, day: 1, version, seq: seq + i, value: seq })),
        ),
      ),
    })
    await warehouse.writeTogether([lot(0, 1), lot(1, 1)])
    const ofBoth = `max(one) = (SELECT max(one) FROM ${set}_v0_latest)`
    const sql = `SELECT count(*) AS keys, count(DISTINCT one) AS groups, ${ofBoth} AS both FROM ${set}_latest`
    const poll = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { DatabaseSync } = require('node:sqlite')
      const db = new DatabaseSync(workerData.path, { readOnly: true })
      const [look, seen] = [db.prepare(workerData.sql), new Map()]
      let enough = false
      parentPort.once('message', () => (enough = true))
      const once = () => {
        if (enough) return void (parentPort.postMessage(seen), db.close())
        const { keys, groups, both } = look.get()
        const found = [keys, groups, both].join(' ')
        seen.set(found, (seen.get(found) ?? 0) + 1)
        setImmediate(once)
      }
      once()`
    const reader = new Worker(poll, { eval: true, workerData: { path, sql } })
    for (let group = 1; group <= 25; group++) await warehouse.writeTogether([lot(0, group * 1000), lot(1, group * 1000)])
    const answered = once(reader, 'message') as Promise<[ReadonlyMap<string, number>]>
    reader.postMessage('enough')
    const [seen] = await answered
    await reader.terminate()
    expect([...seen.keys()]).toEqual(['4 1 1'])
    expect(seen.get('4 1 1')).toBeGreaterThan(5)
  })
})
