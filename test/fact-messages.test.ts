/** Messages of a fact as they are read: what other forms of it wrote, what is none of its changes, and how large a row of one can be. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mostAdded, rowSchema } from '../feature-defs/row-schema.ts'
import { incompatibilities } from '../schemas/avro/compatibility.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { encodeObject } from '../schemas/avro/generic.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { fact } from '../schemas/fact.ts'
import { decimal, flag, integer, record, text, timestamp, type RecordSchema } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { frame } from '../schemas/wire.ts'
import { message } from '../streams/dead.ts'
import { inflowReader, registerInflow } from '../streams/inflow.ts'
import { rewriter } from '../streams/rewriter.ts'
import { featureSet, list, sum } from '../feature-defs/language.ts'
import { memorySchemas, openMemoryRegistry } from '../utilities/memory/registry.ts'
import { columnOf, wholeAt, type Column, type Columns } from '../utilities/values/columns.ts'

const things = table(
  'things',
  { key: 'id' },
  { id: integer(), day: timestamp(), name: text({ bytes: 20 }), amount: decimal({ digits: 9, scale: 2 }), paid: flag() },
)
const [id, day] = [integer({ nullable: false }), timestamp({ nullable: false })]
const old = fact('thing', { of: things, at: 'day' }, { id, day, name: text({ bytes: 20 }) })
const middle = old.add({ amount: decimal({ digits: 9, scale: 2 }) })
const latest = middle.add({ paid: flag() })
const forms: readonly RecordSchema[] = [old, middle, latest]

const registryOf = () => openMemoryRegistry(memorySchemas(), incompatibilities('BACKWARD'))

/** As avsc takes it, with more than the older forms have. */
const values = fc.record({
  id: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  day: fc.integer({ min: 0, max: 2 ** 52 }),
  name: fc.option(fc.string({ maxLength: 20, unit: fc.constantFrom('a', '5', ',', '\\') })),
  amount: fc.option(
    fc.tuple(fc.integer({ min: 1, max: 2 }), fc.uint8Array({ maxLength: 3 })).map(([first, rest]) => Buffer.from([first, ...rest])),
  ),
  paid: fc.option(fc.boolean()),
})
const changes = fc
  .record({
    seq: fc.nat(1000),
    known: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    change: fc.constantFrom('added', 'changed', 'removed', 'tick'),
    key: fc.string({ maxLength: 9 }),
    before: values,
    after: values,
    group_end: fc.boolean(),
    tick: fc.integer({ min: 0, max: 2 ** 52 }),
  })
  .map(({ key, before, after, tick, ...told }) => ({
    ...told,
    key: told.change === 'tick' ? null : key,
    before: told.change === 'changed' || told.change === 'removed' ? before : null,
    after: told.change === 'changed' || told.change === 'added' ? after : null,
    tick: told.change === 'tick' ? tick : null,
  }))
type Change = typeof changes extends fc.Arbitrary<infer One> ? One : never

function fetchedOf(messages: readonly Uint8Array[]) {
  let end = 0
  const ends = Uint32Array.from(messages, ({ length }) => (end += length))
  return { batch: { bytes: Buffer.concat(messages), ends }, offset: 5, next: 5 + messages.length }
}

