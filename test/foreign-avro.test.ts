/**
 * Messages of others in Avro: whatever their writer's schema, they are the JSON of the same values; whatever their bytes, nothing breaks.
 */
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeObject } from '../schemas/avro/generic.ts'
import type { AvroType } from '../schemas/avro/schema.ts'
import { avroReader } from '../schemas/foreign/avro.ts'
import type { SentType } from '../schemas/foreign/sent.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { text } from '../schemas/record.ts'
import { frame } from '../schemas/wire.ts'
import { anyAvro } from './chance-avro.ts'
import { isLong } from './seeded.ts'

const id = '5733f70f-79dc-4422-b0bc-b27805d63fa4'
const confluent = (number: number, payload: Uint8Array) => {
  const header = Buffer.alloc(5)
  header.writeInt32BE(number, 1)
  return Buffer.concat([header, payload])
}
const source = (more: Partial<ForeignSource> = {}): ForeignSource => ({
  name: 'accounts',
  fields: Object.fromEntries(
    ['x', 'a', 'b', 'at', 'next', 'opened', 'f0', 'f1', 'f2', 'f3', 'f4', 'f5'].map((csv) => [csv, text({ bytes: 9, from: csv })]),
  ),
  key: ['id'],
  format: 'avro',
  ...more,
})

/** Every id has this schema. */
const readerOf = async (schema: unknown, message: Uint8Array, more: Partial<ForeignSource> = {}) => {
  const reader = avroReader(source(more), { find: async () => (typeof schema === 'string' ? schema : JSON.stringify(schema)) })
  await reader.prepare([{ bytes: message, from: 0, to: message.length }])
  return reader
}
type Outcome = { readonly json: string; readonly type: SentType } | string
const readBy = async (schema: unknown, message: Uint8Array, more: Partial<ForeignSource> = {}): Promise<Outcome> => {
  const sent = (await readerOf(schema, message, more)).read(message, 0, message.length)
  return typeof sent === 'string' ? sent : { json: Buffer.from(sent.bytes.slice(sent.from, sent.to)).toString(), type: sent.type }
}
const jsonOf = (outcome: Outcome) => (typeof outcome === 'string' ? outcome : outcome.json)
const typeOf = (outcome: Outcome, field: string) =>
  typeof outcome === 'string' ? outcome : outcome.type.is === 'struct' ? outcome.type.fields.get(field) : outcome.type
const record = (...fields: readonly object[]) => ({ type: 'record', name: 'Row', fields })

