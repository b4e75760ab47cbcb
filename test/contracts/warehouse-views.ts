/** The part of the warehouse contract about views: what they show, and that they change all at once. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { Problem } from '../../utilities/values/problem.ts'
import type { Layout, Warehouse } from '../../utilities/warehouse.ts'
import type { Laws } from './laws.ts'
import { columnsFrom, layoutOf, plainRows, readRows, versionRecord, type WarehouseStore } from './loan-rows.ts'

const columnsIn = async (warehouse: Warehouse, view: string) => (await warehouse.query(`SELECT * FROM ${view}`)).columns.join(', ')
const shown = async (warehouse: Warehouse, view: string) =>
  (await warehouse.query(`SELECT _seq, _version, ma50 FROM ${view} ORDER BY _seq`)).rows

export function viewLaws(law: Laws['law'], at: () => { readonly store: WarehouseStore; readonly warehouse: Warehouse }): void {
  law('a plan is not empty until it was carried out, then it is, and making one changes nothing', async () => {
    const { warehouse } = at()
    const steps = [layoutOf(0, []), layoutOf(0, [0]), layoutOf(1, [0]), layoutOf(1, [1, 0]), layoutOf(2, [2, 1, 0]), layoutOf(2, [1, 0])]
    for (const layout of steps) {
      const { statements: plan } = await warehouse.plan(layout)
      expect(plan.length).toBeGreaterThan(0)
      expect((await warehouse.plan(layout)).statements).toEqual(plan)
      await warehouse.arrange(layout, [])
      expect((await warehouse.plan(layout)).statements).toEqual([])
      await warehouse.arrange(layout, [])
      expect((await warehouse.plan(layout)).statements).toEqual([])
    }
  })

  law('a plan says only what differs', async () => {
    const { warehouse } = at()
    await warehouse.arrange(layoutOf(0, [0]), [])
    const touched = (await warehouse.plan(layoutOf(1, [0]))).statements.join('\n')
    expect(touched).toMatch(/ADD COLUMN "ma100" DOUBLE PRECISION/)
    expect(touched).toMatch(/CREATE VIEW \S*"loan_v1"/)
    expect(touched).not.toMatch(/"loan_v0"|DROP|CREATE TABLE/)
    await warehouse.arrange(layoutOf(1, [0]), [])
    // Where others may have been let in, remarks and grants come with it.
    const views = (await warehouse.plan(layoutOf(1, [1, 0]))).statements.filter((text) => /^(DROP|CREATE)/.test(text))
    expect(views.map((text) => /^(\w+ VIEW) \S*"(\w+)"/.exec(text)?.slice(1).join(' '))).toEqual([
      'DROP VIEW loan',
      'DROP VIEW loan_latest',
      'CREATE VIEW loan',
      'CREATE VIEW loan_latest',
    ])
  })

  law('views have exactly these columns, in this order', async () => {
    const { warehouse } = at()
    const record = 'amount, day, title, note'
    await warehouse.arrange(layoutOf(2, [2, 1, 0]), [])
    expect(await columnsIn(warehouse, 'loan_v0')).toBe(`${record}, ma50, _modified_ts, _version, _seq`)
    expect(await columnsIn(warehouse, 'loan_v1')).toBe(`${record}, ma50, _modified_ts, _version, ma100, _seq`)
    expect(await columnsIn(warehouse, 'loan_v2')).toBe(`${record}, ma50, _modified_ts, _version, ma100, ema50, _seq`)
    expect(await columnsIn(warehouse, 'loan')).toBe(`${record}, ma50, _modified_ts, _version, ma100, ema50, _seq`)
    await warehouse.arrange(layoutOf(2, [0]), [])
    expect(await columnsIn(warehouse, 'loan')).toBe(`${record}, ma50, _modified_ts, _version, _seq`)
  })

  law('the base view shows each row as the first version of the chain that has it made it, once', async () => {
    const { warehouse } = at()
    await warehouse.arrange(layoutOf(2, [0]), [])
    const range = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).filter(([first, last]) => first <= last)
    const chains = fc.constantFrom([0], [1], [2], [1, 0], [2, 0], [0, 2], [2, 1], [2, 1, 0], [1, 2, 0])
    await fc.assert(
      fc.asyncProperty(fc.tuple(range, range, range), chains, async (ranges, chain) => {
        for (const [version, [first, last]] of ranges.entries()) {
          await warehouse.remove('loan', version, { first: 0, last: 100 })
          await warehouse.write('loan', columnsFrom(plainRows(version, first, last)))
        }
        await warehouse.arrange(layoutOf(2, chain), [])
        const has = (version: number, seq: number) => ranges[version]![0] <= seq && seq <= ranges[version]![1]
        const expected = Array.from({ length: 12 }, (_, i) => i + 1).flatMap((seq) => {
          const version = chain.find((one) => has(one, seq))
          return version === undefined ? [] : [[seq, version, version * 1000 + seq]]
        })
        expect(await shown(warehouse, 'loan')).toEqual(expected)
        expect((await warehouse.query(`SELECT count(*) FROM loan`)).rows).toEqual([[expected.length]])
        for (const version of [0, 1, 2])
          expect((await shown(warehouse, `loan_v${version}`)).every(([, made]) => made === version)).toBe(true)
      }),
      { numRuns: 25 },
    )
  })

  law('a feature added later is null in the rows from before, and no row is touched', async () => {
    const { warehouse } = at()
    await warehouse.arrange(layoutOf(0, [0]), [])
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 2)))
    await warehouse.arrange(layoutOf(1, [1, 0]), [])
    await warehouse.write('loan', columnsFrom(plainRows(1, 2, 3)))
    expect((await warehouse.query('SELECT _seq, ma50, ma100, _modified_ts FROM loan ORDER BY _seq')).rows).toEqual([
      [1, 1, null, 1_700_000_000_000_000_002n],
      [2, 1002, 1002.5, 1_700_000_000_000_000_003n],
      [3, 1003, 1003.5, 1_700_000_000_000_000_004n],
    ])
    expect(await readRows(warehouse, 0)).toEqual(plainRows(0, 1, 2).map((row) => ({ ...row, ma100: null })))
  })

  law('views of versions that are gone are dropped, and those of other sets and of users stay', async () => {
    const { warehouse } = at()
    await warehouse.arrange(layoutOf(2, [2, 1]), [])
    await warehouse.arrange({ ...layoutOf(0, [0]), set: 'loan_vip' }, [])
    const layout = layoutOf(2, [2])
    await warehouse.arrange({ ...layout, versions: layout.versions.slice(1) }, [])
    await expect(warehouse.query('SELECT * FROM loan_v0')).rejects.toThrow(Problem)
    for (const view of ['loan', 'loan_v1', 'loan_v2', 'loan_vip', 'loan_vip_v0']) {
      expect((await warehouse.query(`SELECT * FROM ${view}`)).rows, view).toEqual([])
    }
    await warehouse.arrange({ ...layout, chain: [] }, [])
    await expect(warehouse.query('SELECT * FROM loan')).rejects.toThrow(Problem)
  })

  law('the new arrangement and the records come together or not at all', async () => {
    const { warehouse } = at()
    await warehouse.arrange(layoutOf(0, [0]), [versionRecord(0, { state: 'promoted', promotion: 1 })])
    expect(await warehouse.versions()).toEqual([versionRecord(0, { state: 'promoted', promotion: 1 })])
    const layout = layoutOf(1, [1, 0])
    const impossible: readonly Layout[] = [
      { ...layout, features: ['ma50', 'bad"; DROP TABLE loan_rows; --'].map((name) => ({ name, type: 'double' as const })) },
      { ...layout, record: layout.record.map((column) => (column.name === 'amount' ? { name: 'amount', type: 'date' as const } : column)) },
    ]
    for (const one of impossible) {
      await expect(warehouse.plan(one)).rejects.toThrow(Problem)
      await expect(warehouse.arrange(one, [versionRecord(1)])).rejects.toThrow(Problem)
    }
    expect(await warehouse.versions()).toHaveLength(1)
    expect((await warehouse.plan(layoutOf(0, [0]))).statements).toEqual([])
  })

  law('names that are no plain names, or that the warehouse gives itself, are refused', async () => {
    const { warehouse } = at()
    for (const set of ['x"; DROP TABLE y; --', `x'`, 'Loan', 'a b', '', 'loan_v2', 'loan_rows', 'tidemark_versions']) {
      await expect(warehouse.arrange({ ...layoutOf(0, [0]), set }, []), set).rejects.toThrow(Problem)
    }
  })

  law('a reader in another handle never sees a gap or a mix while versions are promoted and rolled back', async () => {
    const { store, warehouse } = at()
    await warehouse.arrange(layoutOf(1, [0]), [])
    await warehouse.write('loan', columnsFrom([...plainRows(0, 1, 50), ...plainRows(1, 1, 50)]))
    const reader = await store.warehouse()
    let done = false
    const seen = new Set<string>()
    const polling = (async () => {
      while (!done) {
        const { rows } = await reader.query('SELECT count(*), min(_version), max(_version), count(DISTINCT _seq) FROM loan')
        seen.add(rows.map((row) => row.join(' ')).join())
        await new Promise((next) => setImmediate(next))
      }
    })()
    for (let i = 0; i < 20; i++) {
      await warehouse.arrange(layoutOf(1, i % 2 ? [0] : [1, 0]), [])
      await new Promise((next) => setImmediate(next))
    }
    done = true
    await polling
    expect([...seen].sort()).toEqual(['50 0 0 50', '50 1 1 50'])
    await reader.close()
  })
}