describe('messages of other forms of a fact', () => {
  it('are the bytes that Avro makes of each, and dead where it reads none', async () => {
    const registry = registryOf()
    const registered = await Promise.all(forms.map((form) => registerInflow(registry, form)))
    const one = fc.record({
      form: fc.nat(2),
      change: changes,
      cut: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 4 })),
    })
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.array(one, { minLength: 1, maxLength: 12 }), async (own, all) => {
        const framed = (compression: 'none' | 'zlib') =>
          fetchedOf(
            all.map(({ form, change, cut }) => {
              const payload = encodeObject(inflowSchema(forms[form]!), change)
              return frame(registered[form]!.id, payload.subarray(0, payload.length - cut), compression)
            }),
          )
        const toOwn = rewriter(registry, forms[own]!, registered[own]!)
        // What is packed goes one by one.
        const [byColumns, oneByOne] = [await toOwn(framed('none')), await toOwn(framed('zlib'))]
        expect(byColumns.dead.map(({ offset }) => offset)).toEqual(oneByOne.dead.map(({ offset }) => offset))
        for (const index of all.keys()) {
          const [fast, slow] = [message(byColumns.batch, index), message(oneByOne.batch, index)]
          expect(Buffer.from(fast).toString('hex')).toBe(Buffer.from(slow).toString('hex'))
          expect(fast.length === 0).toBe(oneByOne.dead.some((dead) => dead.index === index))
        }
      }),
    )
  })

  it('go one by one where it was a record, or happened on days', async () => {
    const registry = openMemoryRegistry(memorySchemas(), incompatibilities('NONE'))
    const before = record('thing', 'day', { id, day, name: text({ bytes: 20 }) })
    const theirs = await registerInflow(registry, before)
    const own = await registerInflow(registry, old)
    const payload = encodeObject(inflowSchema(before), { seq: 1, id: 5n, day: 7, name: 'x' })
    const { batch, dead } = await rewriter(registry, old, own)(fetchedOf([frame(theirs.id, payload)]))
    expect(batch.ends).toEqual(Uint32Array.of(0))
    expect(dead.map(({ reason }) => reason)).toEqual([expect.stringContaining('cannot be read as the other')])
  })
})

const good: Change = {
  seq: 1,
  known: 1_700_000_000_123_456_789n,
  change: 'changed',
  key: '5',
  before: { id: 5n, day: 10, name: 'pen', amount: null, paid: null },
  after: { id: 5n, day: 10, name: 'pencil', amount: Buffer.from([1, 0x2c]), paid: true },
  group_end: true,
  tick: null,
}
const tick: Change = { ...good, seq: 9, change: 'tick', key: null, before: null, after: null, tick: 77 }

describe('a reader of a fact', () => {
  it('has the changes of all forms as columns, and what is none is dead by its reason', async () => {
    const registry = registryOf()
    const [first, , last] = await Promise.all(forms.map((form) => registerInflow(registry, form)))
    const foreign = await registry.register('payment', JSON.stringify(inflowSchema(record('payment', 'day', { day }))))
    const framed = (change: object, registered = last!, schema = latest as RecordSchema) =>
      frame(registered.id, encodeObject(inflowSchema(schema), change))
    const messages: readonly Uint8Array[] = [
      framed(good),
      framed({ ...good, seq: 2, change: 'added' }),
      framed({ ...good, seq: 3, change: 'added', before: null }, first, old),
      frame(foreign.id, encodeObject(inflowSchema(record('payment', 'day', { day })), { seq: 4, day: 1 })),
      Buffer.from('nonsense'),
      framed({ ...good, seq: 5, change: 'upserted' }),
      framed({ ...good, seq: 6, change: 'removed', after: null }).subarray(0, -4),
      framed({ ...good, seq: 6, change: 'removed', after: null }),
      framed({ ...good, seq: 7, change: 'removed', before: null, after: null }),
      framed({ ...good, seq: 8, key: null }, first, old),
      framed(tick),
      framed({ ...tick, seq: 10, tick: null }),
      frame('00000000-0000-4000-8000-000000000000', Buffer.alloc(3)),
    ]
    const reader = await inflowReader(registry, latest, ['amount', 'name'])
    const { rows, columns, dead } = await reader.read(fetchedOf(messages), Infinity)
    expect([...rows]).toEqual([0, 2, 7, 10])
    expect(dead.toSorted((a, b) => a.index - b.index).map(({ index, reason }) => `${index}: ${reason}`)).toEqual([
      '1: it says added, and has before, after, key',
      expect.stringContaining('3: what one schema writes cannot be read as the other'),
      '4: it is shorter than the header of a framed message',
      '5: field change is none of added, changed, removed and tick',
      '6: it ends within field before.paid',
      '8: it says removed, and has key',
      '9: it says changed, and has before, after',
      '11: it says tick, and has nothing',
      '12: schema version 00000000-0000-4000-8000-000000000000 is not in the registry',
    ])
    expect([...columns.byName.keys()].join(' ')).toBe(
      '_seq known change key before before.name before.amount after after.name after.amount group_end tick',
    )
    const flags = (name: string) => [...columnOf(columns, name, 'flag').values]
    expect([...columnOf(columns, '_seq', 'int').values]).toEqual([1, 3, 6, 9])
    expect([flags('before'), flags('after'), flags('group_end')]).toEqual([
      [1, 0, 1, 0],
      [1, 1, 0, 0],
      [1, 1, 1, 1],
    ])
    expect(columnOf(columns, 'known', 'long').values[0]).toBe(good.known)
    expect(texts(columns, 'before.name')).toEqual(['pen', null, 'pen', null])
    expect(texts(columns, 'after.name')).toEqual(['pencil', 'pencil', null, null])
    expect(texts(columns, 'key')).toEqual(['5', '5', '5', null])
    const amount = columnOf(columns, 'after.amount', 'decimal')
    expect([0, 1, 2, 3].map((row) => wholeAt(amount, row))).toEqual([300n, null, null, null])
    const ticks = columnOf(columns, 'tick', 'timestamp')
    expect([0, 3].map((row) => wholeAt(ticks, row))).toEqual([null, 77n])
  })

  it('leaves out what is too large for its row', async () => {
    const registry = registryOf()
    const { id } = await registerInflow(registry, latest)
    const messages = [good, tick].map((change) => frame(id, encodeObject(inflowSchema(latest), change)))
    const { rows, dead } = await (await inflowReader(registry, latest, [])).read(fetchedOf(messages), messages[1]!.length)
    expect([[...rows], dead.map(({ index }) => index)]).toEqual([[1], [0]])
    expect(dead[0]!.reason).toContain('does not fit into outflow.thing')
  })

  it('refuses to be asked for a field that the fact does not have', () =>
    expect(() => decoder(inflowSchema(latest), ['seq', 'colour'])).toThrow(/thing has no field colour/))
})

