/** Loads in memory: what they make of files, what they refuse, and how they go on where they were cut short. */
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { count, date, decimal, fact, featureSet, integer, last, table, text } from '../feature-defs/language.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { neededFacts, neededTables } from '../ingest/needed.ts'
import { loadPlace, loadUnderWay } from '../ingest/place.ts'
import { previewLoad } from '../ingest/preview.ts'
import { standingFacts } from '../ingest/standing.ts'
import { tableSchema } from '../ingest/table-rows.ts'
import { tick } from '../ingest/tick.ts'
import type { Loaded } from '../ingest/load.ts'
import { toObject } from '../schemas/avro/generic.ts'
import { readFrame } from '../schemas/wire.ts'
import { streamOf } from '../streams/stream.ts'
import { sourceOnDisk } from '../utilities/files/place.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import { Problem } from '../utilities/values/problem.ts'
import { newDirectory } from './contracts/processes.ts'
import { factStore, standingAfter, type FactStore } from './fact-store.ts'
import { duckdb } from './parquet-rows.ts'
import { rowsOf } from './plain-columns.ts'
import { glance, invoices, lines, sale, shopTables } from './shop-facts.ts'

const files = {
  accounts: 'account_id,name\nA1,Ada\nA2,Bob\n',
  skus: 'item_id,price\nI1,10.00\nI2,2.50\n',
  invoices: 'invoice_id,account_id,issued,paid\n2,A2,2026-01-01,\n10,A1,2026-01-01,2026-02-01\n1,A1,2026-01-03,\n',
  lines: 'invoice_id,item_id,quantity,day\n1,I1,1,\n2,I2,2,\n10,I1,3,\n10,I2,1,\n',
}

const told = ({ change, key, after, before }: Awaited<ReturnType<FactStore['messages']>>[number]) =>
  [change, key, (after ?? before)?.['amount']].join(' ')

async function loaded(store: FactStore, texts: Readonly<Record<string, string>> = files, options: Parameters<FactStore['load']>[2] = {}) {
  const done = await store.load(shopTables, texts, options)
  if (done === 'cut') throw new Error('it was cut')
  return done
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(Problem)
  return (error as Problem).message
}

const rowsOfLoad = ({ tables }: Loaded) => Object.fromEntries(tables.map(({ table: name, totals }) => [name, Object.values(totals)]))

