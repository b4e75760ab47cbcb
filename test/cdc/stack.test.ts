/** The stack that the tests of change data capture run on: what Debezium sends with the configuration of docs/cdc.md, whoever is killed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Session } from '../aws/postgres.ts'
import { unlessMissing } from '../unless-missing.ts'
import { sentUntil } from './messages.ts'
import { missingForStack, startStack, type Stack } from './stack.ts'

let stack: Stack
let session: Session

function stackTests() {
  beforeAll(async () => {
    stack = await startStack()
    session = await stack.postgres.session()
    await session.run('create table heartbeat (id int primary key, at timestamptz)')
    await session.run('create table prices (id int primary key, price numeric(12, 4) default 5)')
    await session.run('create table places (id int primary key, place text)')
  }, 600_000)
  afterAll(() => stack?.stop())

  const statement = async (sql: string) => {
    const one = await stack.postgres.session()
    await one.run(sql).finally(one.end)
  }
  const shortly = ({ op, after }: { op: string; after: unknown }) => [op, after]
  const sentTo = async (topic: string, last: string) => {
    const sent = await sentUntil(stack.kafka.brokers, topic, (some) => some.some((one) => JSON.stringify(one?.after) === last))
    return sent.filter((one) => one !== null)
  }

  describe('Debezium, as docs/cdc.md configures it', () => {
    it('sends decimals as text, nulls as null, truncates, and how many changes each transaction has', async () => {
      await session.run('insert into prices values (1, 1.5), (2, null)')
      const { topicOf, transactions } = await stack.register({ prefix: 'prices', database: 'postgres', tables: ['public.prices'] })
      for (const one of ['begin', 'insert into prices values (3, 3)', 'update prices set id = 4 where id = 1', 'commit'])
        await session.run(one)
      await session.run('truncate prices')
      await session.run('insert into prices values (5, 0.0001)')
      const sent = await sentTo(topicOf('public.prices'), '{"id":5,"price":"0.0001"}')
      expect(sent.map(shortly)).toEqual([
        ['r', { id: 1, price: '1.5000' }],
        ['r', { id: 2, price: null }],
        ['c', { id: 3, price: '3.0000' }],
        ['d', null],
        ['c', { id: 4, price: '1.5000' }],
        ['t', null],
        ['c', { id: 5, price: '0.0001' }],
      ])
      const isOfPrices = (mark: { status: string; data_collections: { data_collection: string; event_count: number }[] | null }) =>
        mark.data_collections?.find((one) => one.data_collection === 'public.prices')
      const marks = await sentUntil(stack.kafka.brokers, transactions, (some) => some.filter(isOfPrices).length === 3)
      const ends = marks.filter(isOfPrices)
      expect(ends.map((mark) => [mark.status, isOfPrices(mark)?.event_count])).toEqual([3, 1, 1].map((count) => ['END', count]))
      const numberOf = ({ transaction }: { transaction: { id: string } }) => transaction.id.split(':')[0]
      expect(sent.filter(({ op }) => op !== 'r').map(numberOf)).toEqual([0, 0, 0, 1, 2].map((which) => ends[which].id.split(':')[0]))
    })

    it('sends each change once, whichever part is killed, and all rows when its offsets were deleted', async () => {
      const { topicOf, streams, beginAgain } = await stack.register({ prefix: 'places', database: 'postgres', tables: ['public.places'] })
      const row = (id: number) => ({ id, place: `place ${id}` })
      const insert = (id: number) => statement(`insert into places values (${id}, 'place ${id}')`)
      await insert(1)
      // Killed before it has sent anything, it would begin with a snapshot.
      await sentTo(topicOf('public.places'), JSON.stringify(row(1)))
      for (const [i, part] of [stack.connect, stack.kafka, stack.postgres, stack.connect].entries()) {
        await part.kill()
        if (part !== stack.postgres) await insert(2 * i + 2)
        await part.restart()
        await insert(2 * i + 3)
      }
      await streams()
      const before = await sentTo(topicOf('public.places'), JSON.stringify(row(9)))
      expect(before.map(shortly)).toEqual([1, 2, 3, 4, 5, 7, 8, 9].map((id) => ['c', row(id)]))

      await beginAgain({ dropSlot: true, meanwhile: () => statement('delete from places where id < 9') })
      await insert(10)
      const after = await sentTo(topicOf('public.places'), JSON.stringify(row(10)))
      expect(after.slice(before.length).map(shortly)).toEqual([
        ['r', row(9)],
        ['c', row(10)],
      ])
    })

    // When this fails, Debezium has mended it: then docs/cdc.md need not tell of it, and the story may look while servers are killed.
    it('loses changes, started again amid a transaction that goes on right behind where another was committed', async () => {
      // Nothing but these may be committed: no heartbeats, of nobody.
      for (const other of ['prices', 'places']) await stack.connect.remove(other)
      await statement('create table events (id int primary key)')
      const [slow, quick] = [await stack.postgres.session(), await stack.postgres.session()]
      const insert = (one: Session, id: number) => one.run(`insert into events values (${id})`)
      const { topicOf, transactions, streams } = await stack.register({
        prefix: 'events',
        database: 'postgres',
        tables: ['public.events'],
        config: { 'heartbeat.interval.ms': '600000' },
      })
      const countsOf = (
        marks: readonly { status: string; data_collections: { data_collection: string; event_count: number }[] | null }[],
      ) => marks.flatMap((mark) => mark.data_collections?.find((one) => one.data_collection === 'public.events')?.event_count ?? [])
      const counts = async (many: number) =>
        countsOf(await sentUntil(stack.kafka.brokers, transactions, (marks) => countsOf(marks).length >= many))
      await slow.run('begin')
      await insert(slow, 1)
      await insert(quick, 10)
      await insert(slow, 2)
      expect(await counts(1)).toEqual([1])
      await stack.connect.kill()
      await insert(slow, 3)
      await slow.run('commit')
      await stack.connect.restart()
      await streams()
      await insert(quick, 11)
      const sent = await sentTo(topicOf('public.events'), '{"id":11}')
      expect(sent.map(({ after }) => after.id)).toEqual([10, 3, 11])
      expect(await counts(3)).toEqual([1, 1, 1])
      await Promise.all([slow.end(), quick.end()])
    })
  })
}

unlessMissing(missingForStack(), stackTests)
