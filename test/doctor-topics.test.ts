/** What doctor tells of topics of others by their last messages: captured ones, and such as would be read wrongly. */
import { describe, expect, it } from 'vitest'
import { decimal, integer } from '../feature-defs/language.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import { namedBySource } from '../schemas/record.ts'
import { lookAtTopic, tellOf, type TopicAsked } from '../use-cases/doctor-topics.ts'
import { openMemoryFeed, type Sent } from '../utilities/memory/feed.ts'
import { captured } from './foreign-messages.ts'

const never = new AbortController().signal

/** Of a captured topic, where the topic of transactions has one partition and there are heartbeats. */
const told = (file: string, topic: string, more: Partial<TopicAsked> = {}) => {
  const sample = captured(file, topic)
  const ends = sample.map(() => ({ first: 0, next: 1 }))
  const transactions = more.transactions === undefined ? undefined : 1
  return tellOf({ topic, format: 'debezium', decimals: [], ...more }, { ends, sample, transactions, heartbeats: true })
}

const change = (op: string, row: object, transaction: object | null = { id: '7:1' }): Sent => ({
  key: '{"id":1}',
  value: JSON.stringify({ before: null, after: row, op, source: { name: 'shop', table: 'prices' }, transaction }),
})

function feedWith(topics: { readonly [topic: string]: readonly (readonly Sent[])[] }) {
  const feed = openMemoryFeed({ tellEveryMs: 5 })
  for (const [topic, partitions] of Object.entries(topics)) {
    feed.make(topic, partitions.length)
    for (const [partition, messages] of partitions.entries()) feed.append(topic, partition, messages)
  }
  return feed
}

const asked: TopicAsked = { topic: 'shop.public.prices', format: 'debezium', transactions: 'shop.transaction', decimals: ['price'] }
const good = change('u', { id: 1, price: '12.50' })

describe('a topic that others fill', () => {
  it('is well where decimals are texts, changes name their transactions, and the connector is alive', async () => {
    const feed = feedWith({ 'shop.public.prices': [[good]], 'shop.transaction': [[]], '__debezium-heartbeat.shop': [[]] })
    expect(await lookAtTopic(feed, asked, never)).toEqual({
      found: 'shop.public.prices, one partition; the last 1 messages in JSON looked at',
    })
    expect(told('pg-strings.jsonl', 'strings.public.invoices', { decimals: ['amount_usd'] }).todo).toBeUndefined()
  })

  it('is told by its last messages, however many came before', async () => {
    const before = Array.from({ length: 5000 }, () => change('u', { id: 1, price: 'BOI=' }, null))
    const since = Array.from({ length: 100 }, () => good)
    const feed = feedWith({ 'shop.public.prices': [[...before, ...since]], 'shop.transaction': [[]] })
    const { found, todo } = await lookAtTopic(feed, asked, never)
    expect(found).toContain('the last 100 messages')
    expect(found).toContain('no heartbeats')
    expect(todo).toBeUndefined()
  })

  it('is named where transactions cannot be told: no topic of them, several partitions, or changes without', async () => {
    const partitions = { 'shop.public.prices': [[good]] }
    const doubt = async (topics: Parameters<typeof feedWith>[0]) => (await lookAtTopic(feedWith(topics), asked, never)).found
    expect(await doubt(partitions)).toContain('there is no topic shop.transaction')
    expect(await doubt({ ...partitions, 'shop.transaction': [[], []] })).toContain('has 2 partitions')
    const without = change('c', { id: 1, price: '1.00' }, null)
    expect(await doubt({ 'shop.public.prices': [[without]], 'shop.transaction': [[]] })).toContain('do not say of which transaction')
    expect(told('pg-flat.jsonl', 'flat.public.invoices', { transactions: 'flat.transaction' }).todo).toContain('whole envelope')
    expect(told('pg-plain.jsonl', 'plain.public.invoices', { transactions: 'plain.transaction' }).todo).toBeUndefined()
  })

  it('is named where decimals do not say their scale, and not where a schema does', () => {
    expect(told('pg-plain.jsonl', 'plain.public.invoices', { decimals: ['amount_usd'] }).found).toContain('amount_usd: decimals in base64')
    const withSchemas = told('pg-schemas.jsonl', 'schemas.public.invoices', { decimals: ['amount_usd'] })
    expect(withSchemas.todo).toBeUndefined()
    expect(withSchemas.found).toContain('six times as large')
    expect(told('pg-doubles.jsonl', 'doubles.public.invoices', { decimals: ['amount_usd'] }).todo).toBeUndefined()
  })

  it('is named where rows without keys lie in several partitions', async () => {
    const { value } = good
    const feed = feedWith({ 'shop.public.prices': [[{ value: value! }], [{ value: value! }]], 'shop.transaction': [[]] })
    expect((await lookAtTopic(feed, asked, never)).todo).toBe('Set message.key.columns, or give the table a primary key.')
  })

  it('may be missing, empty, or hold what is no JSON', async () => {
    expect(await lookAtTopic(feedWith({}), asked, never)).toEqual({
      found: 'there is no topic shop.public.prices yet: its connector makes it with its first row',
    })
    const odd: readonly Sent[] = [{}, { value: '' }, { value: 'é{' }, { value: '[1]' }, { value: new Uint8Array([3, 0, 7]) }]
    for (const messages of [[], odd])
      expect((await lookAtTopic(feedWith({ 'shop.public.prices': [messages], 'shop.transaction': [[]] }), asked, never)).found).toBe(
        'shop.public.prices, one partition',
      )
  })

  it('is read as it is when it is taken, and the first that cannot be read is named', async () => {
    const fields = { id: integer(), price: decimal({ digits: 6, scale: 2 }) }
    const decode = foreignDecoder({ name: 'prices', fields: namedBySource(fields), key: ['id'], format: 'debezium' }, undefined)
    const topics = { 'shop.public.prices': [[good], [good, change('u', { id: 1, price: 'much.more' })]], 'shop.transaction': [[]] }
    const { found, todo } = await lookAtTopic(feedWith(topics), { ...asked, decode }, never)
    expect(found).toMatch(/; 1 of its last 3 messages cannot be read; the first: price: /)
    expect(todo).toMatch(/^Correct the field, or what the config says of the format/)
    const well = { ...topics, 'shop.public.prices': [[good]] }
    expect((await lookAtTopic(feedWith(well), { ...asked, decode }, never)).found).not.toContain('cannot be read')
  })

  it('has to be there where no connector makes it with its first row', async () => {
    expect(await lookAtTopic(feedWith({}), { topic: 'payments', format: 'json', decimals: [] }, never)).toEqual({
      found: 'there is no topic payments',
      todo: 'Correct its name in the config file, or let whoever writes it begin.',
    })
  })
})
