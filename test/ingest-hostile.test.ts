/**
 * What databases do seldom: fail over, lose their place, empty tables in ways that nobody hears of. Nothing of it is lost, or told as
 * whole.
 */
import { describe, expect, it } from 'vitest'
import { table } from '../feature-defs/language.ts'
import { openMemoryFeed } from '../utilities/memory/feed.ts'
import { databaseOf, topicOf, transactionTopic, type Change } from './database.ts'
import { standingAfter } from './fact-store.ts'
import { modelOf, sale, shopTables, type Shop } from './shop-facts.ts'
import { tableSource, topicsStore } from './topics-store.ts'

function setup({ mysql = false, topicPartitions = 1, transactions = true, atOnce = 7 } = {}) {
  const feed = openMemoryFeed({ tellEveryMs: 5, atOnce })
  const database = databaseOf(feed, { partitions: topicPartitions, transactions, mysql })
  const source = (table: (typeof shopTables)[number]) =>
    tableSource(table, topicOf(table.name), transactions ? { transactions: transactionTopic } : {})
  const store = topicsStore(feed, () => shopTables.map(source), { facts: [sale], tables: shopTables })
  const standing = async () => sorted(standingAfter(await store.messages(sale)))
  return { feed, database, store, standing, facts: () => sorted(modelOf['sale']!(database.tables as Shop).facts) }
}

const sorted = <T>(all: Map<string, T>) => new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)))

const account: Change = { table: 'accounts', row: { account_id: 'A0', name: 'n' } }
const sku: Change = { table: 'skus', row: { item_id: 'I0', price: 100 } }
const invoice = (n: number): Change => ({ table: 'invoices', row: { invoice_id: n, account_id: 'A0', issued: 18_000 + n, paid: null } })
const line = (n: number, quantity = 1): Change => ({ table: 'lines', row: { invoice_id: n, item_id: 'I0', quantity, day: 18_000 } })

