/** What every warehouse must do: its tables and rows here, its views in the contract beside this one. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { Problem } from '../../utilities/values/problem.ts'
import type { QueryResult, VersionRecord, Warehouse } from '../../utilities/warehouse.ts'
import { anyFrom, anyLayout, anyRow, anyToColumns, type AnyRow } from './every-kind.ts'
import { lawsWith, type Exceptions } from './laws.ts'
import {
  columnsFrom,
  everything,
  layoutOf,
  plainRows,
  readRows,
  rowsFrom,
  versionRecord,
  type Row,
  type WarehouseStore,
} from './loan-rows.ts'
import { factLaws, latestLaws } from './warehouse-latest.ts'
import { viewLaws } from './warehouse-views.ts'

/** Texts that break what is put together from text instead of passed as a value. */
const hostile = [
  `'; DROP TABLE loan_rows; --`,
  `"quoted" and 'quoted'`,
  '\\\\ \\n \\',
  '\n\t\r',
  '${x} ?1 :a $a',
  '%_',
  'naïve 日本語 🙂',
  '2007',
  '1e5',
  '-0',
  '10%',
  'NULL',
  '',
  ' ',
]

export function warehouseContract(name: string, fresh: () => Promise<WarehouseStore>, exceptions: Exceptions = {}, runs = 40): void {
  describe(`the warehouse contract: ${name}`, { timeout: 60_000 }, () => {
    const { law, end } = lawsWith(exceptions)
    let store: WarehouseStore
    let warehouse: Warehouse
    beforeEach(async () => {
      store = await fresh()
      warehouse = await store.warehouse()
    })
    afterEach(async () => {
      await warehouse.close()
      await store.dispose()
    })
    const arranged = () => warehouse.arrange(layoutOf(1, [1, 0]), [])

    law('an empty warehouse has nothing of anything', async () => {
      expect(await warehouse.versions()).toEqual([])
      expect(await warehouse.progress('reader')).toBeUndefined()
      expect(await warehouse.extent('loan', 0)).toBeUndefined()
      expect(await readRows(warehouse, 0)).toEqual([])
      await warehouse.remove('loan', 0, everything)
      await arranged()
      expect(await warehouse.extent('loan', 0)).toBeUndefined()
      expect(await readRows(warehouse, 0)).toEqual([])
    })

    law('rows come back exactly as they were written, whatever the values', async () => {
      await arranged()
      const anyText = fc.string({ unit: 'grapheme', maxLength: 20 }).map((one) => one.replaceAll('\0', ''))
      const text = fc.option(fc.oneof(fc.constantFrom(...hostile), anyText))
      const odd = fc.constantFrom(1, 0, 0.1, 397.667, 5e-324, 2 ** 53, 1.7976931348623157e308)
      const double = fc.option(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), odd)).map(positiveZero)
      const date = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      const row = fc.record({
        amount: double,
        day: fc.option(date.map((one) => one.toISOString().slice(0, 10))),
        title: text,
        note: text,
        _modified_ts: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        _version: fc.constant(1),
        _seq: fc.oneof(fc.nat({ max: 50 }), fc.maxSafeNat()),
        ma50: double,
        ma100: double,
      })
      const model = new Map<number, Row>()
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(row, { maxLength: 60, selector: ({ _seq }) => _seq }), async (rows) => {
          await warehouse.write('loan', columnsFrom(rows))
          for (const one of rows) model.set(one._seq, one)
          const expected = [...model.values()].sort((a, b) => a._seq - b._seq)
          expect(await readRows(warehouse, 1)).toEqual(expected)
        }),
        { numRuns: 40 },
      )
    })

    law('fields and features of every kind come back to the last digit', async () => {
      await warehouse.arrange(anyLayout, [])
      expect((await warehouse.plan(anyLayout)).statements).toEqual([])
      await fc.assert(
        fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 30 }), async (rows) => {
          await warehouse.remove('anything', 0, everything)
          await warehouse.write('anything', anyToColumns(rows))
          const wanted = [undefined, anyLayout.versions[0]!.shows]
          for (const names of wanted) {
            for await (const found of warehouse.rows('anything', 0, everything, names)) {
              expect([...found.byName.keys()].filter((name) => !/^(\w+_(field|feature)|_modified_ts|_version|_seq)$/.test(name))).toEqual(
                [],
              )
              expect(anyFrom(found, 'field')).toEqual(rows)
              expect(anyFrom(found, 'feature')).toEqual(rows)
            }
          }
        }),
        { numRuns: 20 },
      )
      // So many that they are another thread's, where there is one.
      const many = fc.sample(anyRow, { numRuns: 2_500, seed: 17 })
      await warehouse.write('anything', { ...anyToColumns(many), transferable: true })
      const found: AnyRow[] = []
      for await (const chunk of warehouse.rows('anything', 0, everything)) found.push(...anyFrom(chunk, 'feature'))
      expect(found).toEqual(many)
    })

    law('SQL sums and compares values of every kind, and shows them as their kind does', async () => {
      await warehouse.arrange(anyLayout, [])
      const row = { number: 1.5, whole: 2n ** 53n + 1n, money: 1_000_00n, huge: 5n * 10n ** 9n, day: 13_938, flag: true, text: 'x' }
      const moment = 1_204_286_096_500_000n
      const rows: AnyRow[] = [
        { ...row, moment },
        { ...row, money: 10n, huge: null, moment: moment - 500_000n, flag: false },
        { ...row, money: 20n, huge: -(10n ** 37n), moment: moment + 86_400_000_000n, flag: null },
      ]
      await warehouse.write('anything', anyToColumns(rows))
      const ask = async (sql: string) => (await warehouse.query(sql)).rows
      expect(await ask('SELECT round(sum(money_field), 2) AS total, max(money_feature) AS most FROM anything')).toEqual([[1000.3, 1000]])
      expect(await ask('SELECT money_field / 3 > 333.3 AS third FROM anything WHERE _seq = 1')).toEqual([[expect.toSatisfy(isYes)]])
      expect(await ask('SELECT _seq FROM anything WHERE huge_field < 0.5 OR money_field = 0.1 ORDER BY _seq')).toEqual([[2], [3]])
      expect(await ask('SELECT _seq FROM anything ORDER BY moment_field')).toEqual([[2], [1], [3]])
      expect(await ask(`SELECT _seq FROM anything WHERE moment_field = '2008-02-29 11:54:56'`)).toEqual([[2]])
      expect(await ask(`SELECT _seq FROM anything WHERE moment_field >= '2008-03-01'`)).toEqual([[3]])
      expect(await ask('SELECT _seq FROM anything WHERE flag_field')).toEqual([[1]])
      expect(await ask('SELECT whole_field, money_field, day_field, moment_field, flag_feature FROM anything ORDER BY _seq')).toEqual([
        [2n ** 53n + 1n, 1000, '2008-02-29', '2008-02-29 11:54:56.5', true],
        [2n ** 53n + 1n, 0.1, '2008-02-29', '2008-02-29 11:54:56', false],
        [2n ** 53n + 1n, 0.2, '2008-02-29', '2008-03-01 11:54:56.5', null],
      ])
    })

    law('a row replaces the one of the same version and _seq; columns that are not named are null', async () => {
      await arranged()
      await warehouse.write('loan', columnsFrom([...plainRows(1, 1, 3), ...plainRows(0, 1, 3)]))
      await warehouse.write('loan', columnsFrom([{ _seq: 2, _version: 1, _modified_ts: 7n, title: 'again' }]))
      const [one, , three] = plainRows(1, 1, 3)
      const replaced = {
        amount: null,
        day: null,
        title: 'again',
        note: null,
        _modified_ts: 7n,
        _version: 1,
        _seq: 2,
        ma50: null,
        ma100: null,
      }
      expect(await readRows(warehouse, 1)).toEqual([one, replaced, three])
      expect(await readRows(warehouse, 0)).toEqual(plainRows(0, 1, 3).map((row) => ({ ...row, ma100: null })))
    })

    law('rows come in order of _seq, the range and the columns asked for, however they were written', async () => {
      await arranged()
      for (const [first, last] of [
        [500, 900],
        [1, 200],
        [201, 499],
      ] as const) {
        await warehouse.write('loan', columnsFrom(plainRows(1, first, last).reverse()))
      }
      const seqs = async (first: number, last: number) => (await readRows(warehouse, 1, { first, last }, ['_seq'])).map(({ _seq }) => _seq)
      expect(await seqs(0, 1000)).toEqual(Array.from({ length: 900 }, (_, i) => i + 1))
      expect(await seqs(199, 202)).toEqual([199, 200, 201, 202])
      expect(await seqs(5, 5)).toEqual([5])
      expect(await seqs(6, 5)).toEqual([])
      const seven = await readRows(warehouse, 1, { first: 7, last: 7 }, ['ma100', '_modified_ts'])
      expect(seven).toEqual([{ ma100: 1007.5, _modified_ts: 1_700_000_000_000_000_008n }])
      await expect(readRows(warehouse, 1, everything, ['ema50'])).rejects.toThrow(Problem)
    })

    law('more rows than fit in one chunk come complete and once', async () => {
      await arranged()
      await warehouse.write('loan', columnsFrom(plainRows(0, 1, 25_000)))
      const seqs = (await readRows(warehouse, 0, { first: 3, last: 24_998 }, ['_seq', 'title'])).map(({ _seq, title }) => [_seq, title])
      expect(seqs).toEqual(Array.from({ length: 24_996 }, (_, i) => [i + 3, `title ${i + 3}`]))
    })

    law('a reader of chunks sees rows that another handle writes meanwhile, and holds nobody up', async () => {
      await arranged()
      const other = await store.warehouse()
      await warehouse.write('loan', columnsFrom(plainRows(0, 1, 15_000)))
      let rows = 0
      for await (const chunk of warehouse.rows('loan', 0, everything, ['_seq'])) {
        if (rows === 0) await other.write('loan', columnsFrom(plainRows(0, 15_001, 15_010)))
        rows += rowsFrom(chunk).length
      }
      expect(rows).toBe(15_010)
      await other.close()
    })

    law('progress is kept by reader, with the rows of its write or not at all', async () => {
      await arranged()
      await warehouse.write('loan', columnsFrom(plainRows(0, 1, 2)), { reader: 'sink/0', next: 2 })
      await warehouse.write('loan', columnsFrom(plainRows(0, 3, 3)), { reader: 'sink/1', next: 2 ** 53 - 1 })
      await warehouse.write('loan', columnsFrom([]), { reader: 'sink/0', next: 9 })
      expect(await Promise.all(['sink/0', 'sink/1', 'sink'].map(warehouse.progress))).toEqual([9, 2 ** 53 - 1, undefined])
      const bad = [...plainRows(0, 4, 40), { ...plainRows(2, 41, 41)[0]! }]
      await expect(warehouse.write('loan', columnsFrom(bad), { reader: 'sink/0', next: 99 })).rejects.toThrow(Problem)
      expect(await warehouse.progress('sink/0')).toBe(9)
      expect(await warehouse.extent('loan', 0)).toEqual({ rows: 3, first: 1, last: 3 })
      const other = await store.warehouse()
      expect(await other.progress('sink/0')).toBe(9)
      await other.close()
    })

    law('a set that was never arranged cannot be written: the Problem says what to do', async () => {
      await expect(warehouse.write('loan', columnsFrom(plainRows(0, 1, 1)), { reader: 'r', next: 1 })).rejects.toThrow(
        'tidemark apply loan@0',
      )
      expect(await warehouse.progress('r')).toBeUndefined()
    })

    law('extent and remove work on the rows of one version, both ends included', async () => {
      await arranged()
      await warehouse.write('loan', columnsFrom([...plainRows(0, 1, 10), ...plainRows(1, 4, 8)]))
      expect(await warehouse.extent('loan', 0)).toEqual({ rows: 10, first: 1, last: 10 })
      await warehouse.remove('loan', 0, { first: 3, last: 9 })
      expect((await readRows(warehouse, 0, everything, ['_seq'])).map(({ _seq }) => _seq)).toEqual([1, 2, 10])
      expect(await warehouse.extent('loan', 0)).toEqual({ rows: 3, first: 1, last: 10 })
      expect(await warehouse.extent('loan', 1)).toEqual({ rows: 5, first: 4, last: 8 })
      await warehouse.remove('loan', 1, everything)
      expect(await warehouse.extent('loan', 1)).toBeUndefined()
    })

    law('version records come back whole, by set and version, and replace the ones before', async () => {
      const full: VersionRecord = {
        set: 'loan',
        version: 10,
        state: 'rolled back',
        mode: 'forward-only',
        schemaId: '3f0d3b0e-6c5b-4c43-8f0e-0123456789ab',
        definition: JSON.stringify({ title: hostile.join(' ') }),
        switches: [{ partition: 0, afterSeq: 2 ** 53 - 1, at: '2026-11-21T09:00:00.000Z' }],
        promotion: 3,
        acts: [
          { act: 'apply', who: 'ada', at: '2026-11-21T09:00:00.000Z', why: null },
          { act: 'rollback', who: `o'hara`, at: '2026-11-21T09:01:00.000Z', why: hostile.join(' ') },
        ],
      }
      await warehouse.arrange(layoutOf(0, []), [full, versionRecord(2), versionRecord(0, { set: 'a_set' })])
      expect(await warehouse.versions()).toEqual([versionRecord(0, { set: 'a_set' }), versionRecord(2), full])
      await warehouse.arrange(layoutOf(0, []), [versionRecord(2, { state: 'promoted', promotion: 1 })])
      expect(await warehouse.versions('loan')).toEqual([versionRecord(2, { state: 'promoted', promotion: 1 }), full])
      expect(await warehouse.versions('lo')).toEqual([])
    })

    law('integers of any size are exact in a query, and beyond 2^53 come as bigint', async () => {
      await arranged()
      const [one, two] = plainRows(0, 1, 2)
      await warehouse.write(
        'loan',
        columnsFrom([
          { ...one!, _modified_ts: 2n ** 63n - 1n },
          { ...two!, _modified_ts: -(2n ** 53n) - 1n, _seq: 2 ** 53 - 1 },
        ]),
      )
      expect(await warehouse.query('SELECT _seq, _modified_ts, _version, ma50, note, title FROM loan_v0 ORDER BY _seq')).toEqual({
        columns: ['_seq', '_modified_ts', '_version', 'ma50', 'note', 'title'],
        rows: [
          [1, 2n ** 63n - 1n, 0, 1, null, 'title 1'],
          [2 ** 53 - 1, -(2n ** 53n) - 1n, 0, 2, null, 'title 2'],
        ],
      })
    })

    law('the rows of a query come in parts, the columns first, as many as there are', async () => {
      await arranged()
      const rows = plainRows(0, 1, 5000)
      await warehouse.write('loan', columnsFrom(rows))
      const sql = 'SELECT _seq, _modified_ts, title FROM loan_v0 ORDER BY _seq'
      const parts: QueryResult[] = []
      for await (const part of warehouse.queryParts(sql)) parts.push(part)
      const whole = await warehouse.query(sql)
      expect(parts.every(({ columns }) => columns.join() === '_seq,_modified_ts,title')).toBe(true)
      expect(parts.flatMap((part) => part.rows)).toEqual(whole.rows)
      expect(whole.rows).toHaveLength(rows.length)
      expect(Math.max(...parts.map((part) => part.rows.length))).toBeLessThanOrEqual(1000)
      const none: QueryResult[] = []
      for await (const part of warehouse.queryParts('SELECT _seq, ma50 FROM loan_v0 WHERE _seq < 0')) none.push(part)
      expect(none).toEqual([{ columns: ['_seq', 'ma50'], rows: [] }])
    })

    law('a query ends with whoever asked, wherever it is', async () => {
      await arranged()
      await warehouse.write('loan', columnsFrom(plainRows(0, 1, 3000)))
      for await (const { rows } of warehouse.queryParts('SELECT _seq FROM loan_v0')) if (rows.length > 0) break
      const stop = new AbortController()
      const halfway = async () => {
        for await (const { rows } of warehouse.queryParts('SELECT _seq FROM loan_v0', stop.signal))
          if (rows.length > 0) stop.abort(new Error('enough'))
      }
      await expect(halfway()).rejects.toThrow('enough')
      await expect(warehouse.queryParts('SELECT 1', stop.signal)[Symbol.asyncIterator]().next()).rejects.toThrow('enough')
    })

    law('a query is one statement that reads; anything else is a Problem and changes nothing', async () => {
      await arranged()
      await warehouse.write('loan', columnsFrom(plainRows(0, 1, 3)))
      const refused = [
        'DELETE FROM loan_rows',
        `UPDATE loan_rows SET title = 'x'`,
        `INSERT INTO loan_rows SELECT * FROM loan_rows`,
        'DROP VIEW loan',
        'CREATE TABLE mine (a INTEGER)',
        'BEGIN',
        'SELECT 1; DROP VIEW loan',
        'SELECT 1; SELECT 2',
        'SELECT nothing FROM loan',
        'SELECT * FROM nowhere',
        'SELEC 1',
        '',
        ' -- nothing',
      ]
      const parts = (sql: string) => warehouse.queryParts(sql)[Symbol.asyncIterator]().next()
      for (const sql of refused) for (const run of [warehouse.query, parts]) await expect(run(sql), sql).rejects.toThrow(Problem)
      const allowed = [
        'SELECT count(*) AS n FROM loan;',
        'WITH one AS (SELECT * FROM loan) SELECT count(*) AS n FROM one -- ; and a remark',
        `SELECT count(*) AS n FROM loan WHERE title <> ';' /* ; */ ; `,
      ]
      for (const sql of allowed) expect(await warehouse.query(sql), sql).toEqual({ columns: ['n'], rows: [[3]] })
      expect(await readRows(warehouse, 0)).toHaveLength(3)
    })

    viewLaws(law, () => ({ store, warehouse }))
    latestLaws(law, () => ({ warehouse }), runs)
    factLaws(law, () => ({ warehouse }), runs)
    end()
  })
}

/** What a comparison yields is true in one dialect, and 1 in another. */
const isYes = (cell: unknown) => cell === true || cell === 1

/** SQL has one zero. */
const positiveZero = (value: number | null) => (value === 0 ? 0 : value)
