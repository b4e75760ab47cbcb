/** Rows and events that others send in Avro: they are the rows that the JSON of the same values makes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeObject } from '../schemas/avro/generic.ts'
import type { AvroType } from '../schemas/avro/schema.ts'
import type { Changes } from '../schemas/foreign/changes.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { date, decimal, flag, integer, number, record, text, timestamp } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { frame } from '../schemas/wire.ts'
import { messagesOf, type Sent } from './foreign-messages.ts'
import { linesOf } from './foreign-rows.ts'
import { isLong } from './seeded.ts'

const orNull = (type: unknown) => ['null', type]
const fixed = { type: 'fixed', name: 'Price', size: 9, logicalType: 'decimal', precision: 18, scale: 3 }
const schema = {
  type: 'record',
  name: 'Payment',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: orNull('string') },
    { name: 'amount', type: orNull({ type: 'bytes', logicalType: 'decimal', precision: 18, scale: 2 }) },
    { name: 'price', type: orNull(fixed) },
    { name: 'day', type: orNull({ type: 'int', logicalType: 'date' }) },
    { name: 'at', type: orNull({ type: 'long', logicalType: 'timestamp-micros' }) },
    { name: 'seen', type: orNull({ type: 'long', 'connect.name': 'io.debezium.time.NanoTimestamp' }) },
    { name: 'score', type: orNull('double') },
    { name: 'paid', type: orNull('boolean') },
    { name: 'tags', type: orNull({ type: 'array', items: 'string' }) },
    { name: 'more', type: { type: 'map', values: 'long' } },
  ],
}
const payments = table(
  'payments',
  { key: 'id' },
  {
    id: integer(),
    name: text({ bytes: 100 }),
    amount: decimal({ digits: 18, scale: 2 }),
    price: decimal({ digits: 18, scale: 3 }),
    day: date(),
    at: timestamp(),
    seen: timestamp(),
    score: number(),
    paid: flag(),
    tags: text({ bytes: 200 }),
    more: text({ bytes: 200 }),
  },
)

const ids = { find: async (id: string) => (id === '7' ? JSON.stringify(schema) : id === '8' ? '"long"' : undefined) }
const numbered = (id: number, of: unknown, value: unknown): Buffer => {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, encodeObject(of as AvroType, value)])
}
const decode = (sent: readonly Sent[], more: Partial<ForeignSource> = {}, schemas: typeof ids | undefined = ids): Promise<Changes> =>
  foreignDecoder({ ...payments, format: 'avro', ...more }, schemas)(messagesOf(sent))
const reasons = ({ dead }: Changes) => dead.map(({ reason }) => reason)

/** The fewest bytes of a whole number, the highest first. */
const bigBytes = (value: bigint, size?: number): Buffer => {
  let length = size ?? 1
  while (size === undefined && BigInt.asIntN(8 * length, value) !== value) length++
  return Buffer.from(
    BigInt.asUintN(8 * length, value)
      .toString(16)
      .padStart(2 * length, '0'),
    'hex',
  )
}
const decimalText = (value: bigint, scale: number) => {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const nullable = <T>(one: fc.Arbitrary<T>) => fc.option(one, { freq: 4 })
const micros = fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n)
const payment = fc.record({
  id: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  name: nullable(fc.string({ unit: 'grapheme', maxLength: 8 })),
  amount: nullable(fc.bigInt(-(10n ** 18n) + 1n, 10n ** 18n - 1n)),
  price: nullable(fc.bigInt(-(10n ** 18n) + 1n, 10n ** 18n - 1n)),
  day: nullable(fc.integer({ min: -719_162, max: 2_932_896 })),
  at: nullable(micros),
  seen: nullable(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
  score: nullable(fc.double({ noNaN: true, noDefaultInfinity: true })),
  paid: nullable(fc.boolean()),
  tags: nullable(fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 })),
  more: fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { maxKeys: 3 }),
})
type Payment = typeof payment extends fc.Arbitrary<infer T> ? T : never

const asAvro = (one: Payment) => ({
  ...one,
  amount: one.amount === null ? null : bigBytes(one.amount),
  price: one.price === null ? null : bigBytes(one.price, 9),
})
const asJson = ({ id, amount, price, day, at, seen, more, ...plain }: Payment) => {
  const own = {
    id,
    amount: amount === null ? null : `"${decimalText(amount, 2)}"`,
    price: price === null ? null : decimalText(price, 3),
    day: day === null ? null : JSON.stringify(new Date(day * 86_400_000).toISOString().replace(/T.*/, '').replace(/^\+00/, '')),
    at: at === null ? null : JSON.stringify(iso(at)),
    seen: seen === null ? null : JSON.stringify(iso((seen - (((seen % 1000n) + 1000n) % 1000n)) / 1000n)),
    more: `{${Object.entries(more)
      .map(([name, one]) => `"${name}":${one}`)
      .join(',')}}`,
  }
  return `{${[
    ...Object.entries(own).map(([name, json]) => `"${name}":${json}`),
    ...Object.entries(plain).map(([name, one]) => `"${name}":${JSON.stringify(one)}`),
  ].join(',')}}`
}
const iso = (value: bigint) => {
  const rest = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n
  return `${new Date(Number((value - rest) / 1000n)).toISOString().slice(0, 19)}.${String(rest).padStart(6, '0')}Z`
}