describe('ingest', () => {
  it('follows a database of MySQL to another server, whose binlogs are numbered anew', async () => {
    const { database, store, standing, facts } = setup({ mysql: true })
    database.commit([account, sku, invoice(1), line(1)])
    database.snapshot()
    database.commit([line(1, 2)])
    await store.ingest()
    database.failOver()
    database.commit([line(1, 3)])
    database.commit([line(1, 4)])
    const place = await store.ingest()
    expect(await standing()).toEqual(facts())
    expect(place).toMatchObject({ sources: { lines: { totals: { duplicates: 0 } } } })
    database.crash(2)
    expect(await store.ingest()).toMatchObject({ sources: { lines: { totals: { duplicates: 2 } } } })
    expect(await standing()).toEqual(facts())
  })

  it('lets transactions of MySQL pass a TRUNCATE, of which no end is told', async () => {
    const { database, store, standing, facts } = setup({ mysql: true })
    database.commit([account, sku, invoice(1), line(1)])
    database.snapshot()
    await store.ingest()
    database.commit([{ emptied: 'lines' }])
    for (let i = 0; i < 4; i++) database.commit([invoice(2 + i), line(2 + i)])
    const place = await store.ingest({ holdMs: 60_000 })
    expect(await standing()).toEqual(facts())
    expect(place).toMatchObject({ ends: { [transactionTopic]: { inPieces: 0 } } })
  })

  it('waits for no transaction of MySQL that had come before, though another process read it then', async () => {
    const { database, store, standing, facts } = setup({ mysql: true })
    database.commit([account, sku, invoice(1), line(1)])
    database.snapshot()
    database.commit([invoice(2), line(2)])
    await store.ingest()
    database.crash(1)
    database.commit([invoice(3), line(3)])
    const place = await store.ingest({ holdMs: 60_000 })
    expect(await standing()).toEqual(facts())
    expect(place).toMatchObject({ ends: { [transactionTopic]: { inPieces: 0 } } })
  })

  it('counts changes of a topic for each source that reads it: none goes before the rest of its transaction', async () => {
    const { feed, database } = setup()
    const again = table('again', { key: ['invoice_id', 'item_id'] }, { ...shopTables.find(({ name }) => name === 'lines')!.fields })
    const tables = [...shopTables, again]
    const sources = tables.map((one) => tableSource(one, topicOf(one === again ? 'lines' : one.name), { transactions: transactionTopic }))
    const store = topicsStore(feed, () => sources, { facts: [sale], tables })
    database.commit([account, sku, invoice(1), line(1)])
    database.snapshot()
    await store.ingest()
    const sent = database.commit([invoice(2), line(2), line(1, 7)], { isLost: true })
    const give = (topic: string) => {
      for (const one of sent)
        if (one.topic === topic) feed.append(topic, one.partition, [{ key: one.key!, value: one.value!, time: one.time }])
    }
    give(topicOf('lines'))
    give(transactionTopic)
    const before = (await store.messages(sale)).length
    const ended = new AbortController()
    const running = store.ingest({ follow: true, signal: ended.signal, holdMs: 60_000 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await store.messages(sale)).length).toBe(before)
    give(topicOf('invoices'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    ended.abort()
    await running
    expect(sorted(standingAfter(await store.messages(sale)))).toEqual(sorted(modelOf['sale']!(database.tables as Shop).facts))
  })

  it('takes nothing away by a snapshot that was asked for, though its connector was started again a moment before', async () => {
    const { database, store, standing } = setup({ atOnce: 100 })
    database.commit([account, sku, ...Array.from({ length: 30 }, (_, i) => invoice(i)), ...Array.from({ length: 30 }, (_, i) => line(i))])
    database.snapshot()
    database.commit([line(1, 2)])
    await store.ingest()
    database.commit([line(2, 2)])
    database.crash(1)
    database.commit([line(3, 2)])
    // As one with a condition, which is not of all rows.
    database.commit([{ table: 'lines', gone: '7,I0' }], { isLost: true })
    database.snapshot({ isAsked: true, only: ['lines'] })
    expect(await store.ingest()).toMatchObject({ sources: { lines: { snapshot: { state: 'adhoc' } } } })
    expect((await standing()).size).toBe(30)
  })

  it('takes nothing away by a snapshot that was asked for, though only other tables have changed since its connector was started', async () => {
    const { database, store, standing } = setup({ atOnce: 100 })
    database.commit([account, sku, ...Array.from({ length: 30 }, (_, i) => invoice(i)), ...Array.from({ length: 30 }, (_, i) => line(i))])
    database.snapshot()
    database.commit([line(1, 2)])
    database.crash(0)
    database.commit([invoice(3)])
    await store.ingest()
    database.commit([{ table: 'lines', gone: '7,I0' }], { isLost: true })
    database.snapshot({ isAsked: true, only: ['lines'] })
    expect(await store.ingest()).toMatchObject({ sources: { lines: { snapshot: { state: 'adhoc' } } } })
    expect((await standing()).size).toBe(30)
  })

  it('keeps a large value that was not sent of a row whose key changes', async () => {
    const { database, store, standing, facts } = setup()
    database.commit([account, sku, { table: 'accounts', row: { account_id: 'A1', name: 'long' } }, invoice(1), line(1)])
    database.snapshot()
    await store.ingest()
    database.commit([
      { table: 'accounts', moved: 'A1', row: { account_id: 'A2', name: 'long' }, unsent: ['name'] },
      { table: 'invoices', row: { invoice_id: 1, account_id: 'A2', issued: 18_001, paid: null } },
    ])
    await store.ingest()
    expect(await standing()).toEqual(facts())
  })

  it('has one letter of a change that cannot be read, however often it is sent, and counts it once', async () => {
    const { database, store } = setup()
    database.commit([account, sku, invoice(1), line(1)])
    database.snapshot()
    await store.ingest()
    database.commit([{ table: 'lines', row: { invoice_id: 1, item_id: 'I0', quantity: 'many', day: 18_000 } }, line(2)])
    await store.ingest()
    database.crash(1)
    expect(await store.ingest()).toMatchObject({ sources: { lines: { totals: { dead: 1, duplicates: 2 } } } })
    expect(await store.dead(sale)).toHaveLength(1)
  })

  it('reads a topic of another name from its first message on, as of a connector that was renamed', async () => {
    const { feed, database, store, standing, facts } = setup()
    database.commit([account, sku, invoice(1), line(1)])
    database.snapshot()
    for (let i = 2; i < 6; i++) database.commit([line(1, i)])
    await store.ingest()
    const renamed = databaseOf(feed, { transactions: true, prefix: 'other' })
    renamed.commit([account, sku, invoice(2), line(2)])
    renamed.snapshot()
    for (let i = 2; i < 9; i++) renamed.commit([line(2, i)])
    const sources = () => shopTables.map((one) => tableSource(one, topicOf(one.name, 'other')))
    const other = topicsStore(feed, sources, { facts: [sale], tables: shopTables, on: store })
    await expect(other.ingest()).rejects.toThrow(
      'came from shop.public.accounts until now, and comes from the topic other.public.accounts now',
    )
    const acceptGap = shopTables.map(({ name }) => topicOf(name, 'other'))
    await other.ingest({ acceptGap, acceptSnapshot: shopTables.map(({ name }) => name) })
    expect(await standing()).toEqual(sorted(modelOf['sale']!(renamed.tables as Shop).facts))
    expect(facts()).not.toEqual(await standing())
  })
})
