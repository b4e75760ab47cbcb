/** What every feed must do, whatever its topics lie in. */
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import type { Feed, Messages, Pieces } from '../../utilities/feed.ts'
import type { Sent } from '../../utilities/memory/feed.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { lawsWith, type Exceptions } from './laws.ts'
import { numbered } from './messages.ts'

/** Topics as others have them, and a feed that reads them. */
export type FeedStore = {
  readonly feed: () => Promise<Feed>
  readonly make: (topic: string, partitions: number) => Promise<void>
  readonly append: (topic: string, partition: number, messages: readonly Sent[]) => Promise<void>
  readonly deleteBefore: (topic: string, partition: number, offset: number) => Promise<void>
  readonly drop: (topic: string) => Promise<void>
  /** By other means than the feed's. */
  readonly topics: () => Promise<readonly string[]>
  readonly dispose: () => Promise<void>
}

/** null where there is none. */
export const piecesAsTexts = ({ bytes, starts, ends }: Pieces, encoding: BufferEncoding = 'utf8') =>
  Array.from(starts, (start, i) => (start < 0 ? null : Buffer.from(bytes.subarray(start, ends[i]!)).toString(encoding)))

/** Calls back with each of what is read, until that says it is enough; then aborts, and the reading must be over. */
export async function readUntil(
  feed: Feed,
  topic: string,
  from: { readonly partition?: number; readonly from?: number },
  isEnough: (messages: Messages) => boolean,
): Promise<void> {
  const stop = new AbortController()
  for await (const messages of feed.read(topic, { partition: 0, from: 0, ...from, signal: stop.signal }))
    if (!stop.signal.aborted && isEnough(messages)) stop.abort()
}

/** The values from there to the end. */
export async function valuesIn(feed: Feed, topic: string, from: { readonly partition?: number; readonly from?: number } = {}) {
  const values: (string | null)[] = []
  await readUntil(feed, topic, from, (messages) => {
    values.push(...piecesAsTexts(messages.values))
    return messages.count === 0 && messages.next >= messages.end
  })
  return values
}

export const sent = (values: readonly string[]): readonly Sent[] => values.map((value) => ({ value }))