describe('a load', { timeout: 60_000 }, () => {
  it('makes the facts of the first files in the order of their dates, then of their keys, with one number each', async () => {
    const store = factStore([sale])
    const done = await loaded(store, files, { known: 77n })
    expect(done).toMatchObject({ ended: 'done', load: { totals: { sale: { added: 4, changed: 0, removed: 0, unfit: 0 } } } })
    const messages = await store.messages(sale)
    expect(messages.map(told)).toEqual(['added 2,I2 500', 'added 10,I1 3000', 'added 10,I2 250', 'added 1,I1 1000'])
    expect(messages.map(({ seq, known, groupEnd }) => [seq, known, groupEnd])).toEqual([1, 2, 3, 4].map((seq) => [seq, 77n, seq === 4]))
    // What other parts of the store go by.
    expect((await store.ports().checkpoints.load('produced/inflow.sale')).size).toBe(2)
  })

  it('writes what changed and nothing else, those that leave first; rows that did not change make nothing', async () => {
    const store = factStore([sale])
    await loaded(store)
    expect(await loaded(store)).toMatchObject({ ended: 'nothing new', load: null })
    const skus = 'item_id,price,colour\nI1,10.00,red\nI2,3.00,blue\n'
    const done = await loaded(store, { skus, lines: files.lines.replace('1,I1,1,\n', '').replace('10,I1,3', '10,I1,03') })
    // read, added, changed, left, unchanged, rejected
    expect(rowsOfLoad(done)).toEqual({ skus: [2, 0, 1, 0, 1, 0], lines: [3, 0, 0, 1, 3, 0] })
    expect((await store.messages(sale)).slice(4).map(told)).toEqual(['removed 1,I1 1000', 'changed 2,I2 600', 'changed 10,I2 300'])
  })

  it('with --partial leaves what the file lacks', async () => {
    const store = factStore([sale])
    await loaded(store)
    const done = await loaded(store, { lines: 'invoice_id,item_id,quantity,day\n1,I1,2,\n1,I2,1,\n' }, { partial: true })
    expect(rowsOfLoad(done)).toEqual({ lines: [2, 1, 1, 0, 0, 0] })
    expect((await store.messages(sale)).slice(4).map(told)).toEqual(['changed 1,I1 2000', 'added 1,I2 250'])
    expect(standingAfter(await store.messages(sale)).size).toBe(5)
  })

  it('of a dry run says what the load would do, and changes nothing', async () => {
    const store = factStore([sale, glance])
    await loaded(store)
    const texts = { lines: files.lines.replace('1,I1,1', '1,I1,9').replace('2,I2,2,\n', ''), accounts: 'account_id,name\nA1,Ada\n' }
    const before = await store.everything()
    const preview = await previewLoad(store.ports(), store.options(shopTables, texts))
    expect(await store.everything()).toEqual(before)
    const done = await loaded(store, texts)
    expect(preview.tables).toEqual(done.tables)
    expect(preview.facts).toEqual({ glance: { added: 0, changed: 0, removed: 0, unfit: 0 }, ...done.load!.totals })
    expect(preview.facts['sale']).toEqual({ added: 0, changed: 1, removed: 1, unfit: 0 })
  })

  it('keeps lines aside that cannot be taken: bad cells, keys that are missing, and keys that an earlier line has', async () => {
    const store = factStore([sale])
    const text = 'quantity,item_id,invoice_id,day\n1,I1,1,\nx,I1,2,\n3,,2,\n4,I1,1,\n5,I2,2,2026-02-30\n6,I2,2,\n7,I1,1,\n'
    const done = await loaded(store, { ...files, lines: text })
    expect(rowsOfLoad(done)['lines']).toEqual([7, 2, 0, 0, 0, 5])
    expect(store.rejected.map(({ line, column, reason }) => [line, column, reason])).toEqual([
      [3, 'quantity', 'not a whole number'],
      [4, 'item_id', 'empty'],
      [6, 'day', 'not a real day'],
      [5, 'invoice_id', 'an earlier row has this invoice_id, item_id'],
      [8, 'invoice_id', 'an earlier row has this invoice_id, item_id'],
    ])
    expect([...standingAfter(await store.messages(sale)).keys()]).toEqual(['2,I2', '1,I1'])
    const strict = factStore([sale])
    expect(await refusal(strict.load(shopTables, { ...files, lines: text }, { strict: true }))).toMatch(
      /^lines:3: quantity: not a whole number/,
    )
    expect(await refusal(strict.load(shopTables, { lines: 'invoice_id,item_id,quantity\n1,I1,1\n' }))).toMatch(/has no column "day"/)
    expect(await loadPlace(strict.ports().checkpoints)).toMatchObject({ loads: 0 })
  })

  it('asks before more than half of a table leaves', async () => {
    const store = factStore([sale])
    await loaded(store)
    const asked: unknown[] = []
    const agree = async (shrinking: unknown) => {
      asked.push(shrinking)
      return false
    }
    const one = { invoices: 'invoice_id,account_id,issued,paid\n1,A1,2026-01-03,\n' }
    expect(await loaded(store, one, { agree })).toMatchObject({ ended: 'declined', load: null })
    expect(asked).toEqual([[{ table: 'invoices', rows: 3, left: 2 }]])
    expect(await store.messages(sale)).toHaveLength(4)
    expect(await loaded(store, one)).toMatchObject({ ended: 'done' })
    expect(standingAfter(await store.messages(sale)).size).toBe(1)
    expect(await loaded(store, one, { agree })).toMatchObject({ ended: 'nothing new' })
  })

  it('told to stop ends with a commit, is named while it is under way, and goes on with the same files or before others', async () => {
    for (const next of [files, { skus: 'item_id,price\nI1,11.00\n' }]) {
      const store = factStore([sale])
      const stop = new AbortController()
      const report = ({ facts }: { readonly facts: number }) => facts > 0 && stop.abort()
      expect(await loaded(store, files, { signal: stop.signal, atOnce: 1, report })).toMatchObject({ ended: 'interrupted' })
      const { checkpoints, registry, tables } = store.ports()
      expect((await loadUnderWay(checkpoints))?.tables.map((one) => one.table).sort()).toEqual(Object.keys(files).sort())
      const written = (await store.messages(sale)).length
      expect(written).toBeGreaterThan(0)
      expect(written).toBeLessThan(4)
      expect(await refusal(standingFacts({ checkpoints, registry, tables }, sale, shopTables))).toMatch(/is under way since/)
      const due = { facts: [{ fact: sale, stream: streamOf(sale), pers: [null] }], at: 20_000, partitions: 1 }
      expect(await refusal(tick(store.ports(), due))).toMatch(/^a load of .*lines.* is under way/)
      expect(await refusal(previewLoad(store.ports(), store.options(shopTables, next)))).toMatch(/is not done/)

      const done = await loaded(store, next)
      expect(done).toMatchObject(next === files ? { ended: 'done', finished: null } : { ended: 'done', finished: { partial: false } })
      expect(await loadUnderWay(checkpoints)).toBeNull()
      expect([...standingAfter(await store.messages(sale)).keys()]).toEqual(
        next === files ? ['2,I2', '10,I1', '10,I2', '1,I1'] : ['10,I1', '1,I1'],
      )
    }
  })

  it('told to stop while it reads has changed nothing', async () => {
    const store = factStore([sale])
    await loaded(store)
    const before = await store.everything()
    const stop = new AbortController()
    const report = ({ doing }: { readonly doing: string }) => doing === 'reading' && stop.abort()
    const texts = { ...files, lines: files.lines.replace('1,I1,1', '1,I1,5') }
    expect(await loaded(store, texts, { signal: stop.signal, report })).toMatchObject({ ended: 'interrupted', load: null, tables: [] })
    expect(await store.everything()).toEqual(before)
    expect(await loaded(store, texts)).toMatchObject({ ended: 'done', load: { rows: 1 } })
  })

  it('of which no fact was written is given up for other files: rows are what they were', async () => {
    const store = factStore([sale, glance])
    await loaded(store)
    const other = { lines: files.lines.replace('1,I1,1', '1,I1,5') + '7,I1,1,\n', invoices: files.invoices.replace('10,A1', '10,A2') }
    expect(await store.load(shopTables, other, { atOnce: 1, cut: { write: 3 } })).toBe('cut')
    expect(await loadUnderWay(store.ports().checkpoints)).not.toBeNull()
    // Nobody knows any more what the rest of it was.
    store.replaceTables()
    expect(await loaded(store)).toMatchObject({ ended: 'nothing new', finished: null })
    expect(await store.messages(sale)).toHaveLength(4)
    store.replaceTables()
    expect(await loaded(store)).toMatchObject({ ended: 'nothing new' })
    expect([...(await store.entries('table/lines')).keys()]).toEqual(['1,I1', '2,I2', '10,I1', '10,I2'])
  })

  it('makes the tables on disk again where they are lost, older, or killed before they were what was committed', async () => {
    const { dir, remove } = newDirectory()
    onTestFinished(remove)
    const [path, copy] = [join(dir, 'tables.db'), join(dir, 'copy.db')]
    const store = factStore([sale])
    const open = () => {
      const tables = openSqliteTables(path)
      store.replaceTables(tables)
      return tables
    }
    let restored = 0
    const change = async (price: number) => {
      restored = 0
      const tables = open()
      const report = ({ doing, rows }: { readonly doing: string; readonly rows: number }) =>
        void (doing === 'restoring' && (restored += rows))
      await loaded(store, { skus: `item_id,price\nI1,${price}.00\nI2,2.50\n` }, { report })
      tables.close()
      expect(standingAfter(await store.messages(sale)).get('1,I1')?.['amount']).toBe(price * 100)
    }
    const first = open()
    await loaded(store)
    first.close()
    await change(1)
    expect(restored).toBe(0)
    copyFileSync(path, copy)
    await change(2)
    // An older copy is not what the log holds, and all rows are read again.
    copyFileSync(copy, path)
    await change(3)
    expect(restored).toBe(11)
    rmSync(path)
    await change(4)
    expect(restored).toBe(11)
    const killed = open()
    const settle = {
      ...killed,
      settle: () => {
        throw new Error('killed')
      },
    }
    store.replaceTables(settle)
    await expect(store.load(shopTables, { skus: 'item_id,price\nI1,5.00\nI2,2.50\n' })).rejects.toThrow('killed')
    killed.close()
    expect(standingAfter(await store.messages(sale)).get('1,I1')?.['amount']).toBe(500)
    // What was committed last is there already, and becomes of the rows.
    await change(6)
    expect(restored).toBe(0)
  })

  it('begins a fact that comes later with all that stand, and refuses a table by another key', async () => {
    const store = factStore([sale])
    await loaded(store)
    store.setFacts([glance, sale])
    expect(await loaded(store, { accounts: files.accounts })).toMatchObject({ ended: 'done', load: { rows: 0 } })
    expect((await store.messages(glance)).length).toBe(0)
    const days = files.lines.replaceAll(/,\n/g, ',2026-01-01\n').replace('day2026', 'day\n2026')
    expect(await loaded(store, { lines: days })).toMatchObject({ load: { totals: { glance: { added: 4 } } } })
    const [lateLines, late] = lateFact()
    store.setFacts([glance, late, sale])
    expect(await loaded(store, {})).toMatchObject({ ended: 'done', load: { totals: { late: { added: 4 } } } })
    expect(await loaded(store, {})).toMatchObject({ ended: 'nothing new' })
    void lateLines
    const otherKey = table('lines', { key: 'invoice_id' }, { invoice_id: integer(), item_id: text({ bytes: 20 }) })
    expect(await refusal(store.load([otherKey], {}))).toMatch(/^the table lines was loaded by invoice_id, item_id/)
  })

  it('ticks say that a date has come, in every partition under one number, and never go back', async () => {
    const store = factStore([sale], { per: 'account_id', partitions: 3 })
    await loaded(store)
    const at = (day: number) =>
      tick(store.ports(), { facts: [{ fact: sale, stream: streamOf(sale), pers: ['account_id'] }], at: day, partitions: 3 })
    expect(await at(20_500)).toMatchObject({ ended: 'ticked', at: '2026-02-16', partitions: 3 })
    const ticks = (await store.messages(sale)).filter(({ change }) => change === 'tick')
    expect(ticks.map(({ partition, seq, tick: day, groupEnd, key }) => [partition, seq, day, groupEnd, key])).toEqual(
      [0, 1, 2].map((partition) => [partition, 5, 20_500, true, null]),
    )
    expect(ticks[0]!.known).toBe(20_500n * 86_400_000_000_000n)
    expect(await at(20_500)).toMatchObject({ ended: 'had come' })
    expect(await refusal(at(20_499))).toBe('sale was told that 2026-02-16 has come, and 2026-02-15 is before. A tick never goes back.')
    await loaded(store, { skus: 'item_id,price\nI1,1.00\nI2,2.50\n' })
    expect((await store.messages(sale)).map(({ seq }) => seq).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 5, 5, 6, 7])
  })

  it('keeps of each row what it was and what it is, as any reader of Avro reads it', async () => {
    const store = factStore([sale])
    await loaded(store)
    await loaded(store, { lines: files.lines.replace('1,I1,1', '1,I1,5') })
    const entries = await store.entries('table/lines')
    const read = (key: string) => {
      const frame = readFrame(entries.get(key)!, 0, entries.get(key)!.length)
      return frame.ok ? toObject(tableSchema(lines), frame.payload) : frame
    }
    const row = { invoice_id: 1n, item_id: 'I1', day: null }
    expect(read('1,I1')).toEqual({ load: 2n, before: { ...row, quantity: 1n }, after: { ...row, quantity: 5n } })
    expect(read('2,I2')).toEqual({ load: 1n, before: null, after: { invoice_id: 2n, item_id: 'I2', quantity: 2n, day: null } })
  })

  it('gives the facts that stand as the tables have them', async () => {
    const store = factStore([sale])
    await loaded(store)
    await loaded(store, { lines: files.lines.replace('2,I2,2,\n', '') })
    const { seq, facts } = await standingFacts(store.ports(), sale, shopTables)
    const found = new Map([...facts].flatMap(rowsOf).map(({ _key, _seq: _, ...row }) => [_key, row]))
    expect([seq, found]).toEqual([5, standingAfter(await store.messages(sale))])
  })
})