describe('rows in Avro', () => {
  it('are those of the same values in JSON, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(payment, { minLength: 1, maxLength: 5 }), async (all) => {
        const avro = await decode(all.map((one) => ({ value: numbered(7, schema, asAvro(one)) })))
        const json = await foreignDecoder(
          { ...payments, format: 'json' },
          undefined,
        )(messagesOf(all.map((one) => ({ value: asJson(one) }))))
        expect([avro.rows.count, reasons(avro)]).toEqual([all.length, []])
        expect(linesOf(avro.rows)).toEqual(linesOf(json.rows))
      }),
      { numRuns: isLong ? 3000 : 300 },
    )
  })

  const some = {
    id: 1n,
    name: 'Ada',
    amount: null,
    price: null,
    day: null,
    at: null,
    seen: null,
    score: null,
    paid: true,
    tags: null,
    more: {},
  }
  const put = numbered(7, schema, some)
  const line = '1 | Ada | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | true | ∅ | {}'

  it('leave by their key, whether that is Avro, JSON or a text', async () => {
    const { gone, rows, dead } = await decode([
      { value: put },
      { value: null, key: numbered(8, 'long', 41n) },
      { value: null, key: '{"id":42}' },
      { value: null, key: '43' },
    ])
    expect([linesOf(rows), linesOf(gone), dead]).toEqual([[line], ['41', '42', '43'], []])
  })

  it('are read by the one schema that is given, where messages name none; their keys are JSON or a text then', async () => {
    const bare = encodeObject(schema as AvroType, some)
    const sent = [{ value: bare, key: '1' }, { value: null, key: '{"id":2}' }, { value: bare.subarray(0, 3) }]
    const changes = await decode(sent, { framing: 'none', schema: JSON.stringify(schema) }, undefined)
    expect([linesOf(changes.rows), linesOf(changes.gone), reasons(changes)]).toEqual([[line], ['2'], ['it ends too early']])
    expect(() => foreignDecoder({ ...payments, format: 'avro', framing: 'none', schema: '"gone"' }, undefined)).toThrow(
      /the schema of payments cannot be read: it names a type "gone".*Correct the file that sources\.payments\.schema names/,
    )
  })

  it.each([
    ['JSON', { value: '{"id":1}' }, {}, 'it is not framed: its first byte is neither 0x03 nor 0x00'],
    ['in another frame', { value: put }, { framing: 'glue' }, 'it is not framed: its first byte is not 0x03'],
    [
      "in Glue's frame",
      { value: frame('5733f70f-79dc-4422-b0bc-b27805d63fa4', put) },
      { framing: 'confluent' },
      'it is not framed: its first byte is not 0x00',
    ],
    [
      'of a schema that nobody has',
      { value: numbered(6, schema, some) },
      {},
      'there is no Avro schema 6 in the schema registry (sources.payments.schemaRegistry)',
    ],
    [
      'of a UUID that nobody has',
      { value: frame('5733f70f-79dc-4422-b0bc-b27805d63fa4', put) },
      {},
      'there is no Avro schema 5733f70f-79dc-4422-b0bc-b27805d63fa4 in Glue',
    ],
    ['cut off', { value: put.subarray(0, 9) }, {}, 'it ends too early'],
    ['no object', { value: numbered(8, 'long', 1n) }, {}, 'it is not an object'],
    ['nothing', { value: '' }, {}, 'it is not framed: its first byte is neither 0x03 nor 0x00'],
    [
      'by a key that is cut off',
      { value: null, key: Buffer.from([0, 0, 0]) },
      {},
      'its key cannot be read: it is shorter than the header of a framed message',
    ],
    [
      'no row of ours',
      { value: numbered(7, schema, { ...some, amount: bigBytes(10n ** 18n) }) },
      {},
      /^amount: .* does not fit|^amount: .* digits/,
    ],
  ] as const)('are dead where a message is %s, and others are not', async (_, sent, more, reason) => {
    const changes = await decode([sent, { value: put }], more as Partial<ForeignSource>)
    const [first] = reasons(changes)
    if (typeof reason === 'string') expect(first).toBe(reason)
    else expect(first).toMatch(reason)
    expect(linesOf(changes.rows)).toEqual(more && 'framing' in more && more.framing === 'glue' ? [] : [line])
  })

  it('have to wait for a registry that is away, and no message of theirs is dead', async () => {
    let away = true
    const schemas = {
      async find(id: string) {
        if (away) throw new Error('away')
        return ids.find(id)
      },
    }
    const decoder = foreignDecoder({ ...payments, format: 'avro' }, schemas)
    await expect(decoder(messagesOf([{ value: put }]))).rejects.toThrow('away')
    away = false
    expect(linesOf((await decoder(messagesOf([{ value: put }]))).rows)).toEqual([line])
  })

  it('have null for a field that their writer left out, which is told once, and so is a column that nobody reads', async () => {
    const less = {
      type: 'record',
      name: 'Payment',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'strange', type: 'string' },
      ],
    }
    const decoder = foreignDecoder({ ...payments, format: 'avro' }, { find: async () => JSON.stringify(less) })
    const sent = messagesOf([{ value: numbered(9, less, { id: 5n, strange: 'x' }) }])
    const { rows, notes } = await decoder(sent)
    expect(linesOf(rows)).toEqual([`5${' | ∅'.repeat(10)}`])
    expect(notes.filter((note) => note.includes('does not send name'))).toHaveLength(1)
    expect(notes.filter((note) => note.includes('the source sends strange'))).toHaveLength(1)
    expect((await decoder(sent)).notes).toEqual([])
  })
})