export function feedContract(name: string, fresh: () => Promise<FeedStore>, exceptions: Exceptions = {}): void {
  describe(`the feed contract: ${name}`, { timeout: 60_000 }, () => {
    const { law, end } = lawsWith(exceptions)
    let store: FeedStore
    let feed: Feed
    beforeEach(async () => {
      store = await fresh()
      feed = await store.feed()
      await store.make('orders', 2)
    })
    afterEach(async () => {
      await feed.close()
      await store.dispose()
    })

    law('a topic has its ends by partition, as they are now; one that is not there has none, and asking does not make it', async () => {
      expect(await feed.ends('orders')).toEqual([
        { first: 0, next: 0 },
        { first: 0, next: 0 },
      ])
      await store.append('orders', 1, sent(['a', 'b', 'c']))
      await store.deleteBefore('orders', 1, 1)
      expect((await feed.ends('orders'))[1]).toEqual({ first: 1, next: 3 })
      expect(await feed.ends('nowhere')).toEqual([])
      await expect(valuesIn(feed, 'nowhere')).rejects.toThrow(/the topic nowhere is not/)
      // Brokers that make a topic because of a question do so a moment later.
      await sleep(300)
      expect(await store.topics()).toEqual(['orders'])
      await store.make('nowhere', 1)
      expect(await feed.ends('nowhere')).toEqual([{ first: 0, next: 0 }])
    })

    law('messages come as they were sent: what is null, what is empty and what is no text are told apart', async () => {
      const anyBytes = Uint8Array.of(0, 255, 192, 10)
      const messages: Sent[] = [
        { key: 'k', value: 'v', time: 1_700_000_000_000, headers: { 'x.kind': 'é', empty: '' } },
        { key: '', value: '', time: 1_700_000_000_123 },
        { value: 'no key', time: 1_600_000_000_000 },
        { key: 'no value', time: 1_500_000_000_001, headers: { 'x.kind': anyBytes } },
        { key: anyBytes, value: anyBytes, time: 1_700_000_000_001 },
      ]
      await store.append('orders', 0, messages)
      const read: Messages[] = []
      await readUntil(feed, 'orders', {}, (some) => read.push(some) > 0 && some.count === 0)
      const [first, ...rest] = read
      expect(rest.map(({ count, next, end }) => [count, next, end])).toEqual([[0, 5, 5]])
      const { keys, values, offsets, times, header, count, next, end } = first!
      expect(piecesAsTexts(keys, 'latin1')).toEqual(['k', '', null, 'no value', '\0\xff\xc0\n'])
      expect(piecesAsTexts(values, 'latin1')).toEqual(['v', '', 'no key', null, '\0\xff\xc0\n'])
      expect([...offsets]).toEqual([0, 1, 2, 3, 4])
      expect([...times]).toEqual(messages.map(({ time }) => time))
      const headers = ['x.kind', 'empty', 'kind'].map((one) => [0, 1, 3].map((i) => header(i, one)))
      expect(headers.map((each) => each.map((one) => one && Buffer.from(one).toString('latin1')))).toEqual([
        ['Ã©', undefined, '\0\xff\xc0\n'],
        ['', undefined, undefined],
        [undefined, undefined, undefined],
      ])
      expect([count, next, end]).toEqual([5, 5, 5])
    })

    law('messages come once and in order from any offset on, each partition for itself, however they were sent', async () => {
      const texts = [numbered('a', 300), numbered('b', 100)]
      for (const partition of [0, 1])
        for (let at = 0; at < texts[partition]!.length; at += 50)
          await store.append('orders', partition, sent(texts[partition]!.slice(at, at + 50)))
      await fc.assert(
        fc.asyncProperty(fc.nat(1), fc.nat(100), async (partition, from) => {
          expect(await valuesIn(feed, 'orders', { partition, from })).toEqual(texts[partition]!.slice(from))
        }),
        { numRuns: 20 },
      )
    })

    law('a reader hears that it is at the end, of what comes then, and about twice a second that there is no more', async () => {
      await store.append('orders', 0, sent(['a']))
      const read: (string | null)[][] = []
      const times: number[] = []
      await readUntil(feed, 'orders', { from: 1 }, ({ values, next, end: known }) => {
        read.push(piecesAsTexts(values))
        times.push(performance.now())
        expect(next).toBe(read.length < 3 ? 1 : 2)
        expect(known).toBe(next)
        if (read.length === 2) void store.append('orders', 0, sent(['b']))
        return read.length === 5
      })
      expect(read).toEqual([[], [], ['b'], [], []])
      expect(times[1]! - times[0]!).toBeGreaterThan(200)
      expect(times[4]! - times[3]!).toBeGreaterThan(200)
      expect(times[4]! - times[0]!).toBeLessThan(10_000)
    })

    law('an abort ends a reader that waits, at once, and one that has not begun', async () => {
      const stop = new AbortController()
      let abortedAt = 0
      for await (const { count } of feed.read('orders', { partition: 0, from: 0, signal: stop.signal })) {
        expect(count).toBe(0)
        // While it waits for more.
        setTimeout(() => {
          abortedAt = performance.now()
          stop.abort()
        }, 20)
      }
      expect(abortedAt).toBeGreaterThan(0)
      expect(performance.now() - abortedAt).toBeLessThan(300)
      expect(await Array.fromAsync(feed.read('orders', { partition: 0, from: 0, signal: stop.signal }))).toEqual([])
    })

    law('messages that were deleted, and a place behind the end, are Problems that name the place', async () => {
      await store.append('orders', 1, sent(['a', 'b', 'c']))
      await store.deleteBefore('orders', 1, 2)
      expect(await valuesIn(feed, 'orders', { partition: 1, from: 2 })).toEqual(['c'])
      for (const [from, said] of [
        [0, /orders, partition 1: the messages from 0 to 1 were deleted/],
        [4, /orders, partition 1 ends at 3, before 4/],
      ] as const) {
        const failing = valuesIn(feed, 'orders', { partition: 1, from })
        await expect(failing).rejects.toThrow(Problem)
        await expect(failing).rejects.toThrow(said)
      }
    })

    law('a topic that goes while it is read is a Problem that names it', async () => {
      await store.append('orders', 0, sent(['a']))
      let dropping: Promise<void> | undefined
      const reading = readUntil(feed, 'orders', {}, ({ count }) => {
        if (count === 0) dropping ??= store.drop('orders')
        return false
      })
      await expect(reading).rejects.toThrow(Problem)
      await expect(reading).rejects.toThrow(/the topic orders is not .*any more/)
      await dropping
      expect(await feed.ends('orders')).toEqual([])
    })

    law('readers of several partitions and topics get on beside each other', async () => {
      await store.make('others', 1)
      const places = [
        ['orders', 0],
        ['orders', 1],
        ['others', 0],
      ] as const
      const reading = places.map(async ([topic, partition]) => {
        const values: (string | null)[] = []
        await readUntil(feed, topic, { partition }, (some) => values.push(...piecesAsTexts(some.values)) === 20)
        return values
      })
      await sleep(50)
      for (const half of [0, 10])
        for (const [topic, partition] of places)
          await store.append(topic, partition, sent(numbered(`${topic}${partition} `, 20).slice(half, half + 10)))
      expect(await Promise.all(reading)).toEqual(places.map(([topic, partition]) => numbered(`${topic}${partition} `, 20)))
    })

    end()
  })
}
