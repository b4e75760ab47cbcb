/** What status says of sources that are topics of others. */
import { describe, expect, it } from 'vitest'
import { sourceLines } from '../commands/source-lines.ts'
import { count, featureSet } from '../feature-defs/language.ts'
import { lookForLosses } from '../use-cases/doctor-store.ts'
import { statusOfSources } from '../use-cases/sources.ts'
import { waitingName } from '../ingest/events.ts'
import { streamOf } from '../streams/stream.ts'
import { openMemoryFeed } from '../utilities/memory/feed.ts'
import { memoryDatabase, openMemoryWarehouse } from '../utilities/memory/warehouse.ts'
import { Problem } from '../utilities/values/problem.ts'
import { databaseOf, topicOf, transactionTopic } from './database.ts'
import { sale, shopTables } from './shop-facts.ts'
import { tableSource, topicsStore } from './topics-store.ts'

const { definition } = featureSet({ name: 'sales', of: sale, per: 'account_id' }, { sales: count('invoice_id', { all: true }) })
const topics = Object.fromEntries(shopTables.map(({ name }) => [name, { topic: topicOf(name), isFleeting: false }]))
const ofSale = streamOf(sale).name

function setup({ partitions = 1, transactions = false } = {}) {
  const feed = openMemoryFeed({ tellEveryMs: 5 })
  const database = databaseOf(feed, { transactions, partitions })
  const sources = () =>
    shopTables.map((table) => tableSource(table, topicOf(table.name), transactions ? { transactions: transactionTopic } : {}))
  const store = topicsStore(feed, sources, { facts: [sale], tables: shopTables })
  const status = (given: Partial<Parameters<typeof statusOfSources>[0]> = {}, more: typeof topics = {}) =>
    statusOfSources(
      {
        ...store.ports(),
        warehouse: openMemoryWarehouse(memoryDatabase()),
        feed,
        clock: () => BigInt(Date.UTC(2026, 0, 3)) * 1_000_000n,
        ...given,
      },
      { topics: { ...topics, ...more }, definitions: [definition], tables: shopTables },
    )
  const of = async (source: string) => (await status()).sources.find((one) => one.source === source)!
  return { database, store, status, of, feed }
}

const rows = [
  { table: 'accounts', row: { account_id: 'A0', name: 'n' } },
  { table: 'skus', row: { item_id: 'I0', price: 100 } },
  { table: 'invoices', row: { invoice_id: 1, account_id: 'A0', issued: 18_001, paid: null } },
  { table: 'lines', row: { invoice_id: 1, item_id: 'I0', quantity: 1, day: 18_000 } },
]
const line = (quantity: number) => ({ table: 'lines', row: { invoice_id: 1, item_id: 'I0', quantity, day: 18_000 } })

