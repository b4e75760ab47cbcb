/** Records of topics: each is in inflow once, numbered as it came, through kills; and once in the stream of what joins tables to it. */
import { describe, expect, it } from 'vitest'
import { decoder } from '../schemas/avro/decode.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { toObject } from '../schemas/avro/generic.ts'
import { fact } from '../schemas/fact.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import { date, decimal, integer, record, sourceRecord, text, type RecordSchema } from '../schemas/record.ts'
import { readFrame } from '../schemas/wire.ts'
import { table } from '../schemas/table.ts'
import { withComputed } from '../schemas/foreign/computed.ts'
import { streamOf } from '../streams/stream.ts'
import { openMemoryFeed } from '../utilities/memory/feed.ts'
import type { TopicSource } from '../ingest/topic-source.ts'
import { isLong, randomFrom, seed } from './seeded.ts'
import { rowsOf, type PlainRow } from './plain-columns.ts'
import { tableSource, topicsStore } from './topics-store.ts'

const payment = record('payment', 'paid_on', {
  n: integer(),
  account_id: text({ bytes: 20 }),
  paid_on: date({ nullable: false }),
  amount: decimal({ digits: 8, scale: 2 }),
  twice: decimal({ digits: 9, scale: 2, sql: 'amount * 2' }),
})
const accounts = table('accounts', { key: 'account_id' }, { account_id: text({ bytes: 20 }), name: text({ bytes: 20 }) })
const named = fact(
  'named',
  { of: payment, join: { account: [accounts, 'account_id', { waitMs: 3_600_000 }] } },
  { n: integer(), account_id: text({ bytes: 20 }), paid_on: date({ nullable: false }), name: text({ bytes: 20, from: 'account.name' }) },
)

const recordSource = (of: RecordSchema, topic: string): TopicSource => ({
  name: of.name,
  topic,
  of: { record: of },
  decode: withComputed(of, foreignDecoder({ name: of.name, fields: sourceRecord(of).fields, key: null, format: 'json' }, undefined)),
  isOfDatabase: false,
  noSnapshot: false,
  isFleeting: false,
  transactions: undefined,
})

const pay = (n: number, account: string) =>
  JSON.stringify({ n, account_id: account, paid_on: '2026-01-02', amount: '1.50', more: 'ignored' })

function setup({ partitions = 1, topicPartitions = 1 } = {}) {
  const feed = openMemoryFeed({ tellEveryMs: 5, atOnce: 7 })
  feed.make('payments', topicPartitions)
  feed.make('accounts', 1)
  const sources = () => [recordSource(payment, 'payments'), tableSource(accounts, 'accounts', { format: 'upsert-json' })]
  const per = partitions > 1 ? 'account_id' : null
  const store = topicsStore(feed, sources, { facts: [], tables: [accounts], records: [payment], events: [named], per, partitions })
  const { log, registry } = store.ports()
  const read = async (of: RecordSchema): Promise<readonly PlainRow[]> => {
    const { inflow } = streamOf(of)
    const rows: PlainRow[] = []
    for (let partition = 0; partition < (await log.partitions(inflow)); partition++)
      for await (const { batch } of log.read(inflow, { partition, from: 0 }))
        rows.push(...rowsOf(decoder(inflowSchema(of))(batch, 0, batch.ends.length).columns))
    return rows.toSorted((a, b) => Number(a['_seq']) - Number(b['_seq']))
  }
  const letters = async (of: RecordSchema) => {
    const found: { reason: string; topic: unknown; partition: unknown; offset: unknown; value: string }[] = []
    for await (const { batch } of log.read(streamOf(of).dead, { partition: 0, from: 0 }))
      for (let i = 0, start = 0; i < batch.ends.length; start = batch.ends[i++]!) {
        const frame = readFrame(batch.bytes, start, batch.ends[i]!)
        if (!frame.ok) throw new Error(frame.reason)
        const schema = JSON.parse((await registry.find(frame.id))!.definition) as Parameters<typeof toObject>[0]
        const { reason, topic, partition, offset, value } = toObject(schema, frame.payload)
        found.push({ reason: String(reason), topic, partition, offset: Number(offset), value: Buffer.from(value as Uint8Array).toString() })
      }
    return found
  }
  return { feed, store, read, letters }
}