function texts(columns: Columns, name: string): readonly (string | null)[] {
  const { bytes, starts, ends } = columnOf(columns, name, 'text')
  return Array.from(starts, (start, row) => (start < 0 ? null : Buffer.from(bytes.subarray(start, ends[row])).toString()))
}

describe('a row over facts', () => {
  const { definition } = featureSet(
    { name: 'totals', of: middle, per: 'name' },
    { total: sum('amount', { all: true }), names: list('name', { all: true, bytes: 30 }) },
  )
  const row = rowSchema(definition)

  it('is at most so much larger than its message, and read as it was written', () =>
    fc.assert(
      fc.property(changes, (change) => {
        const sent = frame(zero, encodeObject(inflowSchema(middle), change))
        const { columns } = decoder(inflowSchema(middle))(fetchedOf([sent]).batch, 0, 1)
        const of = (name: string): Column => columns.byName.get(name)!
        const own = Object.keys(middle.fields).map((name) => [name, of(`${change.after ? 'after' : 'before'}.${name}`)] as const)
        // The largest that the engine can add.
        const byName = new Map<string, Column>([
          ['_seq', of('_seq')],
          ...own,
          ['_modified_ts', { kind: 'long', values: BigInt64Array.of(-(2n ** 63n)) }],
          ['_version', { kind: 'int', values: Float64Array.of(-(2 ** 31)) }],
          ['total', { kind: 'decimal', scale: 2, values: Float64Array.of(1e38), wide: new Map([[0, 10n ** 38n - 1n]]) }],
          ['names', { kind: 'text', bytes: Buffer.from('x'.repeat(30)), starts: Int32Array.of(0), ends: Int32Array.of(30) }],
          ['_change', of('change')],
          ['_known_ts', of('known')],
          ['group_end', of('group_end')],
        ])
        const written = encoder(row, zero)({ count: 1, byName })
        expect(written.bytes.length).toBeLessThanOrEqual(sent.length + mostAdded(definition))
        const back = decoder(row)(written, 0, 1)
        expect([back.bad, texts(back.columns, '_change')]).toEqual([[], [change.change]])
        expect([...columnOf(back.columns, '_known_ts', 'long').values]).toEqual([change.known])
        expect([...columnOf(back.columns, 'group_end', 'flag').values]).toEqual([Number(change.group_end)])
        expect(texts(back.columns, 'name')).toEqual([(change.after ?? change.before)?.name ?? null])
      }),
    ))
})

const zero = '00000000-0000-4000-8000-000000000001'
