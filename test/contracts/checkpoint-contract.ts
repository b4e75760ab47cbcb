/** What every keeper of checkpoints must do, together with the log whose commits carry them. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import type { Checkpoints } from '../../utilities/checkpoints.ts'
import { Fenced, type Log } from '../../utilities/log.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { lawsWith, type Exceptions } from './laws.ts'
import { batchOf, readTexts } from './messages.ts'

/** One store, empty at first; each call opens one more handle on it, as another process would. */
export type CheckpointStore = {
  readonly log: () => Promise<Log>
  readonly checkpoints: () => Promise<Checkpoints>
  readonly dispose: () => Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)
const entry = (name: string, key: string, value: string | null) => ({ name, key, value: value === null ? null : bytes(value) })
const read = async (checkpoints: Checkpoints, name: string) =>
  Object.fromEntries([...(await checkpoints.load(name))].map(([key, value]) => [key, new TextDecoder().decode(value)]))

export function checkpointContract(name: string, fresh: () => Promise<CheckpointStore>, exceptions: Exceptions = {}): void {
  describe(`the checkpoint contract: ${name}`, { timeout: 60_000 }, () => {
    const { law, end } = lawsWith(exceptions)
    let store: CheckpointStore
    let log: Log
    let checkpoints: Checkpoints
    beforeEach(async () => {
      store = await fresh()
      log = await store.log()
      checkpoints = await store.checkpoints()
      await log.create('outflow', 1)
    })
    afterEach(async () => {
      await log.close()
      await store.dispose()
    })

    law('an unknown name has no entries', async () => {
      expect((await checkpoints.load('nobody')).size).toBe(0)
      expect(await checkpoints.names('')).toEqual([])
    })

    law('a commit changes the entries it names and no others; null removes one', async () => {
      const writer = await log.writer('w')
      await writer.commit({ save: [entry('n', 'a', '1'), entry('n', '', ''), entry('m', 'a', 'm')] })
      await writer.commit({ save: [entry('n', 'a', '2'), entry('n', 'b', '3'), entry('n', 'gone', null)] })
      expect(await read(checkpoints, 'n')).toEqual({ '': '', a: '2', b: '3' })
      await writer.commit({ save: [entry('n', 'a', null)] })
      expect(await read(checkpoints, 'n')).toEqual({ '': '', b: '3' })
      expect(await read(checkpoints, 'm')).toEqual({ a: 'm' })
    })

    law('of several saves of one entry in a commit, the last counts', async () => {
      const writer = await log.writer('w')
      await writer.commit({ save: [entry('n', 'a', '1'), entry('n', 'a', null), entry('n', 'a', '3')] })
      expect(await read(checkpoints, 'n')).toEqual({ a: '3' })
    })

    law('behaves as a map of maps, whatever the names, keys and values', async () => {
      const word = fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => text.replaceAll('\0', ''))
      const save = fc.record({ name: word, key: word, value: fc.option(fc.uint8Array({ maxLength: 20 })) })
      const writer = await log.writer('w')
      const model = new Map<string, Map<string, Uint8Array>>()
      await fc.assert(
        fc.asyncProperty(fc.array(save, { maxLength: 5 }), async (saves) => {
          await writer.commit({ save: saves })
          for (const { name, key, value } of saves) {
            const entries = model.get(name) ?? new Map<string, Uint8Array>()
            model.set(name, entries)
            if (value) entries.set(key, value)
            else entries.delete(key)
          }
          for (const [name, entries] of model) {
            const plain = (map: ReadonlyMap<string, Uint8Array>) => new Map([...map].map(([key, value]) => [key, [...value]]))
            expect(plain(await checkpoints.load(name))).toEqual(plain(entries))
          }
          const names = [...model].filter(([, entries]) => entries.size > 0).map(([name]) => name)
          expect([...(await checkpoints.names(''))].sort()).toEqual(names.sort())
        }),
        { numRuns: 30 },
      )
    })

    law(
      'rows of a table come as entries, in whatever parts: of each the last counts, and one that was removed is as it was last',
      async () => {
        const writer = await log.writer('w')
        const rows = (from: number, to: number, value: string) =>
          Array.from({ length: to - from }, (_, i) => entry('table/lines', `${from + i}`, value))
        await writer.commit({ save: rows(0, 6000, 'old') })
        await writer.commit({ save: [...rows(3000, 9000, 'new'), entry('table/skus', '1', 'sku'), entry('n', 'a', '1')] })
        await writer.commit({ save: [entry('table/lines', '7', 'has left'), entry('table/lines', '8', 'left')] })
        await writer.commit({ save: [entry('table/lines', '8', null)] })
        const found = new Map<string, string>()
        for await (const some of checkpoints.entries('table/lines'))
          for (const [key, value] of some) found.set(key, new TextDecoder().decode(value))
        expect([undefined, 'left']).toContain(found.get('8'))
        found.delete('8')
        const expected = Array.from({ length: 9000 }, (_, i) => [`${i}`, i === 7 ? 'has left' : i < 3000 ? 'old' : 'new'])
        expect(found).toEqual(new Map(expected.filter(([key]) => key !== '8') as [string, string][]))
        for await (const some of checkpoints.entries('table/nobody')) expect(some).toEqual([])
        expect(await read(checkpoints, 'n')).toEqual({ a: '1' })
      },
    )

    law('names lists, sorted, those that start with the prefix', async () => {
      const writer = await log.writer('w')
      const names = ['state/b', 'state/a/1', 'state', 'stat', 'statue', 'state/%', 'position/a']
      await writer.commit({ save: names.flatMap((name) => [entry(name, 'x', '1'), entry(name, 'y', '1')]) })
      expect(await checkpoints.names('state/')).toEqual(['state/%', 'state/a/1', 'state/b'])
      expect(await checkpoints.names('position')).toEqual(['position/a'])
      expect(await checkpoints.names('z')).toEqual([])
      expect(await checkpoints.names('')).toEqual([...names].sort())
    })

    law('messages and entries commit together: another handle sees both or neither', async () => {
      const writer = await log.writer('w')
      const other = await store.checkpoints()
      for (let i = 0; i < 10; i++) {
        const append = [{ topic: 'outflow', partition: 0, batch: batchOf([`m${i}`]) }]
        await writer.commit({ append, save: [entry('n', '', String(i + 1))] })
        const { '': saved } = await read(other, 'n')
        expect(Number(saved)).toBe((await readTexts(log, 'outflow')).length)
      }
    })

    law('a commit that is fenced or refused saves nothing', async () => {
      const writer = await log.writer('w')
      await writer.commit({ save: [entry('n', '', 'kept')] })
      const save = [entry('n', '', 'lost'), entry('n', 'more', 'lost')]
      await expect(writer.commit({ append: [{ topic: 'nowhere', partition: 0, batch: batchOf(['x']) }], save })).rejects.toThrow(Problem)
      const fencing = await log.writer('w')
      await expect(writer.commit({ append: [{ topic: 'outflow', partition: 0, batch: batchOf(['x']) }], save })).rejects.toThrow(Fenced)
      expect(await read(checkpoints, 'n')).toEqual({ '': 'kept' })
      expect(await readTexts(log, 'outflow')).toEqual([])
      await fencing.commit({ save: [entry('n', '', 'new')] })
      expect(await read(checkpoints, 'n')).toEqual({ '': 'new' })
    })

    law('what was loaded does not change under the reader', async () => {
      const writer = await log.writer('w')
      await writer.commit({ save: [entry('n', '', 'old')] })
      const loaded = await checkpoints.load('n')
      await writer.commit({ save: [entry('n', '', 'new')] })
      expect(new TextDecoder().decode(loaded.get('')!)).toBe('old')
    })
    end()
  })
}
