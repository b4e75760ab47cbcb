/**
 * The wire format against AWS's own Java serializers, both ways: what Tidemark frames they decode, and what they frame Tidemark decodes,
 * every long exact.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { v1 } from '../../../examples/loans/loan-risk.ts'
import { rowSchema } from '../../../feature-defs/row-schema.ts'
import { inflowSchema, type AvroSchema } from '../../../schemas/avro/schema.ts'
import { decoder } from '../../../schemas/avro/decode.ts'
import { encoder } from '../../../schemas/avro/encode.ts'
import { featureSet, last, mean, sum } from '../../../feature-defs/language.ts'
import { encodeObject, toObject } from '../../../schemas/avro/generic.ts'
import { rejectedLoan } from '../../../examples/loans/rejected-loan.ts'
import { frame, readFrame, type Compression } from '../../../schemas/wire.ts'
import type { Registered, Registry } from '../../../utilities/registry.ts'
import { glueStore, underAws } from '../glue-stores.ts'
import { missingForMoto, startMoto, type TestAws } from '../moto.ts'
import { missingForSerde, startSerde, type Serde } from './serde.ts'
import { deal } from '../../deal.ts'
import { skipWithout } from '../../unless-missing.ts'

const skip = skipWithout(missingForMoto() ?? missingForSerde())

const limits = [0n, -1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const inflow = inflowSchema(rejectedLoan)
const outflow = rowSchema(v1.definition)
/** Beyond what a record's own number may be, longs occur in what others write. */
const longs: AvroSchema = {
  type: 'record',
  name: 'longs',
  fields: [
    { name: 'value', type: 'long' },
    { name: 'perhaps', type: ['null', 'long'], default: null },
  ],
}

const loan = {
  seq: 9007199254740991n,
  amount_requested: 1000.5,
  application_date: 13665,
  loan_title: 'Wëdding "covered" 🌊, but\nnot for fr££',
  risk_score: 693,
  debt_to_income_ratio: '10%',
  zip_code: '481xx',
  state: null,
  employment_length: '',
  policy_code: 0,
}
const row = { ...loan, _modified_ts: 1_731_000_000_123_456_789n, _version: 1, ma50: 600.125, ma100: null, _v1: null }

/** A feature of every kind of field. */
const every = rowSchema(
  featureSet(
    { name: 'deals', of: deal },
    {
      i: sum('whole', { last: 3 }),
      s: sum('money', { last: 3 }),
      d: last('day', { last: 3 }),
      m: last('moment', { last: 3 }),
      t: last('note', { last: 3 }),
      f: last('yes', { last: 3 }),
      r: mean('rate', { last: 3 }),
    },
  ).definition,
)
const everyRow = {
  seq: 1n,
  moment: 253_402_300_799_999_999n,
  whole: 2n ** 63n - 1n,
  money: Buffer.from('fb1e', 'hex'),
  day: 13_938,
  yes: true,
  note: 'é',
  rate: 0.5,
  _modified_ts: 1_731_000_000_123_456_789n,
  _version: 0,
  i: -(2n ** 63n),
  s: Buffer.from('4b3b4ca85a86c47a098a223fffffffff', 'hex'),
  d: -719_162,
  m: null,
  t: 'x',
  f: false,
  r: null,
  _v0: null,
}

/** Avro's JSON form of a value: a union's value says which branch it is of. */
const avroJson = (schema: AvroSchema, value: Readonly<Record<string, unknown>>): string => {
  const fields = schema.fields.map(({ name, type }) => {
    const one = value[name]
    const text = typeof one === 'bigint' ? String(one) : JSON.stringify(one)
    const [, branch] = Array.isArray(type) ? (type as readonly unknown[]) : []
    const taken = typeof branch === 'string' ? branch : (branch as { type: string } | undefined)?.type
    return `${JSON.stringify(name)}:${one === null || taken === undefined ? text : `{"${taken}":${text}}`}`
  })
  return `{${fields.join(',')}}`
}
/** Numbers as texts: a double cannot hold every long. */
const exactly = (json: string): unknown =>
  JSON.parse(json, ((_: string, value: unknown, { source }: { readonly source?: string }) =>
    typeof value === 'number' && /^-?\d+$/.test(source!) && !Number.isSafeInteger(value) ? BigInt(source!) : value) as never)
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes as Uint8Array).toString('base64')

