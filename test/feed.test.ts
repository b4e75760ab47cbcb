/** Topics of others in memory, and the lines of standard input. */
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openLinesFeed } from '../utilities/files/lines-feed.ts'
import { openMemoryFeed } from '../utilities/memory/feed.ts'
import { feedContract, piecesAsTexts, readUntil, sent, valuesIn } from './contracts/feed-contract.ts'

feedContract('memory', async () => {
  const feed = openMemoryFeed()
  const topics = new Set<string>()
  return {
    feed: async () => feed,
    make: async (topic, partitions) => (topics.add(topic), feed.make(topic, partitions)),
    append: async (...work) => void feed.append(...work),
    deleteBefore: async (...work) => feed.deleteBefore(...work),
    drop: async (topic) => (topics.delete(topic), feed.drop(topic)),
    topics: async () => [...topics],
    dispose: async () => {},
  }
})

describe('a feed in memory', () => {
  it('gives a part of many messages at a time, with the end behind them', async () => {
    const feed = openMemoryFeed({ atOnce: 2 })
    feed.make('orders', 1)
    expect([feed.append('orders', 0, sent(['a', 'b'])), feed.append('orders', 0, sent(['c']))]).toEqual([0, 2])
    const read: unknown[] = []
    await readUntil(feed, 'orders', {}, ({ values, next, end }) => read.push([piecesAsTexts(values), next, end]) === 3)
    expect(read).toEqual([
      [['a', 'b'], 2, 3],
      [['c'], 3, 3],
      [[], 3, 3],
    ])
  })
})

const place = 'standard input'
const from0 = { partition: 0, from: 0 }
const clock = () => 1_700_000_000_123_456_789n

function linesOf(chunks: readonly (string | Buffer)[], tellEveryMs = 500) {
  const input = new PassThrough()
  for (const chunk of chunks) input.write(chunk)
  return { input, feed: openLinesFeed({ topic: place, input, clock, tellEveryMs }) }
}

/** All of it, to where the reading is over by itself. */
async function readOut(chunks: readonly (string | Buffer)[], from = 0) {
  const { input, feed } = linesOf(chunks)
  input.end()
  return Array.fromAsync(feed.read(place, { partition: 0, from, signal: new AbortController().signal }))
}

describe('lines of standard input', () => {
  it('are a message each, whatever the chunks they come in; blank ones are none', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ' ')),
      fc.constant(' \t'),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.nat(30)),
        async (lines, end, ended, marked, sizes) => {
          const all = Buffer.from((marked ? '\ufeff' : '') + lines.join(end) + (ended ? end : ''))
          const cuts = sizes.reduce<number[]>((sums, size) => [...sums, (sums.at(-1) ?? 0) + size], [0])
          const chunks = cuts.map((at, i) => all.subarray(at, cuts[i + 1])).filter(({ length }) => length > 0)
          const kept = lines.filter((text) => /[^\0- ]/.test(text))
          const read = await readOut(chunks)
          expect(read.flatMap(({ values }) => piecesAsTexts(values))).toEqual(kept)
          expect(read.flatMap(({ offsets }) => [...offsets])).toEqual(kept.map((_, i) => i))
          expect(read.at(-1)).toMatchObject({ count: 0, next: kept.length, end: kept.length })
        },
      ),
    )
  })

  it('have no keys and no headers, and the time when they came', async () => {
    const [{ keys, times, header }] = (await readOut(['{"a":1}\n{"a":2}\n'])) as [Awaited<ReturnType<typeof readOut>>[0]]
    expect([piecesAsTexts(keys), [...times], header(0, 'a')]).toEqual([[null, null], [1_700_000_000_123, 1_700_000_000_123], undefined])
  })

  it('go on behind those that were read before, and are refused where they end before', async () => {
    const read = await readOut(['a\nb\n', '\nc\nd'], 3)
    expect(read.flatMap(({ values, offsets }) => [piecesAsTexts(values), [...offsets]])).toEqual([['d'], [3], [], []])
    await expect(readOut(['a\nb\n'], 3)).rejects.toThrow('standard input ended after message 2, before 3, where reading should go on')
    expect((await readOut(['a\nb\n'], 2)).map(({ count, next, end }) => [count, next, end])).toEqual([[0, 2, 2]])
  })

  it('have no known end before the input has ended, and a reader that waits hears that none came', async () => {
    const { input, feed } = linesOf(['a\nb'], 20)
    expect(await feed.ends(place)).toEqual([{ first: 0, next: Infinity }])
    expect(await feed.ends('orders')).toEqual([])
    const read: unknown[] = []
    for await (const { values, next, end } of feed.read(place, { ...from0, signal: new AbortController().signal })) {
      read.push([piecesAsTexts(values), next, end])
      if (read.length === 3) input.end('c\n')
    }
    expect(read).toEqual([
      [['a'], 1, Infinity],
      [[], 1, Infinity],
      [[], 1, Infinity],
      [['bc'], 2, Infinity],
      [[], 2, 2],
    ])
    expect(await feed.ends(place)).toEqual([{ first: 0, next: 2 }])
  })

  it('are left at once by a reader that is told to stop, and so is the input', async () => {
    const { input, feed } = linesOf(['a\n'], 10_000)
    const stop = new AbortController()
    const reading = Array.fromAsync(feed.read(place, { ...from0, signal: stop.signal }))
    await sleep(20)
    stop.abort()
    expect((await reading).map(({ count }) => count)).toEqual([1])
    expect(input.destroyed).toBe(true)
  })

  it('longer than 8 MiB are refused by their number, whether they end or not', async () => {
    const part = Buffer.alloc(1024 * 1024, 'x')
    const eight = Array.from({ length: 8 }, () => part)
    expect(piecesAsTexts((await readOut([...eight, '\n']))[0]!.values)[0]).toHaveLength(8 * 1024 * 1024)
    for (const rest of ['x\n', 'x'])
      await expect(readOut(['a\n\n', ...eight, rest])).rejects.toThrow('line 3 of standard input is longer than 8 MiB')
  })

  it('fail with what the input fails with', async () => {
    const { input, feed } = linesOf(['a\n'])
    const reading = valuesIn(feed, place)
    await sleep(20)
    input.destroy(new Error('the disk is gone'))
    await expect(reading).rejects.toThrow('the disk is gone')
  })
})
