/** What every schema registry must do. */
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { Problem } from '../../utilities/values/problem.ts'
import type { Registry } from '../../utilities/registry.ts'
import { lawsWith, type Exceptions } from './laws.ts'

/** One store, empty at first; each call of `registry` opens one more handle on it, as another process would. */
export type RegistryStore = { readonly registry: () => Promise<Registry>; readonly dispose: () => Promise<void> }

type Field = { readonly name: string; readonly type: unknown; readonly default?: unknown; readonly [attribute: string]: unknown }
const schema = (...more: readonly Field[]) =>
  JSON.stringify({ type: 'record', name: 'row', fields: [{ name: 'seq', type: 'long' }, ...more] })
const optional = (name: string, attributes: object = {}): Field => ({ name, type: ['null', 'double'], default: null, ...attributes })

const marker = (version: number): Field => ({ name: `_v${version}`, type: 'null', default: null })

const first = schema()
const second = schema(optional('ma50', { tidemark: { op: 'mean', note: 'quotes \' " and ünïcode' } }), marker(1))
const third = schema(optional('ma50', { tidemark: { op: 'ema' } }), marker(1), marker(2))
/** A reader of this one could not read the first: its field has no default. */
const incompatible = schema({ name: 'needed', type: 'string' })

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function registryContract(name: string, fresh: () => Promise<RegistryStore>, exceptions: Exceptions = {}): void {
  describe(`the registry contract: ${name}`, { timeout: 60_000 }, () => {
    const { law, end } = lawsWith(exceptions)
    let store: RegistryStore
    let registry: Registry
    beforeEach(async () => {
      store = await fresh()
      registry = await store.registry()
    })
    afterEach(async () => {
      await registry.close()
      await store.dispose()
    })

    law('is empty at first', async () => {
      expect(await registry.subjects()).toEqual([])
      expect(await registry.list('row')).toEqual([])
      expect(await registry.find('00000000-0000-4000-8000-000000000000')).toBeUndefined()
    })

    law('a registered schema is found by its id, as it was registered', async () => {
      const registered = await registry.register('row', second)
      expect(registered).toEqual({ id: expect.stringMatching(uuid), subject: 'row', number: 1, definition: second, labels: {} })
      expect(await registry.find(registered.id)).toEqual(registered)
      expect(await registry.list('row')).toEqual([registered])
    })

    law('the same definition gives the same version again', async () => {
      const once = await registry.register('row', first)
      await registry.register('row', second)
      expect(await registry.register('row', first)).toEqual(once)
      expect(await registry.list('row')).toHaveLength(2)
    })

    law('versions are listed oldest first, and definitions that differ in attributes alone are different versions', async () => {
      const registered = []
      for (const definition of [first, second, third]) registered.push(await registry.register('row', definition))
      expect(await registry.list('row')).toEqual(registered)
      expect(registered.map(({ number }) => number)).toEqual([1, 2, 3])
      expect(new Set(registered.map(({ id }) => id)).size).toBe(3)
    })

    law('subjects are apart', async () => {
      const a = await registry.register('a', first)
      const b = await registry.register('b', first)
      expect(a.id).not.toBe(b.id)
      expect(await registry.list('a')).toEqual([a])
      expect(await registry.list('b')).toEqual([b])
      expect([...(await registry.subjects())].sort()).toEqual(['a', 'b'])
    })

    law('an incompatible schema is refused with the reason, and nothing is registered', async () => {
      const before = await registry.register('row', first)
      const refusal = registry.register('row', incompatible)
      await expect(refusal).rejects.toThrow(Problem)
      await expect(refusal).rejects.toThrow('needed')
      expect(await registry.list('row')).toEqual([before])
      await expect(registry.register('row', incompatible)).rejects.toThrow(Problem)
      expect((await registry.register('row', second)).number).toBe(2)
      expect((await registry.register('other', incompatible)).definition).toBe(incompatible)
    })

    law('labels are added and replaced, and the others kept', async () => {
      const { id } = await registry.register('row', first)
      await registry.label(id, { live: 'yes', by: 'a \' " ; ünïcode' })
      await registry.label(id, { live: 'no' })
      expect((await registry.find(id))!.labels).toEqual({ live: 'no', by: 'a \' " ; ünïcode' })
      expect((await registry.list('row'))[0]!.labels).toEqual({ live: 'no', by: 'a \' " ; ünïcode' })
      expect((await registry.register('row', first)).labels).toEqual({ live: 'no', by: 'a \' " ; ünïcode' })
    })

    law('more than 10 labels, a value of more than 128 characters, or a label of an unknown version is a Problem', async () => {
      const { id } = await registry.register('row', first)
      const ten = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`label${i}`, 'x'.repeat(128)]))
      await registry.label(id, ten)
      await registry.label(id, { label3: 'again' })
      await expect(registry.label(id, { eleventh: 'x' })).rejects.toThrow(Problem)
      await expect(registry.label(id, { label3: 'x'.repeat(129) })).rejects.toThrow(Problem)
      await expect(registry.label('00000000-0000-4000-8000-000000000000', { a: 'b' })).rejects.toThrow(Problem)
      expect((await registry.find(id))!.labels).toEqual({ ...ten, label3: 'again' })
    })

    law('has an identity: the same in every handle, and another in another store', async () => {
      const mine = await registry.identity()
      expect(mine).toEqual({ id: expect.stringMatching(/./), place: expect.stringMatching(/./) })
      const other = await store.registry()
      expect(await other.identity()).toEqual(mine)
      await other.close()
      const elsewhere = await fresh()
      const stranger = await elsewhere.registry()
      expect((await stranger.identity()).id).not.toBe(mine.id)
      await stranger.close()
      await elsewhere.dispose()
    })

    law('two handles see what the other registers, and never make two versions of one definition', async () => {
      const other = await store.registry()
      const both = await Promise.all([registry.register('row', first), other.register('row', first)])
      expect(both[0]).toEqual(both[1])
      await other.label(both[0].id, { seen: 'yes' })
      expect(await registry.find(both[0].id)).toEqual({ ...both[0], labels: { seen: 'yes' } })
      expect(await other.list('row')).toEqual(await registry.list('row'))
      await other.close()
    })
    end()
  })
}
