/** Batches of changes of facts as they are taken: however a log cuts them, none ends inside a group, and none is lost or comes twice. */
import { describe, expect, it } from 'vitest'
import { consume } from '../consumer/consume.ts'
import { featureSet, sum } from '../feature-defs/language.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { wholeGroups } from '../streams/whole-groups.ts'
import { loadPosition } from '../streams/position.ts'
import { ensureTopics } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { columnOf } from '../utilities/values/columns.ts'
import { cut } from '../utilities/values/batch.ts'
import type { Batch, Fetched, Log } from '../utilities/log.ts'
import type { Reading } from '../streams/inflow.ts'
import { storeInMemory } from './driver/in-memory.ts'
import { chanceOf, columnsOfFacts, messagesByChance, saleByDay } from './fact-messages.ts'
import { rowsOwned, rowsStored, writerOf } from './facts-in-inflow.ts'

const schema = inflowSchema(saleByDay)
const encode = encoder(schema, '00000000-0000-0000-0000-000000000001')
const decode = decoder(schema, ['seq', 'account'])

const read = async ({ batch }: Fetched): Promise<readonly Reading[]> => {
  const { columns, rows } = decode(batch, 0, batch.ends.length)
  return [{ batch, rows, columns, dead: [] }]
}

/** The batch in pieces of chance, as a log gives them; with marks of its own between them, so that offsets have gaps. */
async function* pieces(batch: Batch, below: (n: number) => number, gaps: boolean): AsyncGenerator<Fetched> {
  let offset = 100
  for (let from = 0; from < batch.ends.length;) {
    const to = Math.min(batch.ends.length, from + 1 + below(7))
    const offsets = Float64Array.from({ length: to - from }, () => (gaps ? (offset += 1 + below(2)) : ++offset))
    yield { offset: offsets[0]!, next: (offset += gaps ? below(3) : 0) + 1, batch: cut(batch, from, to), ...(gaps && { offsets }) }
    from = to
  }
}

describe('what is taken of the inflow of a fact', () => {
  it('ends where groups end, has every message once and in order, and the places where to go on', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const below = chanceOf(seed)
      const messages = messagesByChance(seed, { fact: saleByDay, messages: 60 })
      const batch = encode(columnsOfFacts(saleByDay, messages))
      const given: number[] = []
      const source = (async function* () {
        for await (const one of pieces(batch, below, seed % 2 === 0)) {
          for (let i = 0; i < one.batch.ends.length; i++) given.push(one.offsets?.[i] ?? one.offset + i)
          yield one
        }
      })()
      const taken: number[] = []
      let [at, place] = [0, 101]
      for await (const { fetched, readings } of wholeGroups(source, read, new AbortController().signal)) {
        const { columns, rows, batch: own } = readings[0]!
        taken.push(...columnOf(columns, '_seq', 'int').values)
        expect(rows.length).toBe(fetched.batch.ends.length)
        expect(own.ends.length).toBe(fetched.batch.ends.length)
        at += rows.length
        expect(messages[at - 1]!.groupEnd).toBe(true)
        // The next one begins behind it, or where a mark of the log's stands before it.
        expect(fetched.offset).toBeGreaterThanOrEqual(place)
        place = fetched.next
        if (at < messages.length) expect(given.slice(0, at).every((offset) => offset < place)).toBe(true)
      }
      expect(taken).toEqual(messages.map(({ seq }) => seq))
    }
  })

  it('is left where a group that has not come to its end begins, when it is told to stop', async () => {
    const messages = messagesByChance(3, { fact: saleByDay, messages: 30 }).map((one, i, { length }) => ({
      ...one,
      groupEnd: i === length - 3,
    }))
    const batch = encode(columnsOfFacts(saleByDay, messages))
    const stop = new AbortController()
    const source = (async function* () {
      yield* pieces(batch, chanceOf(1), false)
      stop.abort()
    })()
    let count = 0
    for await (const { fetched } of wholeGroups(source, read, stop.signal)) count += fetched.batch.ends.length
    expect(count).toBe(messages.length - 2)
    // What lies there at the end is all there is: it is not waited for.
    const all: number[] = []
    for await (const { fetched } of wholeGroups(pieces(batch, chanceOf(1), false), read, new AbortController().signal))
      all.push(fetched.batch.ends.length)
    expect(all.at(-1)).toBe(2)
  })
})

describe('a consumer of facts', () => {
  const { definition } = featureSet(
    { name: 'sales', of: saleByDay, per: 'account' },
    { owing: sum('amount', { days: 30, when: 'unpaid' }) },
  )

  it('commits whole groups, however the log cuts what it gives', async () => {
    const store = storeInMemory({ set: 'sales', per: 'account', chain: [definition], text: '' }, 1, '')
    const ports = store.open()
    const messages = messagesByChance(9, { fact: saleByDay, messages: 200 })
    await ensureTopics(ports, streamOf(saleByDay), 1)
    await store.run({ do: 'apply', version: 0, mode: 'backfill' })
    await writerOf({ fact: saleByDay, per: 'account', partitions: 1 })(ports, messages)
    const below = chanceOf(9)
    const log: Log = {
      ...ports.log,
      async *read(topic, options) {
        for await (const { offset, batch } of ports.log.read(topic, options)) {
          for (let from = 0; from < batch.ends.length;) {
            const to = Math.min(batch.ends.length, from + 1 + below(5))
            yield { offset: offset + from, next: offset + to, batch: cut(batch, from, to) }
            from = to
          }
        }
      },
    }
    const ends = new Set(messages.flatMap(({ groupEnd }, i) => (groupEnd ? [i + 1] : [])))
    const offsets: number[] = []
    await consume(
      { ...ports, log },
      {
        over: { set: 'sales', record: {} },
        partition: 0,
        follow: false,
        signal: new AbortController().signal,
        report: (news) => void (news.kind === 'batch' && offsets.push(news.offset)),
      },
    )
    expect(offsets.length).toBeGreaterThan(20)
    expect(offsets.filter((offset) => !ends.has(offset))).toEqual([])
    expect((await loadPosition(ports.checkpoints, 'sales', 0)).offset).toBe(messages.length)
    await store.run({ do: 'sink' })
    expect(await rowsStored(ports, definition)).toEqual(rowsOwned(definition, messages, [{ after: 0, until: Infinity }]))
  })
})