describe('events in Avro', () => {
  const paid = record('paid', 'at', { at: timestamp({ nullable: false }), id: integer() })
  it('are records; one without a value is dead', async () => {
    const of: ForeignSource = { name: paid.name, fields: paid.fields, key: null, format: 'avro' }
    const value = numbered(7, schema, { ...asAvro({ ...empty, at: 1n }), id: 3n })
    const changes = await foreignDecoder(
      of,
      ids,
    )(messagesOf([{ value }, { value: null, key: '3' }, { value: numbered(7, schema, asAvro(empty)) }]))
    expect(linesOf(changes.rows)).toEqual(['1970-01-01T00:00:00.000001Z | 3'])
    expect(reasons(changes)).toEqual(['it is empty', 'at is null'])
  })
  const empty = {
    id: 0n,
    name: null,
    amount: null,
    price: null,
    day: null,
    at: null,
    seen: null,
    score: null,
    paid: null,
    tags: null,
    more: {},
  }
})

describe('changes of a database in Avro', () => {
  const customers = table(
    'customers',
    { key: 'id' },
    { id: integer(), name: text({ bytes: 20 }), balance: decimal({ digits: 9, scale: 2 }) },
  )
  const row = {
    type: 'record',
    name: 'Value',
    fields: [
      { name: 'name', type: 'string' },
      {
        name: 'balance',
        type: { type: 'bytes', 'connect.name': 'org.apache.kafka.connect.data.Decimal', 'connect.parameters': { scale: '2' } },
      },
    ],
  }
  const envelope = {
    type: 'record',
    name: 'Envelope',
    fields: [
      { name: 'before', type: ['null', row] },
      { name: 'after', type: ['null', 'Value'] },
      {
        name: 'source',
        type: {
          type: 'record',
          name: 'Source',
          fields: [
            { name: 'connector', type: 'string' },
            { name: 'lsn', type: 'long' },
          ],
        },
      },
      { name: 'op', type: 'string' },
    ],
  }
  const flat = {
    type: 'record',
    name: 'Flat',
    fields: [
      { name: 'id', type: 'long' },
      ...row.fields,
      { name: '__op', type: 'string' },
      { name: '__lsn', type: 'long' },
      { name: '__deleted', type: 'string' },
    ],
  }
  const key = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] }
  const all = new Map<string, unknown>([
    ['1', envelope],
    ['2', flat],
    ['3', key],
  ])
  const schemas = { find: async (id: string) => (all.has(id) ? JSON.stringify(all.get(id)) : undefined) }
  const source = { connector: 'postgresql', lsn: 9007199254740993n }
  const changesOf = (sent: readonly Sent[]) => foreignDecoder({ ...customers, format: 'debezium' }, schemas)(messagesOf(sent))
  const keyed = (id: bigint) => numbered(3, key, { id })

  it('in an envelope, take from their key what the row has not, and leave by it', async () => {
    const after = { name: 'Ada', balance: Buffer.from([1, 0]) }
    const changes = await changesOf([
      { value: numbered(1, envelope, { before: null, after, source, op: 'c' }), key: keyed(2n ** 62n) },
      { value: numbered(1, envelope, { before: after, after: null, source, op: 'd' }), key: keyed(5n) },
    ])
    expect([linesOf(changes.rows), linesOf(changes.gone), reasons(changes)]).toEqual([[`${2n ** 62n} | Ada | 2.56`], ['5'], []])
    expect(changes.origins[0]?.place).toMatchObject({ lsn: 9007199254740993n })
  })

  it('flattened, are told from others by what the transformation adds', async () => {
    const one = { id: 1n, name: 'Ada', balance: Buffer.from([0xff]), __lsn: 2n ** 62n, __deleted: 'false', __op: 'u' }
    const changes = await changesOf([
      { value: numbered(2, flat, one), key: keyed(1n) },
      { value: numbered(2, flat, { ...one, __deleted: 'true', __op: 'd' }), key: keyed(1n) },
    ])
    expect([linesOf(changes.rows), linesOf(changes.gone), reasons(changes)]).toEqual([['1 | Ada | -0.01'], ['1'], []])
    expect(changes.origins.map((origin) => origin?.op)).toEqual(['u', 'd'])
  })
})
