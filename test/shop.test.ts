/** The example's shop: the same bytes for the same seed, a day's changes of every kind, and what real tables have. */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { generateShop } from '../examples/invoices/generate.ts'
import { shop, type Shop, type ShopOptions } from '../examples/invoices/shop.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-shop-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function filesOf(options: ShopOptions): Promise<string> {
  const folder = mkdtempSync(join(root, 'day-'))
  await generateShop(folder, options)
  return ['accounts', 'skus', 'invoices', 'lines'].map((name) => readFileSync(join(folder, `${name}.csv`), 'utf8')).join('\n')
}

const options = { invoices: 2_000, seed: 1, day: 1 }
type Rows = ReadonlyMap<string, readonly (string | number | null)[]>

/** By key, as a database would have them. */
function rowsOf(options: ShopOptions): { readonly [table in keyof Shop]: Rows } {
  const tables = shop(options)
  const byKey = (name: keyof Shop, keys: number): Rows => {
    const rows = [...tables[name].rows()]
    const found = new Map(rows.map((row) => [row.slice(0, keys).join(), row]))
    expect([name, found.size]).toEqual([name, rows.length])
    return found
  }
  return { accounts: byKey('accounts', 1), skus: byKey('skus', 1), invoices: byKey('invoices', 1), lines: byKey('lines', 2) }
}

/** How many keys came, changed and went. */
function difference(before: Rows, after: Rows) {
  const both = [...after.keys()].filter((key) => before.has(key))
  return {
    came: after.size - both.length,
    changed: both.filter((key) => String(before.get(key)) !== String(after.get(key))).length,
    went: before.size - both.length,
  }
}

describe('the tables of a shop', () => {
  it('are the same for the same seed and day, and others for others', async () => {
    const text = await filesOf(options)
    expect(await filesOf(options)).toBe(text)
    for (const other of [{ day: 2 }, { seed: 2 }, { seed: 1 + 2 ** 32 }]) expect(await filesOf({ ...options, ...other })).not.toBe(text)
  })

  it('never change from one release to the next', async () => {
    const texts = [await filesOf({ ...options, invoices: 300 }), await filesOf({ ...options, invoices: 300, day: 2 })]
    const sums = texts.map((text) => createHash('sha256').update(text).digest('hex'))
    expect(sums).toEqual([
      'fb308f718d29922d0581cd182fb48aab8cd285cb0b765e60e8a1caf826ecc6d4',
      '49b8098649ec40a5477dbd374ae0e2d6fb9b0ea1b962a4e817f72adefc4ac192',
    ])
  })

  it('have late payers, unpaid invoices, prices from cents to hundreds, nulls, and lines without their item', () => {
    const { accounts, skus, invoices, lines } = rowsOf(options)
    expect([invoices.size, Math.round(lines.size / invoices.size)]).toEqual([2_000, 3])
    const days = (text: string | number | null | undefined) => Date.parse(String(text)) / 86_400_000
    const paid = [...invoices.values()].filter((row) => row[4] !== null)
    const late = paid.filter((row) => days(row[4]) - days(row[3]) > 30)
    expect(paid.length / invoices.size).toBeGreaterThan(0.8)
    expect(invoices.size - paid.length).toBeGreaterThan(100)
    expect(late.length / paid.length).toBeGreaterThan(0.1)
    expect(late.length / paid.length).toBeLessThan(0.4)
    const prices = [...skus.values()].flatMap((row) => (row[2] === null ? [] : [Number(row[2])]))
    expect(Math.min(...prices)).toBeLessThan(2)
    expect(Math.max(...prices)).toBeGreaterThan(200)
    const nulls = [[...accounts.values()], [...lines.values()]].map((rows) => rows.flat().filter((cell) => cell === null).length)
    expect(Math.min(...nulls)).toBeGreaterThan(0)
    const unlisted = [...lines.values()].filter((row) => !skus.has(String(row[1])))
    expect(unlisted.length).toBeGreaterThan(0)
    expect(unlisted.length / lines.size).toBeLessThan(0.05)
    // Some were made out in advance.
    expect([...invoices.values()].some((row) => String(row[3]) > '2024-06-30')).toBe(true)
  })

  it('are a day later what has come, changed and gone meanwhile', () => {
    const [before, after] = [rowsOf(options), rowsOf({ ...options, day: 2 })]
    for (const table of ['accounts', 'skus', 'invoices', 'lines'] as const) {
      const { came, changed, went } = difference(before[table], after[table])
      expect([table, came > 0, changed > 0, went > 0]).toEqual([table, true, true, true])
      expect([table, came + changed + went < before[table].size / 4]).toEqual([table, true])
    }
    const settled = [...before.invoices.keys()].filter(
      (key) => before.invoices.get(key)![4] === null && typeof after.invoices.get(key)?.[4] === 'string',
    )
    expect(settled.length).toBeGreaterThan(0)
  })

  it('leave nothing behind when they are interrupted', async () => {
    const folder = mkdtempSync(join(root, 'cut-'))
    const stop = new AbortController()
    const onProgress = (rows: number) => rows > 3_000 && stop.abort()
    await expect(generateShop(folder, options, { signal: stop.signal, onProgress })).rejects.toThrow(/abort/i)
    expect(readdirSync(folder)).toEqual([])
  })

  it('are refused where they cannot be made, in one line', async () => {
    const folder = join(root, 'none')
    await expect(generateShop(folder, { ...options, invoices: 0 })).rejects.toThrow('cannot generate 0 invoices')
    await expect(generateShop(folder, { ...options, day: 0 })).rejects.toThrow('there is no day 0')
    await expect(generateShop(folder, { ...options, seed: 0.5 })).rejects.toThrow('0.5 cannot be a seed')
    expect(existsSync(folder)).toBe(false)
    await expect(generateShop('/proc/none', options)).rejects.toThrow('the directory /proc/none cannot be made')
  })
})
