/** What doctor says of topics of others, by what they hold. */
import { describe, expect, it } from 'vitest'
import { decimal, table, text } from '../feature-defs/language.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { Fields } from '../schemas/record.ts'
import { looksAtTopics, type TopicToLookAt } from '../use-cases/doctor-topics.ts'
import { openMemoryFeed, type MemoryFeed } from '../utilities/memory/feed.ts'
import { Problem } from '../utilities/values/problem.ts'

const skus = table('skus', { key: 'item_id' }, { item_id: text({ bytes: 10 }), price: decimal({ digits: 6, scale: 2 }) })
const topic = 'shop.public.skus'

const asked = (more: Partial<TopicToLookAt> = {}, fields: Fields = skus.fields): TopicToLookAt => ({
  name: 'skus',
  topic,
  isOfDatabase: true,
  transactions: undefined,
  decimals: false,
  needed: { fields, decode: foreignDecoder({ name: 'skus', fields, key: ['item_id'], format: 'debezium' }, undefined) },
  registry: undefined,
  ...more,
})

async function looks(feed: MemoryFeed, ...sources: readonly TopicToLookAt[]) {
  const all = looksAtTopics({ feed, checkpoints: undefined, signal: new AbortController().signal }, sources)
  const found: Record<string, { readonly found: string; readonly todo?: string }> = {}
  for (const { name, look } of all) found[name] = await look()
  return found
}

const change = (price: unknown, more: object = {}) => ({
  before: null,
  after: { item_id: 'I1', price },
  source: {
    connector: 'postgresql',
    name: 'shop',
    schema: 'public',
    table: 'skus',
    lsn: 5,
    txId: 7,
    sequence: '[null,"5"]',
    snapshot: 'false',
  },
  op: 'c',
  ts_ms: 1,
  ...more,
})
const key = JSON.stringify({ item_id: 'I1' })

function feedWith(values: readonly object[], { partitions = 1 } = {}) {
  const feed = openMemoryFeed({ tellEveryMs: 5 })
  feed.make(topic, partitions)
  feed.append(
    topic,
    0,
    values.map((value) => ({ key, value: JSON.stringify(value) })),
  )
  return feed
}

describe('doctor looks at a topic of others and', () => {
  it('says how many of its last messages can be read, in every partition', async () => {
    const feed = feedWith(
      Array.from({ length: 50 }, () => change('1.50')),
      { partitions: 3 },
    )
    feed.append(topic, 2, [{ key, value: JSON.stringify(change('2.50')) }])
    const found = await looks(feed, asked())
    expect(found[`topic of skus`]).toEqual({ found: `${topic} has 3 partitions; 21 of its last 21 messages can be read` })
    expect(found['Kafka of the topics']).toEqual({ found: 'it answers' })
  })

  it('names the first that cannot be read, and what becomes of such', async () => {
    const found = await looks(feedWith([change('1.50'), change('much'), change('more')]), asked({ decimals: true }))
    expect(found['topic of skus']!.found).toMatch(/1 of its last 3 messages can be read; the first that cannot: price: /)
    expect(found['topic of skus']!.todo).toMatch(/^Correct the definition of skus, or what sources\.skus says/)
  })

  it('holds nothing against one that is silent where its connector has sent other tables, and else says that it is not there', async () => {
    const other = asked({ name: 'lines', topic: 'shop.public.lines' })
    expect((await looks(feedWith([change('1')]), other))['topic of lines']).toEqual({
      found: 'there is no topic shop.public.lines',
      todo: 'Correct sources.lines.topic in the config, or let whoever writes it begin.',
    })
    // What was seen in this look counts as what was read before.
    const silent = (await looks(feedWith([change('1')]), asked(), other))['topic of lines']!
    expect(silent).toEqual({ found: 'there is no shop.public.lines yet: its connector has sent other tables, and no row of this one' })
  })

  it('finds changes without a transaction where transactions are to be whole, and a topic of them with several partitions', async () => {
    const wants = asked({ transactions: 'shop.transaction' })
    const bare = feedWith([change('1.50')])
    expect((await looks(bare, wants))['topic of skus']!.todo).toMatch(/^Set provide\.transaction\.metadata=true/)
    expect((await looks(bare, wants))['transactions in shop.transaction']!.found).toBe('it is not there, and changes have come')
    const told = feedWith([change('1.50', { transaction: { id: '7:5', total_order: 1 } })])
    told.make('shop.transaction', 2)
    const found = await looks(told, wants)
    expect(found['topic of skus']!.todo).toBeUndefined()
    expect(found['transactions in shop.transaction']!.todo).toMatch(/^Make it anew with one/)
    told.make('shop.transaction', 1)
    expect((await looks(told, wants))['transactions in shop.transaction']).toEqual({ found: 'it is there, with one partition' })
    expect((await looks(feedWith([]), wants))['transactions in shop.transaction']!.todo).toBeUndefined()
  })

  it('notes base64 without a schema, a schema in every message, and heartbeats that are not sent', async () => {
    const bare = await looks(feedWith([change('AJY=')]), asked())
    expect(bare['topic of skus']!.found).toContain('decimal.handling.mode=string')
    expect(bare['topic of skus']!.todo).toBeUndefined()
    expect((await looks(feedWith([change('AJY=')]), asked({ decimals: true })))['topic of skus']!.found).not.toContain('decimal.handling')
    const withSchema = await looks(feedWith([{ schema: { type: 'struct', fields: [] }, payload: change('1.50') }]), asked())
    expect(withSchema['topic of skus']!.found).toContain('value.converter.schemas.enable=false')
    expect(bare['heartbeats']!.found).toMatch(/^shop sends none: while only other tables change, PostgreSQL keeps its log/)
    const feed = feedWith([change('1.50')])
    feed.make('__debezium-heartbeat.shop', 1)
    expect((await looks(feed, asked()))['heartbeats']).toEqual({ found: 'shop: sent' })
    expect(await looks(feed, asked({ isOfDatabase: false }))).not.toHaveProperty('heartbeats')
  })

  it('asks each schema registry once, and leaves alone what no feature set needs', async () => {
    const asks: string[] = []
    const registry = { url: 'http://r:1', schemas: { find: async (id: string) => (asks.push(id), undefined) } }
    const found = await looks(feedWith([change('1')]), asked({ registry }), asked({ name: 'other', registry, needed: undefined }))
    expect([asks, found['schema registry http://r:1']]).toEqual([['1'], { found: 'it answers' }])
    expect(found['topic of other']).toEqual({ found: `${topic} is there, and no feature set needs it` })
    const away = { url: 'http://r:1', schemas: { find: () => Promise.reject(new Problem('it does not answer', 'Start it.')) } }
    await expect(looks(feedWith([]), asked({ registry: away }))).rejects.toThrow('it does not answer')
  })
})