describe('a message in Avro', () => {
  it('is the JSON of the same values, whatever its schema', async () => {
    await fc.assert(
      fc.asyncProperty(anyAvro, fc.boolean(), async ({ schema, value, json }, packed) => {
        const payload = encodeObject(schema as AvroType, value)
        const message = packed ? frame(id, payload, 'zlib') : confluent(7, payload)
        const outcome = await readBy(schema, message)
        expect(jsonOf(outcome)).toBe(json)
      }),
      { numRuns: isLong ? 5000 : 400 },
    )
  })

  const days = { type: 'int', 'connect.name': 'io.debezium.time.Date' }
  const columns: readonly (readonly [type: unknown, value: unknown, json: string, is: SentType])[] = [
    ['long', 9007199254740993n, '9007199254740993', { is: 'plain' }],
    ['long', -9223372036854775808n, '-9223372036854775808', { is: 'plain' }],
    [['null', 'long'], null, 'null', { is: 'plain' }],
    ['float', Math.fround(1.1), '1.1', { is: 'plain' }],
    ['double', NaN, '"NaN"', { is: 'plain' }],
    ['double', -Infinity, '"-Infinity"', { is: 'plain' }],
    ['double', 1e300, '1e+300', { is: 'plain' }],
    ['string', 'a "b" \\ \n \u0001 é 🦀', '"a \\"b\\" \\\\ \\u000a \\u0001 é 🦀"', { is: 'plain' }],
    ['bytes', Buffer.from([0, 255, 16]), '"AP8Q"', { is: 'bytes' }],
    [{ type: 'fixed', name: 'F', size: 2 }, Buffer.from([1, 2]), '"AQI="', { is: 'bytes' }],
    [
      { type: 'fixed', name: 'F', size: 16, logicalType: 'uuid' },
      Buffer.alloc(16, 0xab),
      '"abababab-abab-abab-abab-abababababab"',
      { is: 'plain' },
    ],
    [{ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'B', '"B"', { is: 'plain' }],
    [{ type: 'int', logicalType: 'date' }, 20541, '20541', { is: 'day' }],
    [days, -719162, '-719162', { is: 'day' }],
    [['null', days], 1, '1', { is: 'day' }],
    [{ type: 'int', 'connect.name': 'org.apache.kafka.connect.data.Date', logicalType: 'date' }, 1, '1', { is: 'day' }],
    [{ type: 'long', logicalType: 'timestamp-millis' }, 1n, '1', { is: 'moment', unit: 'milliseconds' }],
    [{ type: 'long', logicalType: 'timestamp-micros' }, 1n, '1', { is: 'moment', unit: 'microseconds' }],
    [{ type: 'long', logicalType: 'timestamp-nanos' }, 1n, '1', { is: 'moment', unit: 'nanoseconds' }],
    [{ type: 'long', logicalType: 'local-timestamp-millis' }, 1n, '1', { is: 'moment', unit: 'milliseconds' }],
    [{ type: 'long', logicalType: 'local-timestamp-micros' }, 1n, '1', { is: 'moment', unit: 'microseconds' }],
    [{ type: 'long', logicalType: 'local-timestamp-nanos' }, 1n, '1', { is: 'moment', unit: 'nanoseconds' }],
    [{ type: 'long', 'connect.name': 'io.debezium.time.Timestamp' }, 1n, '1', { is: 'moment', unit: 'milliseconds' }],
    [{ type: 'long', 'connect.name': 'io.debezium.time.MicroTimestamp' }, 1n, '1', { is: 'moment', unit: 'microseconds' }],
    [{ type: 'long', 'connect.name': 'io.debezium.time.NanoTimestamp' }, 1n, '1', { is: 'moment', unit: 'nanoseconds' }],
    [{ type: 'long', 'connect.name': 'org.apache.kafka.connect.data.Timestamp' }, 1n, '1', { is: 'moment', unit: 'milliseconds' }],
    [{ type: 'int', logicalType: 'time-millis' }, 1, '1', { is: 'time' }],
    [{ type: 'long', 'connect.name': 'io.debezium.time.MicroTime' }, 1n, '1', { is: 'time' }],
    [
      { type: 'string', 'connect.name': 'io.debezium.time.ZonedTimestamp' },
      '2026-01-01T00:00:00Z',
      '"2026-01-01T00:00:00Z"',
      { is: 'plain' },
    ],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, Buffer.from([0xff, 0x38]), '"/zg="', { is: 'decimal', scale: 2 }],
    [
      { type: 'fixed', name: 'D', size: 2, logicalType: 'decimal', precision: 4, scale: 1 },
      Buffer.from([0, 200]),
      '"AMg="',
      { is: 'decimal', scale: 1 },
    ],
    [
      { type: 'bytes', 'connect.name': 'org.apache.kafka.connect.data.Decimal', 'connect.parameters': { scale: '4' } },
      Buffer.from([7]),
      '"Bw=="',
      { is: 'decimal', scale: 4 },
    ],
    [
      {
        type: 'record',
        name: 'V',
        fields: [
          { name: 'scale', type: 'int' },
          { name: 'value', type: 'bytes' },
        ],
        'connect.name': 'io.debezium.data.VariableScaleDecimal',
      },
      { scale: 9, value: Buffer.from([1, 0]) },
      '{"scale":9,"value":"AQA="}',
      { is: 'scaled' },
    ],
    // Of several types, and deeper than a column, no type stands beside the value.
    [['null', { type: 'array', items: ['null', days] }], [1, null], '["1970-01-02",null]', { is: 'plain' }],
    [
      { type: 'array', items: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
      [Buffer.from([0xff, 0x38])],
      '[-2.00]',
      { is: 'plain' },
    ],
    [
      { type: 'map', values: { type: 'long', logicalType: 'timestamp-micros' } },
      { a: 1n },
      '{"a":"1970-01-01T00:00:00.000001Z"}',
      { is: 'plain' },
    ],
    [{ type: 'array', items: { type: 'long', logicalType: 'timestamp-nanos' } }, [-1n], '["1969-12-31T23:59:59.999999Z"]', { is: 'plain' }],
    [{ type: 'array', items: { type: 'long', logicalType: 'timestamp-millis' } }, [2n ** 62n], '[4611686018427387904]', { is: 'plain' }],
    [{ type: 'map', values: 'int' }, {}, '{}', { is: 'plain' }],
  ]
  it.each(columns)('has a column of %j as its type says', async (type, value, json, is) => {
    const schema = record({ name: 'x', type })
    const outcome = await readBy(schema, confluent(1, encodeObject(schema as AvroType, { x: value })))
    expect(jsonOf(outcome)).toBe(`{"x":${json}}`)
    expect(typeOf(outcome, 'x')).toEqual(is)
  })

  it('has a row before and after in an envelope of Debezium, and types for both', async () => {
    const row = { type: 'record', name: 'Value', fields: [{ name: 'opened', type: ['null', days] }] }
    const schema = record({ name: 'before', type: ['null', row] }, { name: 'after', type: ['null', 'Value'] })
    const outcome = await readBy(schema, frame(id, encodeObject(schema as AvroType, { before: null, after: { opened: 3 } })), {
      format: 'debezium',
    })
    expect(jsonOf(outcome)).toBe('{"before":null,"after":{"opened":3}}')
    expect(typeOf(outcome, 'after')).toEqual({ is: 'struct', fields: new Map([['opened', { is: 'day' }]]) })
  })

  it('may have records of its own kind within, and types by their bare names', async () => {
    const node = record({ name: 'at', type: { type: 'int', logicalType: 'date' } }, { name: 'next', type: ['null', 'Row'] })
    const value = { at: 0, next: { at: 1, next: { at: 2, next: null } } }
    const expected = '{"at":0,"next":{"at":"1970-01-02","next":{"at":"1970-01-03","next":null}}}'
    expect(jsonOf(await readBy(node, confluent(1, encodeObject(node as AvroType, value))))).toBe(expected)
    const spaced = {
      ...record({ name: 'a', type: { type: 'enum', name: 'E', symbols: ['X'] } }, { name: 'b', type: 'com.a.E' }),
      namespace: 'com.a',
    }
    expect(jsonOf(await readBy(spaced, confluent(1, Buffer.from([0, 0]))))).toBe('{"a":"X","b":"X"}')
  })

  it('is read though a default of its schema is wrong, as Java reads it', async () => {
    const schema = record({ name: 'a', type: 'int', default: null }, { name: 'b', type: ['string', 'null'], default: null })
    expect(jsonOf(await readBy(schema, confluent(1, Buffer.from([2, 2]))))).toBe('{"a":1,"b":null}')
  })
})

describe('bytes that are no such message', () => {
  const number = record({ name: 'x', type: 'long' })
  const list = record({ name: 'x', type: { type: 'array', items: 'null' } })
  const nested = record({ name: 'x', type: { type: 'array', items: { type: 'array', items: 'null' } } })
  const chain = record({ name: 'next', type: ['null', 'Row'] })
  const varint = (value: bigint): Buffer => Buffer.from(encodeObject('long' as AvroType, value))
  const cases: readonly (readonly [what: string, schema: unknown, message: Uint8Array, reason: string | RegExp])[] = [
    ['cut off in its header', number, Buffer.from([0, 0, 0]), 'it is shorter than the header of a framed message'],
    [
      'cut off in the header of Glue',
      number,
      frame(id, Buffer.from([2])).subarray(0, 12),
      'it is shorter than the header of a framed message',
    ],
    ['packed in an unknown way', number, Buffer.from([3, 1, ...Buffer.alloc(17)]), /its compression is unknown/],
    ['that cannot be unpacked', number, Buffer.from([3, 5, ...Buffer.alloc(20, 9)]), /its zlib data cannot be unpacked/],
    ['that unpack into gigabytes', number, frame(id, Buffer.alloc(17_000_000), 'zlib'), /it would unpack to more than/],
    ['of a schema with a negative number', number, confluent(-1, Buffer.from([2])), /the number of its Avro schema is negative/],
    ['cut off', number, confluent(1, Buffer.from([])), 'it ends too early'],
    ['cut off in a number', number, confluent(1, Buffer.from([0x80])), 'it ends too early'],
    ['with a number beyond 64 bits', number, confluent(1, Buffer.alloc(11, 0xff)), 'a number has more than 64 bits'],
    ['with more behind', number, confluent(1, Buffer.from([2, 4, 6])), '2 bytes follow its last field'],
    ['of another schema', record({ name: 'x', type: 'string' }), confluent(1, Buffer.from([0x7e, 65])), 'it ends too early'],
    ['with a text of a negative length', record({ name: 'x', type: 'string' }), confluent(1, Buffer.from([1])), 'it ends too early'],
    ['with a text as long as the world', record({ name: 'x', type: 'string' }), confluent(1, varint(2n ** 62n)), 'it ends too early'],
    ['with bytes as long as the world', record({ name: 'x', type: 'bytes' }), confluent(1, varint(2n ** 53n)), 'it ends too early'],
    ['with an int that is none', record({ name: 'x', type: 'int' }), confluent(1, varint(2n ** 31n)), 'an int has more than 32 bits'],
    [
      'with a flag that is none',
      record({ name: 'x', type: 'boolean' }),
      confluent(1, Buffer.from([2])),
      'a flag is neither true nor false',
    ],
    ['with a branch that is none', record({ name: 'x', type: ['null', 'int'] }), confluent(1, Buffer.from([4])), /a union has a branch/],
    [
      'with a symbol that is none',
      record({ name: 'x', type: { type: 'enum', name: 'E', symbols: ['A'] } }),
      confluent(1, Buffer.from([2])),
      /an enum has a symbol/,
    ],
    [
      'with a million million nothings',
      list,
      confluent(1, Buffer.concat([varint(10n ** 12n), varint(0n)])),
      'it has more values than its bytes could hold',
    ],
    [
      'with as many, counted in blocks',
      list,
      confluent(1, Buffer.concat([varint(-(10n ** 12n)), varint(0n), varint(0n)])),
      /more values than/,
    ],
    [
      'with lists of nothings within lists',
      nested,
      confluent(1, Buffer.concat([varint(50_000n), ...Array<Buffer>(50_000).fill(Buffer.concat([varint(900_000n), varint(0n)]))])),
      /more values than/,
    ],
    ['deeper than anybody needs', chain, confluent(1, Buffer.from([...Buffer.alloc(5000, 2), 0])), 'it is deeper than 64 levels'],
    ['whose schema is no JSON', '{', confluent(1, Buffer.from([2])), 'the schema 1 cannot be read: it is not JSON'],
    [
      'whose schema is no Avro',
      { type: 'object' },
      confluent(1, Buffer.from([2])),
      /the schema 1 cannot be read: it names a type "object"/,
    ],
    ['whose schema has no end', '['.repeat(5000) + '"int"' + ']'.repeat(5000), confluent(1, Buffer.from([2])), /deeper than 100 levels/],
  ]
  it.each(cases)('%s are dead with a reason', async (_, schema, message, reason) => {
    const outcome = await readBy(schema, message)
    if (typeof reason === 'string') expect(outcome).toBe(reason)
    else expect(outcome).toMatch(reason)
  })

  it('are dead or JSON, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(anyAvro, fc.uint8Array({ maxLength: 40 }), fc.nat(), fc.nat(255), async ({ schema, value }, noise, at, byte) => {
        const payload = Buffer.from(encodeObject(schema as AvroType, value))
        const spoilt = Buffer.concat([payload.subarray(0, at % (payload.length + 1)), Buffer.from([byte])])
        if (payload.length > 0) payload[at % payload.length] = byte
        for (const body of [noise, spoilt, payload, deflateSync(noise)]) {
          const outcome = await readBy(schema, confluent(1, body))
          // What is not UTF-8 is found when the JSON is read.
          if (typeof outcome !== 'string') expect(() => JSON.parse(outcome.json) as unknown).not.toThrow()
        }
      }),
      { numRuns: isLong ? 5000 : 400 },
    )
  })

  it('of a schema that nobody has are dead, and read once it is there', async () => {
    const texts = new Map<string, string>()
    const reader = avroReader(source(), { find: async (id) => texts.get(id) })
    const message = confluent(9, Buffer.from([2]))
    const messages = [{ bytes: message, from: 0, to: message.length }]
    await reader.prepare(messages)
    expect(reader.read(message, 0, message.length)).toBe(
      'there is no Avro schema 9 in the schema registry (sources.accounts.schemaRegistry)',
    )
    texts.set('9', '"long"')
    await reader.prepare(messages)
    expect(reader.read(message, 0, message.length)).toMatchObject({ to: 1 })
  })
})