describe('records of a topic', () => {
  it('has letters of rows that cannot be read, of a table that only events join', async () => {
    const { feed, store, letters } = setup()
    feed.append('accounts', 0, [{ key: '{"account_id":"a"}', value: '{"name"' }])
    await store.ingest()
    expect(await letters(named)).toMatchObject([{ topic: 'accounts', partition: 0, offset: 0, value: '{"name"' }])
  })

  it('are numbered as they come, with what is made of them; what cannot be read is kept with its place and its bytes', async () => {
    const { feed, store, read, letters } = setup()
    feed.append('payments', 0, [
      { value: pay(1, 'A') },
      { value: 'nonsense' },
      {},
      { value: pay(2, 'B') },
      { value: pay(3, 'A').replace('1.50', '1.555') },
    ])
    await store.ingest()
    feed.append('payments', 0, [{ value: pay(4, 'B') }])
    const place = await store.ingest()
    const rows = await read(payment)
    expect(rows.map(({ _seq, n, account_id, twice }) => [_seq, n, account_id, twice])).toEqual([
      [1, 1, 'A', 300],
      [2, 2, 'B', 300],
      [3, 4, 'B', 300],
    ])
    const dead = await letters(payment)
    expect(dead.map(({ topic, partition, offset, value }) => [topic, partition, offset, value.slice(0, 8)])).toEqual([
      ['payments', 0, 1, 'nonsense'],
      ['payments', 0, 2, ''],
      ['payments', 0, 4, '{"n":3,"'],
    ])
    expect(dead[2]!.reason).toContain('amount')
    expect(place).toMatchObject({
      sources: { payment: { totals: { messages: 6, dead: 3 } } },
      records: { payment: { seq: 3, messages: 3 } },
    })
  })

  it('are read on from what is there only when somebody says so, where messages were deleted before they were read', async () => {
    const { feed, store, read } = setup()
    feed.append('payments', 0, [{ value: pay(1, 'A') }])
    await store.ingest()
    feed.append('payments', 0, [{ value: pay(2, 'A') }, { value: pay(3, 'A') }])
    feed.deleteBefore('payments', 0, 2)
    await expect(store.ingest()).rejects.toThrow('the messages from 1 to 1 were deleted before they were read')
    await store.ingest({ acceptGap: ['payments'] })
    expect((await read(payment)).map(({ n }) => n)).toEqual([1, 3])
  })

  const runs = isLong ? 200 : 25
  for (const options of [{}, { topicPartitions: 3 }, { topicPartitions: 3, partitions: 3 }]) {
    it(`are there once, and joined once, through kills at any write: ${JSON.stringify(options)}`, { timeout: 120_000 }, async () => {
      for (let run = 0; run < runs; run++) await life(seed + run, options)
    })
  }
})

async function life(from: number, options: { readonly partitions?: number; readonly topicPartitions?: number }) {
  const random = randomFrom(from)
  const below = (n: number) => Math.floor(random() * n)
  const { feed, store, read, letters } = setup(options)
  let n = 0
  const [sent, known] = [new Map<number, string>(), new Set<string>()]
  for (let day = 0; day < 5; day++) {
    for (let i = below(20); i > 0; i--) {
      if (below(4) === 0) {
        const account = `A${below(6)}`
        known.add(account)
        feed.append('accounts', 0, [{ key: account, value: JSON.stringify({ account_id: account, name: `name of ${account}` }) }])
      } else {
        const account = `A${below(6)}`
        sent.set(++n, account)
        feed.append('payments', below(options.topicPartitions ?? 1), [{ value: pay(n, account) }])
      }
    }
    for (let cuts = below(4); cuts > 0; cuts--) {
      await store.ingest({ cut: { write: 1 + below(7) } })
      if (below(3) === 0) store.replaceTables()
    }
  }
  await store.ingest()
  const [rows, joined] = [await read(payment), await read(named)]
  const numbers = (all: readonly PlainRow[]) => all.map((row) => Number(row['n'])).toSorted((a, b) => a - b)
  expect([from, numbers(rows)]).toEqual([from, [...sent.keys()]])
  expect(rows.map(({ _seq }) => _seq)).toEqual(rows.map((_, i) => i + 1))
  const complete = [...sent].flatMap(([one, account]) => (known.has(account) ? [one] : []))
  expect([from, numbers(joined)]).toEqual([from, complete])
  for (const row of joined) expect(row['name']).toBe(`name of ${String(row['account_id'])}`)
  const { checkpoints } = store.ports()
  expect((await checkpoints.load('waiting/named')).size).toBe(sent.size - complete.length)
  expect(await letters(named)).toEqual([])
}