describe.skipIf(skip)("AWS's Java serializers", () => {
  let aws: TestAws
  let back: () => void
  let registry: Registry
  let java: Serde
  const store = glueStore()
  const registered = new Map<AvroSchema, Registered>()
  beforeAll(async () => {
    aws = await startMoto()
    back = underAws(aws)
    registry = store.open({ catalogDatabase: false }).registry
    for (const schema of [inflow, outflow, longs, every])
      registered.set(schema, await registry.register(schema.name, JSON.stringify(schema)))
    java = await startSerde('serializer', { endpoint: aws.endpoint, region: 'eu-west-1', registry: store.name, env: aws.env })
  }, 600_000)
  afterAll(async () => {
    await java?.stop()
    await registry?.close()
    back?.()
    await aws?.stop()
    store.dispose()
  })
  const idOf = (schema: AvroSchema) => registered.get(schema)!.id
  const decoded = async (message: Uint8Array) => exactly(Buffer.from((await java.ask('decode', base64(message)))[0]!, 'base64').toString())
  const asRead = (schema: AvroSchema, value: Readonly<Record<string, unknown>>) => exactly(avroJson(schema, value))

  describe.each<Compression>(['none', 'zlib'])('with compression %s', (compression) => {
    it.each([
      ['inflow', inflow, loan],
      ['outflow', outflow, row],
    ] as const)('decode what is framed for %s', async (_, schema, value) => {
      const message = frame(idOf(schema), encodeObject(schema, value), compression)
      expect(await decoded(message)).toEqual(asRead(schema, value))
    })

    it('decode every long exactly, and theirs are decoded exactly', async () => {
      for (const long of limits) {
        const value = { value: long, perhaps: -long - 1n }
        expect(await decoded(frame(idOf(longs), encodeObject(longs, value), compression))).toEqual(asRead(longs, value))
        const [bytes] = await java.ask(
          'encode',
          compression.toUpperCase(),
          'longs',
          base64(JSON.stringify(longs)),
          base64(avroJson(longs, value)),
        )
        const framed = readFrame(Buffer.from(bytes!, 'base64'), 0, Buffer.from(bytes!, 'base64').length)
        expect(framed).toMatchObject({ ok: true, id: idOf(longs), compression })
        expect(toObject(longs, (framed as { payload: Uint8Array }).payload)).toEqual(value)
      }
    })

    it.each([
      ['inflow', inflow, loan],
      ['outflow', outflow, row],
    ] as const)('frame for %s what is decoded here, under the id that was registered here', async (_, schema, value) => {
      const [bytes] = await java.ask(
        'encode',
        compression.toUpperCase(),
        schema.name,
        base64(JSON.stringify(schema)),
        base64(avroJson(schema, value)),
      )
      const message = Buffer.from(bytes!, 'base64')
      const framed = readFrame(message, 0, message.length)
      expect(framed).toMatchObject({ ok: true, id: idOf(schema), compression, payload: Buffer.from(encodeObject(schema, value)) })
      if (compression === 'none') expect(message).toEqual(Buffer.from(frame(idOf(schema), encodeObject(schema, value))))
    })
  })

  it('decode the messages of the encoder of whole columns', async () => {
    const message = frame(idOf(inflow), encodeObject(inflow, loan))
    const { columns, bad } = decoder(inflow)({ bytes: message, ends: Uint32Array.of(message.length) }, 0, 1)
    expect(bad).toEqual([])
    const again = encoder(inflow, idOf(inflow))(columns)
    expect(await decoded(again.bytes.subarray(0, again.ends[0]))).toEqual(asRead(inflow, loan))
  })

  it('refuse a message whose version nobody registered, as is done here', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000'
    await expect(decoded(frame(unknown, encodeObject(longs, { value: 1n, perhaps: null })))).rejects.toThrow(/not found/)
    expect(await registry.find(unknown)).toBeUndefined()
  })

  describe('in Kafka Connect', () => {
    let connect: Serde
    beforeAll(async () => {
      connect = await startSerde('connect', { endpoint: aws.endpoint, region: 'eu-west-1', registry: store.name, env: aws.env })
    }, 600_000)
    afterAll(async () => void (await connect?.stop()))

    it.each<Compression>(['none', 'zlib'])('read inflow and write it again (%s), so that it is decoded here', async (compression) => {
      const message = frame(idOf(inflow), encodeObject(inflow, loan), compression)
      const [shown, bytes] = await connect.ask('connect', compression.toUpperCase(), `connected_${compression}`, base64(message))
      expect(Buffer.from(shown!, 'base64').toString()).toContain('seq=9007199254740991')
      const again = Buffer.from(bytes!, 'base64')
      const framed = readFrame(again, 0, again.length)
      expect(framed).toMatchObject({ ok: true, compression })
      const { id, payload } = framed as { id: string; payload: Uint8Array }
      const theirs = JSON.parse((await registry.find(id))!.definition) as AvroSchema
      expect(toObject(theirs, payload)).toMatchObject({ ...toObject(inflow, encodeObject(inflow, loan)) })
    })

    // docs/aws.md says so too. A marker of type null, which it was once, Kafka Connect has no form for.
    it('read outflow, with fields and features of every kind, and write it again', async () => {
      for (const [schema, value] of [
        [outflow, row],
        [every, everyRow],
      ] as const) {
        const message = frame(idOf(schema), encodeObject(schema, value))
        const [shown, bytes] = await connect.ask('connect', 'NONE', `connected_${schema.name}`, base64(message))
        const text = Buffer.from(shown!, 'base64').toString()
        expect(text).toContain(`_version=${value._version}`)
        if (schema === every) for (const part of ['whole=9223372036854775807', 'money=-12.50', 'yes=true']) expect(text).toContain(part)
        const again = Buffer.from(bytes!, 'base64')
        const { id, payload } = readFrame(again, 0, again.length) as { id: string; payload: Uint8Array }
        const theirs = JSON.parse((await registry.find(id))!.definition) as AvroSchema
        const written = toObject(theirs, payload)
        const expected = toObject(schema, encodeObject(schema, value))
        expect(Object.keys(written)).toEqual(Object.keys(expected))
        // Of a moment Kafka Connect keeps the number alone.
        expect(written).toMatchObject(schema === every ? { ...expected, moment: everyRow.moment } : expected)
      }
    })
  })
})