describe('what is to be loaded', { timeout: 60_000 }, () => {
  it('are the facts of every set that is defined or was applied, as they were then, and all tables that they are made from', async () => {
    const { registry } = factStore([]).ports()
    const owing = featureSet({ name: 'owing', of: sale, per: 'account_id' }, { sales: count('amount', { all: true }) })
    const seen = featureSet({ name: 'seen', of: glance, per: ['item_id', 'name'] }, { times: count('price', { all: true }) })
    const again = featureSet({ name: 'again', of: sale, per: 'account_id' }, { last: last('amount', { all: true }) })
    await registry.register('owing', JSON.stringify(rowSchema(owing.definition)))
    const needed = await neededFacts({ registry, definitions: [seen.definition, again.definition], isRetired: () => false })
    expect(needed.map(({ stream, pers }) => [stream.inflow, pers])).toEqual([
      ['inflow.glance', [['item_id', 'name']]],
      ['inflow.sale', ['account_id']],
    ])
    expect(neededTables(needed, []).map(({ name }) => name)).toEqual(['accounts', 'invoices', 'lines', 'skus'])
    const other = sale.replace({ amount: decimal({ digits: 4, scale: 2, sql: 'sku.price' }) })
    const edited = { ...again.definition, record: { ...other, fact: { ...other.fact, version: 0 } } }
    expect(await refusal(neededFacts({ registry, definitions: [edited], isRetired: () => false }))).toMatch(
      /^the fact sale is made in another way than when a set over it was applied/,
    )
    const shorter = shopTables.map((one) => (one === lines ? table('lines', { key: lines.key as never }, { ...keysOf(lines) }) : one))
    expect(() => neededTables(needed, shorter)).toThrow(/was applied over a table lines with a column quantity, which it has no more/)
  })

  it('may be gzip or Parquet, and makes what the same rows as CSV make', async () => {
    const { dir, remove } = newDirectory()
    onTestFinished(remove)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, `${name}.csv`), text)
    writeFileSync(join(dir, 'lines.csv.gz'), gzipSync(files.lines))
    await duckdb(`COPY (SELECT * FROM read_csv('${dir}/invoices.csv')) TO '${dir}/invoices.parquet' (FORMAT parquet)`)
    const [plain, packed] = [factStore([sale]), factStore([sale])]
    await loaded(plain)
    const names = { accounts: 'accounts.csv', skus: 'skus.csv', invoices: 'invoices.parquet', lines: 'lines.csv.gz' }
    const sources = Object.entries(names).map(([name, file]) => {
      return { table: shopTables.find((one) => one.name === name)!, source: sourceOnDisk(join(dir, file)), rejects: packed.rejects }
    })
    await loaded(packed, {}, { files: sources })
    const what = async (store: FactStore) => (await store.messages(sale)).map(({ known: _, ...message }) => message)
    expect(await what(packed)).toEqual(await what(plain))
  })
})

const keysOf = ({ key, fields }: typeof lines) => Object.fromEntries(key.map((name) => [name, fields[name as keyof typeof fields]]))

/** A fact of invoices alone. */
function lateFact() {
  const late = fact(
    'late',
    { of: lines, at: 'on', join: { invoice: [invoices, 'invoice_id'] } },
    { on: date({ from: 'invoice.issued', nullable: false }) },
  )
  return [lines, late] as const
}