describe('the status of sources from topics', () => {
  it('says before anything was read what there is to read, and what the facts wait for', async () => {
    const { database, status } = setup({ partitions: 3 })
    database.commit(rows)
    const { sources, facts } = await status()
    expect(
      sources.map(({ source, partitions, messages, lag, newestAt, waits }) => [source, partitions, messages, lag, newestAt, waits]),
    ).toEqual(shopTables.map(({ name }) => [name, 3, 0, 1, null, 'waits for its first rows']))
    expect(facts).toEqual([{ stream: ofSale, waitsFor: expect.arrayContaining(['accounts', 'invoices', 'lines', 'skus']) }])
  })

  it('counts what was read, what had come before and what cannot be read, and how far behind each is', async () => {
    const { database, store, status, of, feed } = setup()
    database.commit(rows)
    database.snapshot()
    await store.ingest()
    expect((await status()).facts).toEqual([])
    const [first] = database.commit([line(2)])
    feed.append(topicOf('lines'), 0, [{ key: '{}', value: 'no JSON', time: first!.time }])
    expect(await of('lines')).toMatchObject({ lag: 2, dead: 0 })
    await store.ingest()
    const [sent] = database.crash(1)
    await store.ingest()
    const age = Math.round((Date.UTC(2026, 0, 3) - sent!.time) / 1000)
    expect(await of('lines')).toMatchObject({
      partitions: 1,
      messages: 5,
      lag: 0,
      duplicates: 1,
      dead: 1,
      newestAt: new Date(sent!.time).toISOString(),
      secondsOld: age,
      waits: null,
      catchingUp: false,
    })
  })

  it('says that a snapshot asks first, and with which command it is let go', async () => {
    const { database, store, of, status } = setup()
    database.commit([...rows, ...Array.from({ length: 9 }, (_, i) => ({ table: 'skus', row: { item_id: `J${i}`, price: 1 } }))])
    database.snapshot()
    await store.ingest()
    database.commit(
      Array.from({ length: 5 }, (_, i) => ({ table: 'skus', gone: `J${i}` })),
      { isLost: true },
    )
    database.snapshot()
    await store.ingest()
    expect((await of('skus')).waits).toBe(
      'a new snapshot lacks 5 of the 10 rows, too many to leave by themselves: tidemark ingest --accept-snapshot skus',
    )
    expect(sourceLines(await status())).toContainEqual(expect.stringMatching(/^skus: a new snapshot lacks 5 .* --accept-snapshot skus$/))
  })

  it('says what a connector may have lost until a snapshot mends it, and doctor does', async () => {
    const { database, store, status } = setup({ transactions: true })
    const doctor = () => lookForLosses(store.ports(), transactionTopic)
    database.commit(rows)
    database.snapshot()
    await store.ingest()
    expect([(await status()).transactions, await doctor()]).toMatchObject([
      [{ lost: [], todo: null }],
      { found: 'nothing is known to be missing' },
    ])
    database.commit([line(2), line(3)], { lostBefore: 1 })
    await store.ingest()
    const says = expect.stringMatching(
      /^shop\.transaction: the connector was started again amid transaction 703 and may have lost a part of it, before 2026/,
    )
    const todo = expect.stringContaining('tidemark ingest --accept-loss shop.transaction')
    expect((await status()).transactions).toEqual([
      { topic: transactionTopic, inPieces: 0, lost: [{ transaction: '703', sentAt: expect.stringMatching(/^2026-01-02T/), says }], todo },
    ])
    expect(sourceLines(await status())).toEqual(expect.arrayContaining([says, todo]))
    expect(await doctor()).toEqual({ found: says, todo })
    database.snapshot()
    await store.ingest()
    expect([(await status()).transactions, await doctor()]).toMatchObject([
      [{ lost: [], todo: null }],
      { found: 'nothing is known to be missing' },
    ])
  })

  it('fails for no topic that is out of reach, which it says once, and asks standard input nothing', async () => {
    const { status } = setup()
    const away = { ends: () => Promise.reject(new Problem('Kafka does not answer', 'Start it.')) }
    const found = await status({ feed: away }, { events: { topic: 'standard input', isFleeting: true } })
    expect(found.outOfReach).toBe('Kafka does not answer. Start it.')
    expect(found.sources.map(({ lag }) => lag)).toEqual([null, null, null, null, null])
    expect(sourceLines(found).filter((text) => text.includes('Kafka does not answer'))).toHaveLength(1)
    expect((await status({}, { events: { topic: 'standard input', isFleeting: true } })).outOfReach).toBeNull()
  })

  it('counts records that wait, and names the widest change', async () => {
    const { database, store, status } = setup()
    const writer = await store.ports().log.writer('test')
    await writer.commit({
      append: [],
      save: ['1', '2'].map((key) => ({ name: waitingName({ name: 'enriched' }), key, value: new Uint8Array([1]) })),
    })
    await writer.close()
    expect((await status()).events).toEqual([{ stream: 'enriched', waiting: 2 }])
    expect(sourceLines(await status())).toContain('2 records wait for what inflow.enriched joins')
    database.commit([...rows, { table: 'skus', row: { item_id: 'I1', price: 1 } }])
    database.commit(['I0', 'I1'].map((item_id) => ({ table: 'lines', row: { invoice_id: 1, item_id, quantity: 2, day: 18_000 } })))
    database.snapshot()
    const begun = await store.ingest()
    expect(begun).toMatchObject({ widest: null })
    database.commit([line(5)])
    expect(await store.ingest()).toMatchObject({ widest: null })
    database.commit([{ table: 'accounts', row: { account_id: 'A0', name: 'renamed' } }])
    expect(await store.ingest()).toMatchObject({ widest: { rows: 1, facts: 2 } })
    database.commit([line(6)])
    expect(await store.ingest()).toMatchObject({ widest: { rows: 1, facts: 2 } })
  })
})
