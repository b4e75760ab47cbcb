/** What every log must do, whatever it is made of. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { Fenced, type Fetched, type Log } from '../../utilities/log.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { lawsWith, type Exceptions } from './laws.ts'
import { batchOf, numbered, readAll, readTexts, textsOf } from './messages.ts'

/** One store, empty at first; each call of `log` opens one more handle on it, as another process would. */
export type LogStore = {
  readonly log: () => Promise<Log>
  /** Deletes a topic by other means than the log's. */
  readonly drop: (topic: string) => Promise<void>
  readonly dispose: () => Promise<void>
}

export function logContract(name: string, fresh: () => Promise<LogStore>, exceptions: Exceptions = {}): void {
  describe(`the log contract: ${name}`, { timeout: 60_000 }, () => {
    const { law, end } = lawsWith(exceptions)
    let store: LogStore
    let log: Log
    beforeEach(async () => {
      store = await fresh()
      log = await store.log()
      await log.create('inflow', 1)
      await log.create('outflow', 2)
    })
    afterEach(async () => {
      await log.close()
      await store.dispose()
    })

    const append = async (texts: readonly string[], topic = 'inflow', partition = 0) => {
      const writer = await log.writer('anyone')
      const [offset] = await writer.commit({ append: [{ topic, partition, batch: batchOf(texts) }] })
      await writer.close()
      return offset!
    }

    law('a new topic is empty', async () => {
      expect(await readAll(log, 'inflow')).toEqual([])
      expect(await log.topics()).toMatchObject([
        { topic: 'inflow', partitions: [{ first: 0, next: 0 }] },
        {
          topic: 'outflow',
          partitions: [
            { first: 0, next: 0 },
            { first: 0, next: 0 },
          ],
        },
      ])
    })

    law('making a topic again changes nothing, and another number of partitions is refused', async () => {
      await append(['a'])
      await log.create('inflow', 1)
      expect(await readTexts(log, 'inflow')).toEqual(['a'])
      await expect(log.create('inflow', 2)).rejects.toThrow(Problem)
      await expect(log.create('outflow', 1)).rejects.toThrow(Problem)
      expect((await log.topics()).map(({ partitions }) => partitions.length)).toEqual([1, 2])
      expect(await Promise.all((await log.topics()).map(({ topic }) => log.partitions(topic)))).toEqual([1, 2])
      expect(await log.partitions('nowhere')).toBe(0)
    })

    law('a topic keeps its identity; one that is gone has none, and made again it is another', async () => {
      const id = await log.topicId('inflow')
      expect(id).toMatch(/./)
      expect(await log.topicId('outflow')).not.toBe(id)
      expect(await log.topicId('nowhere')).toBeUndefined()
      await append(['a'])
      await log.create('inflow', 1)
      const other = await store.log()
      expect(await other.topicId('inflow')).toBe(id)
      await store.drop('inflow')
      for (const one of [log, other]) expect(await one.topicId('inflow')).toBeUndefined()
      await log.create('inflow', 1)
      const anew = await log.topicId('inflow')
      expect(anew).toMatch(/./)
      expect(anew).not.toBe(id)
      expect(await other.topicId('inflow')).toBe(anew)
      await other.close()
    })

    law('a message may be as large as the topic says', async () => {
      const most = Math.min(await log.largestMessage('inflow'), 10_000_000)
      const writer = await log.writer('anyone')
      const commit = (size: number, more: object) =>
        writer.commit({
          append: [{ topic: 'inflow', partition: 0, batch: { bytes: new Uint8Array(size), ends: Uint32Array.of(size), ...more } }],
        })
      await commit(most, {})
      await commit(most - Buffer.byteLength('ключ'), { keys: ['ключ'] })
      expect((await readTexts(log, 'inflow')).map((text) => text.length)).toEqual([most, most - 8])
    })

    law('what was committed is read in order, each message at the offset that commit returned', async () => {
      const writer = await log.writer('w')
      const batches = [numbered('a', 3), ['', 'ø', ''], numbered('b', 1)]
      const offsets = await writer.commit({ append: batches.map((texts) => ({ topic: 'inflow', partition: 0, batch: batchOf(texts) })) })
      const later = await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['last']) }] })
      const read = await readAll(log, 'inflow')
      expect(read.map(({ text }) => text)).toEqual([...batches.flat(), 'last'])
      const firsts = [0, 3, 6, 7].map((i) => read[i]!.offset)
      expect([...offsets, ...later]).toEqual(firsts)
    })

    law('offsets are contiguous from 0', async () => {
      for (const size of [3, 1, 5]) await append(numbered('m', size))
      expect((await readAll(log, 'inflow')).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
      expect((await log.topics())[0]!.partitions).toEqual([{ first: 0, next: 9 }])
    })

    law('keys come back with their messages, in a batch cut anywhere too', async () => {
      const writer = await log.writer('w')
      await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['a', 'b', 'c', 'd'], ['k1', '', 'ключ', 'k1']) }] })
      expect((await readAll(log, 'inflow')).map(({ key }) => key)).toEqual(['k1', '', 'ключ', 'k1'])
      expect((await readAll(log, 'inflow', { from: 1, to: 3 })).map(({ text, key }) => [text, key])).toEqual([
        ['b', ''],
        ['c', 'ключ'],
      ])
    })

    law('a batch may be part of larger arrays', async () => {
      const { bytes, ends } = batchOf(['ab', 'cd', 'ef'])
      const roomy = { bytes: Uint8Array.of(9, ...bytes, 9, 9).subarray(1), ends: Uint32Array.of(9, ...ends, 9).subarray(1, 4) }
      const writer = await log.writer('w')
      await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: roomy }] })
      expect(await readTexts(log, 'inflow')).toEqual(['ab', 'cd', 'ef'])
    })

    law('partitions and topics are apart', async () => {
      await append(['zero'], 'outflow', 0)
      await append(['one'], 'outflow', 1)
      expect(await readTexts(log, 'outflow', { partition: 0 })).toEqual(['zero'])
      expect(await readTexts(log, 'outflow', { partition: 1 })).toEqual(['one'])
      expect(await readTexts(log, 'inflow')).toEqual([])
    })

    law('a reader may start and stop at any message', async () => {
      const written: string[] = []
      for (const texts of [numbered('a', 4), ['', ''], numbered('long text ', 3), ['x']]) {
        await append(texts)
        written.push(...texts)
      }
      const all = await readAll(log, 'inflow')
      const position = fc.nat({ max: all.length - 1 })
      await fc.assert(
        fc.asyncProperty(position, position, async (from, to) => {
          const start = all[from]!.offset
          expect(await readAll(log, 'inflow', { from: start })).toEqual(all.slice(from))
          expect(await readAll(log, 'inflow', { from: start, to: all[to]!.offset })).toEqual(all.slice(from, to))
        }),
        { numRuns: 40 },
      )
    })

    law('each fetched batch begins where the one before ended, and reading goes on from any `next`', async () => {
      for (let i = 0; i < 4; i++) await append(numbered(`${i}.`, 3))
      const fetched: Fetched[] = []
      for await (const one of log.read('inflow', { partition: 0, from: 0 })) fetched.push(one)
      const texts = fetched.flatMap(({ batch }) => textsOf(batch))
      let seen = 0
      for (const { next, batch } of fetched) {
        seen += batch.ends.length
        expect(await readTexts(log, 'inflow', { from: next })).toEqual(texts.slice(seen))
      }
      expect(seen).toBe(12)
    })

    law('an unknown topic or partition is a Problem, and nothing of the commit stays', async () => {
      const writer = await log.writer('w')
      const good = { topic: 'inflow', partition: 0, batch: batchOf(['never']) }
      for (const bad of [
        { ...good, topic: 'nowhere' },
        { ...good, partition: 1 },
      ]) {
        await expect(writer.commit({ append: [good, bad] })).rejects.toThrow(Problem)
      }
      await expect(readAll(log, 'nowhere')).rejects.toThrow(Problem)
      await expect(readAll(log, 'inflow', { partition: 1 })).rejects.toThrow(Problem)
      const after = await log.writer('w')
      await after.commit({ append: [{ ...good, batch: batchOf(['kept']) }] })
      expect(await readTexts(log, 'inflow')).toEqual(['kept'])
    })

    law('taking a name fences whoever held it, in every handle, and a fenced commit leaves nothing', async () => {
      const other = await store.log()
      const first = await log.writer('w')
      await first.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['first']) }] })
      const second = await other.writer('w')
      const late = { append: [{ topic: 'inflow', partition: 0, batch: batchOf(['late']) }] }
      await expect(first.commit(late)).rejects.toThrow(Fenced)
      await expect(first.commit({})).rejects.toThrow(Fenced)
      await second.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['second']) }] })
      const third = await log.writer('w')
      await expect(second.commit(late)).rejects.toThrow(Fenced)
      await third.commit({})
      expect(await readTexts(other, 'inflow')).toEqual(['first', 'second'])
      await other.close()
    })

    law('writers of different names do not disturb each other', async () => {
      const a = await log.writer('a')
      const b = await log.writer('b')
      const commit = (text: string, i: number) =>
        (i % 2 ? a : b).commit({ append: [{ topic: 'outflow', partition: i % 2, batch: batchOf([text]) }] })
      await Promise.all(numbered('m', 20).map(commit))
      for (const partition of [0, 1]) {
        const expected = numbered('m', 20).filter((_, i) => i % 2 === partition)
        expect((await readTexts(log, 'outflow', { partition })).sort()).toEqual(expected.sort())
      }
    })

    law('two handles see what the other commits', async () => {
      const other = await store.log()
      await append(['mine'])
      expect(await readTexts(other, 'inflow')).toEqual(['mine'])
      const writer = await other.writer('other')
      await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(['yours']) }] })
      expect(await readTexts(log, 'inflow')).toEqual(['mine', 'yours'])
      await other.close()
    })

    law('a follower gets what comes later, once and in order, and ends when its signal aborts', async () => {
      await append(numbered('early', 2))
      const stop = new AbortController()
      const seen: string[] = []
      const other = await store.log()
      const following = (async () => {
        for await (const { batch } of other.read('inflow', { partition: 0, from: 1, follow: true, signal: stop.signal })) {
          seen.push(...textsOf(batch))
          if (seen.includes('stop')) stop.abort()
        }
      })()
      for (let i = 0; i < 5; i++) await append([`late${i}`])
      await append(['stop'])
      await following
      expect(seen).toEqual(['early1', ...numbered('late', 5), 'stop'])
      await other.close()
    })

    law('a follower that waits ends when its signal aborts, and one that is aborted already yields nothing', async () => {
      const stop = new AbortController()
      const waiting = readAll(log, 'inflow', { follow: true, signal: stop.signal })
      setTimeout(() => stop.abort(), 30)
      expect(await waiting).toEqual([])
      await append(['a'])
      expect(await readAll(log, 'inflow', { signal: stop.signal })).toEqual([])
    })

    law('a follower with an end stops there by itself', async () => {
      await append(['a', 'b'])
      const { next } = (await log.topics())[0]!.partitions[0]!
      const following = readTexts(log, 'inflow', { follow: true, to: next + 1 })
      await append(['c', 'd'])
      expect(await following).toEqual(['a', 'b', 'c'])
    })

    law('a reader leaves room for timers, however much there is to read', async () => {
      for (let i = 0; i < 50; i++) await append(['x'])
      let turns = 0
      const turn = () => void (turns++, (again = setImmediate(turn)))
      let again = setImmediate(turn)
      await readAll(log, 'inflow')
      clearImmediate(again)
      expect(turns).toBeGreaterThan(10)
    })

    law('after truncation the rest keeps its offsets, and reading what is gone is a Problem', async () => {
      await append(numbered('a', 4))
      await append(numbered('b', 4))
      const all = await readAll(log, 'inflow')
      for (const kept of [1, 3, 4, 6, 7]) {
        const before = all[kept]!.offset
        await log.truncate('inflow', 0, before)
        await log.truncate('inflow', 0, all[kept - 1]!.offset)
        expect(await readAll(log, 'inflow', { from: before })).toEqual(all.slice(kept))
        expect((await log.topics())[0]!.partitions[0]!.first).toBe(before)
        await expect(readAll(log, 'inflow', { from: before - 1 })).rejects.toThrow(Problem)
      }
      const next = (await log.topics())[0]!.partitions[0]!.next
      await log.truncate('inflow', 0, next)
      expect(await readAll(log, 'inflow', { from: next })).toEqual([])
      expect(await append(['after'])).toBe(next)
      expect(await readTexts(log, 'inflow', { from: next })).toEqual(['after'])
      await expect(log.truncate('inflow', 1, 1)).rejects.toThrow(Problem)
      await expect(log.truncate('inflow', 0, next + 1000)).rejects.toThrow(Problem)
    })

    law('a position beyond the end is a Problem, not a wait for ever', async () => {
      await append(['a'])
      await expect(readAll(log, 'inflow', { from: 1000 })).rejects.toThrow(Problem)
      await expect(readAll(log, 'inflow', { from: 1000, follow: true })).rejects.toThrow(Problem)
    })

    law('topics lists every topic by name, with bytes that grow with what is held', async () => {
      await append(numbered('some text ', 10), 'outflow', 1)
      const topics = await log.topics()
      expect(topics.map(({ topic }) => topic)).toEqual(['inflow', 'outflow'])
      expect(topics[0]!.bytes).toBe(0)
      expect(topics[1]!.bytes).toBeGreaterThan(0)
    })
    end()
  })
}
