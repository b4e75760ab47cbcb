/**
 * The columnar encoder, decoder and splicer against avsc, byte for byte; and what they do with messages that are not what they should be.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { v1, v2 } from '../examples/loans/loan-risk.ts'
import { cellsOf, firstDay, lastDay, type FieldPlace } from '../schemas/avro/field-places.ts'
import { inflowSchema, type AvroSchema } from '../schemas/avro/schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder, splicer } from '../schemas/avro/encode.ts'
import { encodeObject, parseSchema, resolveTo, toObject, Unreadable } from '../schemas/avro/generic.ts'
import { date, decimal, flag, integer, number, record, text, timestamp, type Field, type Fields } from '../schemas/record.ts'
import { fact } from '../schemas/fact.ts'
import { table } from '../schemas/table.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { frame, frameHeader, headerBytes } from '../schemas/wire.ts'
import { noDay, noFlag, putWhole, wholeAt, type Column, type Columns, type Wholes } from '../utilities/values/columns.ts'
import { firstMicros, lastMicros } from '../utilities/values/timestamp.ts'
import type { Batch } from '../utilities/log.ts'

const id = '6f2a1c3e-0b4d-4e5f-8a9b-c0d1e2f30415'
const otherId = '00112233-4455-4677-8899-aabbccddeeff'

/** An integer, a decimal without its point, and a moment are bigints. */
type Value = number | bigint | string | boolean | null
type Row = { readonly [field: string]: Value }

const valueArbs = {
  double: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53, 0.1),
  ),
  seq: fc.oneof(
    fc.maxSafeInteger(),
    fc.nat(300),
    fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 31, -(2 ** 31) - 1),
  ),
  int: fc.oneof(fc.integer(), fc.constantFrom(2147483647, -2147483648, 63, 64, -64, -65)),
  long: fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 0n, -1n, 2n ** 53n + 1n)),
  date: fc.oneof(fc.integer({ min: firstDay, max: lastDay }), fc.constantFrom(firstDay, lastDay, 0, -1, 14000)),
  string: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ maxLength: 90 }),
    fc.constantFrom('', '🌊', 'é', 'NULL', 'x'.repeat(63), 'x'.repeat(64), 'ß'.repeat(5000)),
  ),
  bytes: fc.string({ maxLength: 9 }),
  integer: fc.oneof(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.maxSafeInteger().map(BigInt),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n), 2n ** 53n - 1n, 0n, -1n, 2n ** 31n),
  ),
  timestamp: fc.oneof(
    fc.bigInt(firstMicros, lastMicros),
    fc.constantFrom(firstMicros, lastMicros, 0n, -1n, 2n ** 53n, -(2n ** 53n), 1_204_286_096_789_012n),
  ),
  flag: fc.boolean(),
  record: fc.boolean(),
  marker: fc.constant(null),
  null: fc.constant(null),
} as const

/** Of many digits and of few. */
const decimalArb = (digits: number): fc.Arbitrary<bigint> => {
  const most = 10n ** BigInt(digits) - 1n
  const small = most < 300n ? most : 300n
  const odd = [0n, -1n, 127n, 128n, -128n, -129n, 2n ** 47n, -(2n ** 47n), 2n ** 53n, 2n ** 55n, -(2n ** 63n), most, -most]
  return fc.oneof(fc.bigInt(-most, most), fc.bigInt(-small, small), fc.constantFrom(...odd.filter((one) => one <= most && one >= -most)))
}

/** Texts that their field can hold, often just so. */
const withinBytes = (values: fc.Arbitrary<Value>, most: number) =>
  most === Infinity
    ? values
    : values.map((value) => (typeof value === 'string' && Buffer.byteLength(value) > most ? 'x'.repeat(most) : value))

const rowOf = (schema: AvroSchema): fc.Arbitrary<Row> => {
  const row = fc.record(
    Object.fromEntries(
      cellsOf(schema).map(({ name, kind, nullable, digits, most }) => {
        const values: fc.Arbitrary<Value> = withinBytes(kind === 'decimal' ? decimalArb(digits) : valueArbs[kind], most)
        return [name, nullable && kind !== 'record' ? fc.option(values, { freq: 3 }) : values]
      }),
    ),
  )
  if (!isOfFact(schema)) return row
  const date = valueArbs[cellsOf(schema).at(-1)!.kind as 'date' | 'timestamp']
  return fc.tuple(row, fc.constantFrom('added', 'changed', 'removed', 'tick'), fc.string(), date).map(([row, change, key, tick]) => {
    const [before, after] = [change === 'changed' || change === 'removed', change === 'changed' || change === 'added']
    const isTick = change === 'tick'
    const told = { ...row, change, key: isTick ? null : key, tick: isTick ? tick : null, before, after }
    const gone = cellsOf(schema).filter(({ within }) => within !== undefined && !told[within as 'before' | 'after'])
    return { ...told, ...Object.fromEntries(gone.map(({ name }) => [name, null])) }
  })
}
/** A field of a record within is flat in a row and in columns: `before.amount`. */
const isOfFact = (schema: AvroSchema) => cellsOf(schema).some(({ kind }) => kind === 'record')
const ownName = ({ name }: FieldPlace) => name.replace(/^.*\./, '')

const fieldArb: fc.Arbitrary<Field> = fc
  .tuple(fc.boolean(), fc.integer({ min: 1, max: 38 }), fc.nat(38))
  .chain(([nullable, digits, scale]) =>
    fc.constantFrom<Field>(
      number('N', { nullable }),
      integer({ nullable }),
      decimal({ digits, scale: Math.min(scale, digits), nullable }),
      date('D', { nullable }),
      timestamp({ nullable }),
      flag({ nullable }),
      text('T', { bytes: 64, nullable }),
    ),
  )

/** Changes of a fact of every shape, of one that happens on a day or at a moment. */
const factSchemas = fc.tuple(fc.array(fieldArb, { maxLength: 5 }), fc.boolean()).map(([fields, hours]) => {
  const at = hours ? timestamp({ nullable: false }) : date({ nullable: false })
  const own: Fields = Object.fromEntries([['at', at], ...fields.map((field, i): [string, Field] => [`f${i}`, { ...field, csv: '' }])])
  return inflowSchema(fact('anything', { of: table('things', { key: 'id' }, { id: integer(), ...own }), at: 'at' }, { ...own }))
})

/** Inflow schemas of every shape, of records and facts, the outflow ones of the loan set, and one with what only rare messages have. */
const schemas: fc.Arbitrary<AvroSchema> = fc.oneof(
  fc.array(fieldArb, { maxLength: 6 }).map((fields) => {
    const named: Fields = Object.fromEntries([['at', date('At', { nullable: false })], ...fields.map((field, i) => [`f${i}`, field])])
    return inflowSchema(record('anything', 'at', named))
  }),
  factSchemas,
  fc.constantFrom(inflowSchema(rejectedLoan), rowSchema(v1.definition), rowSchema(v2.definition)),
  fc.constant<AvroSchema>({
    type: 'record',
    name: 'rare',
    fields: [
      { name: 'n', type: ['null', 'int'] },
      { name: 'value', type: 'bytes' },
      { name: 'offset', type: 'long' },
    ],
  }),
)

const schemaAndRows = schemas.chain((schema) => fc.tuple(fc.constant(schema), fc.array(rowOf(schema), { maxLength: 8 })))

/** What only marks a version has no column. */
const columnsIn = (schema: AvroSchema) => cellsOf(schema).filter(({ kind }) => kind !== 'null' && kind !== 'marker')

function wholes(values: readonly (bigint | null)[]): Wholes {
  const column = { values: new Float64Array(values.length).fill(NaN), wide: new Map<number, bigint>() }
  for (const [row, value] of values.entries()) if (value !== null) putWhole(column.values, column.wide, row, value)
  return column
}

function columnsOf(schema: AvroSchema, rows: readonly Row[]): Columns {
  const columnOf = (name: string, kind: string, scale: number): Column => {
    const values = rows.map((row) => row[name]!)
    if (kind === 'integer' || kind === 'timestamp') return { kind, ...wholes(values as (bigint | null)[]) }
    if (kind === 'decimal') return { kind, scale, ...wholes(values as (bigint | null)[]) }
    if (kind === 'flag' || kind === 'record')
      return { kind: 'flag', values: Uint8Array.from(values, (value) => (value === null ? noFlag : Number(value))) }
    if (kind === 'double') return { kind: 'number', values: Float64Array.from(values, (value) => (value === null ? NaN : Number(value))) }
    if (kind === 'long') return { kind: 'long', values: BigInt64Array.from(values as bigint[]) }
    if (kind === 'date') return { kind: 'date', days: Int32Array.from(values, (value) => (value === null ? noDay : Number(value))) }
    if (kind !== 'string' && kind !== 'bytes')
      return { kind: 'int', values: Float64Array.from(values, (value) => (value === null ? NaN : Number(value))) }
    const texts = values.map((value) => Buffer.from(String(value ?? '')))
    let end = 3
    const ends = Int32Array.from(texts, ({ length }) => (end += length))
    const starts = ends.map((one, i) => one - texts[i]!.length)
    const orNull = (place: number, i: number) => (values[i] === null ? -1 : place)
    return { kind: 'text', bytes: Buffer.concat([Buffer.from('abc'), ...texts]), starts: starts.map(orNull), ends: ends.map(orNull) }
  }
  return {
    count: rows.length,
    byName: new Map(columnsIn(schema).map(({ name, column, kind, scale }) => [column, columnOf(name, kind, scale)])),
  }
}

/** Row i of the columns as a plain value per schema field, in the form that `toObject` gives. */
function rowAt(schema: AvroSchema, { byName }: Columns, i: number): Record<string, unknown> {
  const valueOf = (column: Column | undefined, kind: string): unknown => {
    switch (column?.kind) {
      case undefined:
        return null
      case 'number':
      case 'int':
        return Number.isNaN(column.values[i]) ? null : kind === 'seq' ? BigInt(column.values[i]!) : column.values[i]
      case 'long':
        return column.values[i]
      case 'integer':
        return wholeAt(column, i)
      case 'decimal':
        return plainDecimal(wholeAt(column, i), column.scale)
      case 'timestamp':
        return plainMoment(wholeAt(column, i))
      case 'flag':
        return column.values[i] === noFlag ? null : column.values[i] === 1
      case 'date':
        return column.days[i] === noDay ? null : new Date(column.days[i]! * 86_400_000).toISOString().slice(0, 10)
      case 'text': {
        if (column.starts[i] === -1) return null
        const bytes = Buffer.from(column.bytes.subarray(column.starts[i], column.ends[i]))
        return kind === 'bytes' ? bytes : bytes.toString()
      }
    }
  }
  return nested(schema, ({ column, kind }) => valueOf(byName.get(column), kind))
}

/** A value for each field, as avsc has records within records. */
function nested(schema: AvroSchema, valueOf: (cell: FieldPlace) => unknown): Record<string, unknown> {
  const cells = cellsOf(schema)
  const members = (record: string | undefined): Record<string, unknown> =>
    Object.fromEntries(
      cells
        .filter(({ within }) => within === record)
        .map((cell) => [ownName(cell), cell.kind !== 'record' ? valueOf(cell) : valueOf(cell) === true ? members(cell.name) : null]),
    )
  return members(undefined)
}

/** As a division has it. */
function plainDecimal(whole: bigint | null, scale: number): string | null {
  if (whole === null) return null
  const [size, unit] = [whole < 0n ? -whole : whole, 10n ** BigInt(scale)]
  const behind = scale === 0 ? '' : `.${String(unit + (size % unit)).slice(1)}`
  return `${whole < 0n ? '-' : ''}${size / unit}${behind}`
}

/** As a Date has it, which knows milliseconds. */
function plainMoment(micros: bigint | null): string | null {
  if (micros === null) return null
  const below = ((micros % 1000n) + 1000n) % 1000n
  const iso = new Date(Number((micros - below) / 1000n)).toISOString().slice(0, -1)
  return `${`${iso}${String(below).padStart(3, '0')}`.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')}Z`
}

/** The fewest bytes that hold it, the high ones first. */
function bytesOfWhole(whole: bigint): Buffer {
  let bytes = 1
  while (BigInt.asIntN(8 * bytes, whole) !== whole) bytes++
  return Buffer.from(
    BigInt.asUintN(8 * bytes, whole)
      .toString(16)
      .padStart(2 * bytes, '0'),
    'hex',
  )
}

const payloadOf = (schema: AvroSchema, row: Row) => encodeObject(schema, plainRow(schema, row))

const plainRow = (schema: AvroSchema, row: Row) =>
  nested(schema, ({ name, kind }) => {
    const value = row[name]!
    if (kind === 'bytes') return Buffer.from(String(value))
    return kind === 'decimal' && value !== null ? bytesOfWhole(value as bigint) : value
  })
const batchOf = (messages: readonly Uint8Array[], before = 0): Batch => {
  let end = 0
  const ends = Uint32Array.from(messages, ({ length }) => (end += length))
  // Not at the start of its memory, as a batch that was read from a file.
  const bytes = new Uint8Array(Buffer.concat([Buffer.alloc(before), ...messages])).subarray(before)
  return { bytes, ends }
}
const messagesOf = ({ bytes, ends }: Batch) => Array.from(ends, (end, i) => Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1], end)))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('the columnar encoder', () => {
  it('writes the bytes that avsc writes', () =>
    fc.assert(
      fc.property(schemaAndRows, ([schema, rows]) => {
        const batch = encoder(schema, id)(columnsOf(schema, rows))
        expect(messagesOf(batch).map(hex)).toEqual(rows.map((row) => hex(frame(id, payloadOf(schema, row)))))
        expect(batch.bytes.length).toBe(batch.ends.at(-1) ?? 0)
      }),
      { numRuns: 200 },
    ))

  it('writes the chosen rows only, in the order chosen', () =>
    fc.assert(
      fc.property(
        schemaAndRows.filter(([, rows]) => rows.length > 0),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.nat(8),
        ([schema, rows], picks, from) => {
          const encode = encoder(schema, id)
          const columns = columnsOf(schema, rows)
          const all = messagesOf(encode(columns)).map(hex)
          const indexes = picks.map((one) => one % rows.length)
          const start = Math.min(from, rows.length)
          expect(messagesOf(encode(columns, Int32Array.from(indexes))).map(hex)).toEqual(indexes.map((i) => all[i]))
          expect(messagesOf(encode(columns, { from: start, to: rows.length })).map(hex)).toEqual(all.slice(start))
        },
      ),
    ))

  const nullable = false
  const strict = inflowSchema(
    record('strict', 'at', {
      at: date('At', { nullable }),
      n: number('N', { nullable }),
      t: text('T', { bytes: 9, nullable }),
      i: integer({ nullable }),
      d: decimal({ digits: 5, scale: 2, nullable }),
      m: timestamp({ nullable }),
      f: flag({ nullable }),
    }),
  )
  const good: Row = { seq: 1, at: 14000, n: 5, t: 'x', i: 2n ** 63n - 1n, d: -99_999n, m: lastMicros, f: false }
  it.each<[string, Row]>([
    ['null in a field that has none', { ...good, n: null }],
    ['a missing date', { ...good, at: null }],
    ['a missing text', { ...good, t: null }],
    ['infinity', { ...good, n: Infinity }],
    ['a day that no date can write', { ...good, at: lastDay + 1 }],
    ['a missing integer', { ...good, i: null }],
    ['a missing decimal', { ...good, d: null }],
    ['a missing moment', { ...good, m: null }],
    ['a missing flag', { ...good, f: null }],
    ['an integer beyond 64 bits', { ...good, i: 2n ** 63n }],
    ['a decimal of more digits', { ...good, d: 100_000n }],
    ['a moment before the year 1', { ...good, m: firstMicros - 1n }],
    ['a moment behind the year 9999', { ...good, m: lastMicros + 1n }],
    ['a position that is no whole number', { ...good, seq: 1.5 }],
    ['a position beyond 2^53', { ...good, seq: 2 ** 53 }],
  ])('takes %s for a bug', (_, row) => {
    expect(() => encoder(strict, id)(columnsOf(strict, [good, row]))).toThrow(/row 1/)
    expect(() => encoder(strict, id)(columnsOf(strict, [good]))).not.toThrow()
  })

  it('takes a long from either kind of column', () => {
    const schema: AvroSchema = { type: 'record', name: 'r', fields: [{ name: 'offset', type: 'long' }] }
    const values = [0, 1, -1, 2 ** 40, Number.MIN_SAFE_INTEGER]
    const asInt = encoder(schema, id)({ count: 5, byName: new Map([['offset', { kind: 'int', values: Float64Array.from(values) }]]) })
    const asLong = encoder(
      schema,
      id,
    )({ count: 5, byName: new Map([['offset', { kind: 'long', values: BigInt64Array.from(values.map(BigInt)) }]]) })
    expect(hex(asInt.bytes)).toBe(hex(asLong.bytes))
  })

  it('refuses a schema that no column holds', () => {
    for (const type of ['float', ['double', 'null'], ['null', 'float'], { type: 'array', items: 'int' } as never]) {
      expect(() => encoder({ type: 'record', name: 'r', fields: [{ name: 'x', type }] }, id)).toThrow(/field x of r/)
    }
  })
})

describe('the columnar decoder', () => {
  it('reads what avsc reads', () =>
    fc.assert(
      fc.property(schemaAndRows, fc.nat(9), ([schema, rows], before) => {
        const batch = batchOf(
          rows.map((row) => frame(id, payloadOf(schema, row))),
          before,
        )
        const { columns, rows: indexes, bad } = decoder(schema)(batch, 0, rows.length)
        expect([columns.count, [...indexes], bad]).toEqual([rows.length, rows.map((_, i) => i), []])
        for (const [i, message] of messagesOf(batch).entries()) {
          expect(rowAt(schema, columns, i)).toEqual(toObject(schema, message.subarray(headerBytes)))
        }
      }),
      { numRuns: 200 },
    ))

  it('reads the wanted fields only, of the stretch asked for', () =>
    fc.assert(
      fc.property(
        schemaAndRows.chain(([schema, rows]) =>
          fc.tuple(fc.constant(schema), fc.constant(rows), fc.subarray(columnsIn(schema)), fc.nat(8)),
        ),
        ([schema, rows, asked, cut]) => {
          const names = asked.map(ownName)
          // All that is told of a fact's change is there, and its fields both as they were and as they are.
          const wanted = columnsIn(schema).filter((cell) =>
            isOfFact(schema) && cell.within === undefined ? true : names.includes(ownName(cell)),
          )
          const batch = batchOf(rows.map((row) => frame(id, payloadOf(schema, row))))
          const from = Math.min(cut, rows.length)
          const some = decoder(schema, names)(batch, from, rows.length)
          const all = decoder(schema)(batch, 0, rows.length)
          expect([some.columns.count, [...some.rows]]).toEqual([rows.length - from, rows.map((_, i) => i).slice(from)])
          expect([...some.columns.byName.keys()]).toEqual(wanted.map(({ column }) => column))
          for (let i = from; i < rows.length; i++) {
            const chosen = wanted.map(({ column }) => [column, all.columns.byName.get(column)!] as const)
            const expected = rowAt(schema, { count: rows.length, byName: new Map(chosen) }, i)
            expect(rowAt(schema, some.columns, i - from)).toEqual(expected)
          }
        },
      ),
    ))

  it('reads batches of more than one block', () => {
    const schema = inflowSchema(rejectedLoan)
    const rows = Array.from({ length: 1500 }, (_, i): Row => ({
      seq: i + 1,
      amount_requested: i,
      application_date: 14000 + i,
      loan_title: i % 3 ? `title ${i}` : null,
      risk_score: i % 2 ? i : null,
      debt_to_income_ratio: '10%',
      zip_code: null,
      state: 'CA',
      employment_length: '< 1 year',
      policy_code: 0,
    }))
    const messages = rows.map((row) => Buffer.from(frame(id, payloadOf(schema, row))))
    for (const broken of [3, 511, 512, 1100]) messages[broken] = messages[broken]!.subarray(0, 40)
    const { columns, rows: indexes, bad } = decoder(schema)(batchOf(messages), 2, 1500)
    expect(bad.map(({ index }) => index)).toEqual([3, 511, 512, 1100])
    expect(indexes.length).toBe(1494)
    for (const [i, index] of indexes.entries())
      expect(rowAt(schema, columns, i)).toEqual(toObject(schema, messages[index]!.subarray(headerBytes)))
  })

  it('shares the texts of the batch', () => {
    const schema = inflowSchema(rejectedLoan)
    const batch = encoder(schema, id)(columnsOf(schema, fc.sample(rowOf(schema), 2)))
    const title = decoder(schema)(batch, 0, 2).columns.byName.get('loan_title')
    expect(title?.kind === 'text' && title.bytes).toBe(batch.bytes)
  })

  it('refuses to be asked for a field that is not there', () =>
    expect(() => decoder(inflowSchema(rejectedLoan), ['_seq'])).toThrow(/no field _seq/))

  it('rejects every message cut short, beside good ones, and never reads on into the next', () =>
    fc.assert(
      fc.property(
        schemaAndRows.filter(([, rows]) => rows.length > 0),
        ([schema, [row]]) => {
          const whole = Buffer.from(frame(id, payloadOf(schema, row!)))
          // What would complete a cut message follows it at once.
          for (let length = 0; length < Math.min(whole.length, 200); length++) {
            const rest = whole.subarray(length)
            // What begins as a frame does may be one, of a schema with another id: that is not told here.
            if (length > 0 && rest[0] === whole[0] && rest[1] === whole[1]) continue
            const batch = batchOf([whole, whole.subarray(0, length), Buffer.concat([rest, whole]), whole])
            const { columns, rows, bad } = decoder(schema)(batch, 0, 4)
            expect([[...rows], bad.map(({ index }) => index)]).toEqual([
              [0, 3],
              [1, 2],
            ])
            expect(bad[0]!.reason).toMatch(
              /^(it is no plain framed message|it ends within field [\w.]+|field [\w.]+ has a length that does not fit the message)$/,
            )
            expect(rowAt(schema, columns, 1)).toEqual(toObject(schema, whole.subarray(headerBytes)))
          }
        },
      ),
      { numRuns: 40 },
    ))

  const stricter =
    /^field [\w.]+ (is (NaN|-?Infinity|a day outside|beyond)|has a union branch|is longer than|is a moment outside|is a decimal of more than)|^it is no plain|^it says (added|changed|removed|tick), and has|^field change is none of/
  it('takes from damaged messages only what avsc takes too, and whatever the damage does not throw', () =>
    fc.assert(
      fc.property(
        schemaAndRows.filter(([, rows]) => rows.length > 0),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        ([schema, [row]], damages) => {
          const whole = Buffer.from(frame(id, payloadOf(schema, row!)))
          const damaged = Buffer.from(whole)
          for (const [place, byte] of damages) damaged[headerBytes + (place % Math.max(1, whole.length - headerBytes))] = byte
          const { columns, rows, bad } = decoder(schema)(batchOf([whole, damaged.subarray(0, whole.length), whole]), 0, 3)
          expect([rows.length + bad.length, rows[0], rows.at(-1)]).toEqual([3, 0, 2])
          const generic = attempt(() => toObject(schema, damaged.subarray(headerBytes)))
          if (rows.length === 3) expect(rowAt(schema, columns, 1)).toEqual(generic)
          else expect(generic instanceof Unreadable || stricter.test(bad[0]!.reason) ? '' : bad[0]!.reason).toBe('')
        },
      ),
      { numRuns: 1000 },
    ))

  const schema = inflowSchema(record('strict', 'at', { at: date('At', { nullable: false }), n: number('N'), t: text('T', { bytes: 9 }) }))
  const nan = '02000000000000f87f'
  const infinity = '02000000000000f07f'
  it.each([
    ['all of it', '02 02 00 02 0268', undefined, true],
    ['a position written longer than it must be', '8200 02 00 00', undefined, true],
    ['NaN', `02 02 ${nan} 00`, 'field n is NaN'],
    ['infinity', `02 02 ${infinity} 00`, 'field n is Infinity'],
    ['a branch too many', '02 02 04 00', 'field n has a union branch that the schema has not'],
    ['a negative branch', '02 02 01 00', 'field n has a union branch that the schema has not'],
    ['a negative length', '02 02 00 02 01', 'field t has a length that does not fit the message'],
    ['a length beyond the message', '02 02 00 02 0468', 'field t has a length that does not fit the message'],
    ['a length of 2^31 and one', '02 02 00 02 82808080 10 68', 'field t has a length that does not fit the message'],
    ['a number without end', 'ffffffffffffffffffff 01', 'field seq is a number of more than 64 bits'],
    ['a position beyond 2^53', '80808080808080 20 02 00 00', 'field seq is beyond 53 bits'],
    ['a day that stands for null in columns', '02 ffffffff0f 00 00', 'field at is a day outside the years 0 to 9999'],
    ['a day beyond 32 bits', '02 8080808020 00 00', 'field at is a day outside the years 0 to 9999'],
    ['a text longer than its field', '02 02 00 02 14 68686868686868686868', 'field t is longer than 9 bytes'],
    ['text that is not UTF-8', '02 02 00 02 02ff', 'field t is not UTF-8'],
    ['long text that is not UTF-8', '02 02 00 02 0cc3a9c3a9c328', 'field t is not UTF-8'],
    ['bytes behind it', '02 02 00 00 0000', '2 bytes follow its last field'],
    ['nothing', '', 'it ends within field seq'],
  ])('says what is wrong: %s', (_, payload, reason, good = false) => {
    const message = Buffer.concat([frameHeader(id), Buffer.from(payload.replaceAll(' ', ''), 'hex')])
    for (const wanted of [undefined, ['seq'], []]) {
      const { columns, bad } = decoder(schema, wanted)(batchOf([message]), 0, 1)
      expect([columns.count, bad]).toEqual(good ? [1, []] : [0, [{ index: 0, reason }]])
    }
  })

  const exact = inflowSchema(
    record('exact', 'at', {
      at: timestamp({ nullable: false }),
      i: integer({ nullable: false }),
      d: decimal({ digits: 20, scale: 2, nullable: false }),
      f: flag({ nullable: false }),
    }),
  )
  it.each([
    ['all of it', '02 02 02 0202 01', undefined],
    ['an integer of 65 bits', '02 02 80808080808080808002 0202 01', 'field i is a number of more than 64 bits'],
    ['an integer cut short', '02 02 80', 'it ends within field i'],
    ['a moment in the year 0', '02 8180def2dfffdfdc01 02 0202 01', 'field at is a moment outside the years 1 to 9999'],
    ['a moment far off', '02 feffffffffffffffff01 02 0202 01', 'field at is a moment outside the years 1 to 9999'],
    ['a decimal of no bytes', '02 02 02 00 01', 'field d is a decimal of no bytes'],
    ['a decimal of 21 digits', '02 02 02 12 056bc75e2d63100000 01', 'field d is a decimal of more than 20 digits (2 behind the point)'],
    ['a decimal of 20 digits', '02 02 02 12 056bc75e2d630fffff 01', undefined],
    ['a decimal of many bytes', `02 02 02 28 ${'00'.repeat(19)}01 01`, 'field d is a decimal of more than 20 digits (2 behind the point)'],
    ['a decimal beyond the message', '02 02 02 12 01', 'field d has a length that does not fit the message'],
    ['a flag that is 2', '02 02 02 0202 02', 'field f is a flag that is neither true nor false'],
    ['no flag', '02 02 02 0202', 'it ends within field f'],
  ])('says what is wrong: %s, among what is exact', (_, payload, reason) => {
    const message = Buffer.concat([frameHeader(id), Buffer.from(payload.replaceAll(' ', ''), 'hex')])
    const { columns, bad } = decoder(exact)(batchOf([message]), 0, 1)
    expect([columns.count, bad]).toEqual(reason === undefined ? [1, []] : [0, [{ index: 0, reason }]])
  })

  it('says what is wrong with a frame', () => {
    const packed = frame(id, payloadOf(schema, { seq: 1, at: 1, n: null, t: null }), 'zlib')
    const { bad } = decoder(schema)(batchOf([packed, new Uint8Array(0), Buffer.alloc(30, 3)]), 0, 3)
    expect(bad.map(({ reason }) => reason)).toEqual(Array(3).fill('it is no plain framed message'))
  })
})

function attempt<T>(act: () => T): T | Error {
  try {
    return act()
  } catch (error) {
    return error as Error
  }
}

describe('the splicer', () => {
  const inflow = inflowSchema(rejectedLoan)
  const outflow = rowSchema(v2.definition)
  const featureArb = fc.option(valueArbs.double, { freq: 3, nil: NaN })
  const numbers = (values: Float64Array) => ({ kind: 'number', values }) as const

  it('writes what avsc writes for the whole row', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(rowOf(inflow), featureArb, featureArb), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        valueArbs.long,
        fc.nat(1000),
        (all, picks, modified, version) => {
          const source = encoder(
            inflow,
            id,
          )(
            columnsOf(
              inflow,
              all.map(([row]) => row),
            ),
          )
          const indexes = Int32Array.from(all.length === 0 ? [] : picks, (one) => one % all.length)
          const features = [1, 2].map((f) => Float64Array.from(indexes, (i) => all[i]![f as 1 | 2]))
          const spliced = splicer(outflow, otherId)(source, indexes, features.map(numbers), modified, version)
          const null_ = (value: number) => (Number.isNaN(value) ? null : value)
          expect(messagesOf(spliced).map(hex)).toEqual(
            [...indexes].map((i) => {
              const [row, ma50, ma100] = all[i]!
              const added = { _modified_ts: modified, _version: version, ma50: null_(ma50), ma100: null_(ma100), _v2: null }
              return hex(frame(otherId, payloadOf(outflow, { ...row, ...added })))
            }),
          )
        },
      ),
    ))

  const two = encoder(inflow, id)(columnsOf(inflow, fc.sample(rowOf(inflow), { numRuns: 2, seed: 1 })))
  const nothing = [numbers(new Float64Array(2)), numbers(new Float64Array(2))]

  it('keeps the keys of the rows', () => {
    const three = [numbers(new Float64Array(3)), numbers(new Float64Array(3))]
    const { keys } = splicer(outflow, otherId)({ ...two, keys: ['a', 'b'] }, Int32Array.of(1, 0, 1), three, 0n, 2)
    expect(keys).toEqual(['b', 'a', 'b'])
  })

  it('writes a feature beyond every double as null, as no reader takes infinity', () => {
    const spliced = splicer(outflow, otherId)(two, { from: 0, to: 2 }, [numbers(Float64Array.of(Infinity, 1)), nothing[1]!], 0n, 2)
    const { columns, bad } = decoder(outflow)(spliced, 0, 2)
    expect([bad, rowAt(outflow, columns, 0).ma50, rowAt(outflow, columns, 1).ma50]).toEqual([[], null, 1])
  })

  it('takes what does not fit together for a bug', () => {
    const splice = splicer(outflow, otherId)
    expect(() => splice(two, { from: 0, to: 2 }, [nothing[0]!], 0n, 2)).toThrow(/2 features/)
    expect(() => splice(two, { from: 0, to: 2 }, [nothing[0]!, numbers(new Float64Array(1))], 0n, 2)).toThrow(/of 2 values/)
    expect(() => splice(two, Int32Array.of(2), nothing, 0n, 2)).toThrow(/message 2/)
    expect(() => splice(batchOf([frame(id, new Uint8Array(9), 'zlib')]), { from: 0, to: 1 }, nothing, 0n, 2)).toThrow(/message 0/)
    expect(() => splicer(inflow, otherId)).toThrow(/no row schema/)
  })
})

describe('any other schema', () => {
  const to = (fields: AvroSchema['fields']): AvroSchema => ({ type: 'record', name: 'r', fields })
  const logicalLong = { type: 'long', logicalType: 'timestamp-nanos' }

  it('is resolved into ours: promotions, defaults, other order, fields left out', () => {
    const writer = to([
      { name: 'gone', type: { type: 'array', items: 'string' } as never },
      { name: 'b', type: 'string' },
      { name: 'a', type: 'int' },
    ])
    const reader = to([
      { name: 'a', type: 'double' },
      { name: 'b', type: ['null', 'string'], default: null },
      { name: 'c', type: ['null', 'double'], default: null },
    ])
    const payload = resolveTo(writer, reader)(encodeObject(writer, { gone: ['x', 'y'], b: 'é', a: 7 }))
    expect(toObject(reader, payload)).toEqual({ a: 7, b: 'é', c: null })
  })

  it('keeps longs of 64 bits exact, with a logical type and in a union too', () =>
    fc.assert(
      fc.property(valueArbs.long, valueArbs.long, (a, b) => {
        const writer = to([
          { name: 'b', type: ['null', 'long'] },
          { name: 'a', type: logicalLong },
        ])
        const reader = to([
          { name: 'a', type: 'long' },
          { name: 'b', type: ['null', logicalLong], default: null },
        ])
        expect(toObject(reader, resolveTo(writer, reader)(encodeObject(writer, { a, b })))).toEqual({ a, b })
      }),
    ))

  it('that cannot be read as ours is refused with the reason', () => {
    expect(() => resolveTo(to([]), to([{ name: 'a', type: 'int' }]))).toThrow(/no matching field for default-less r.a/)
    expect(() => resolveTo({ ...to([]), name: 's' }, to([]))).toThrow(/cannot be read as the other/)
  })

  it('is read with dates in words', () => {
    const schema = to([
      { name: 'd', type: ['null', { type: 'int', logicalType: 'date' }] },
      { name: 'n', type: 'long' },
    ])
    expect(toObject(schema, encodeObject(schema, { d: 14000, n: 2n ** 60n }))).toEqual({ d: '2008-05-01', n: 2n ** 60n })
    expect(toObject(schema, encodeObject(schema, { d: null, n: 5 }))).toEqual({ d: null, n: 5n })
  })

  const list = (items: unknown) => to([{ name: 'x', type: { type: 'array', items } as never }])
  it.each([
    ['a thousand million items in six bytes', list('null'), 'feffffff0700'],
    ['a negative count of as many, with a size', list('null'), 'ffffffff0f0000'],
    ['as many items that take a byte each', list('int'), 'feffffff0700'],
    ['a map without end', to([{ name: 'x', type: { type: 'map', values: 'int' } as never }]), '02'],
    ['an enum symbol too many', to([{ name: 'x', type: { type: 'enum', name: 'e', symbols: ['A'] } as never }]), '02'],
    ['a fixed cut short', to([{ name: 'x', type: { type: 'fixed', name: 'f', size: 4 } as never }]), '000000'],
    ['a branch too many', to([{ name: 'x', type: ['null', 'int', 'string'] }]), '06'],
    ['a text that is not UTF-8', to([{ name: 'x', type: 'string' }]), '02ff'],
    ['a text cut short', to([{ name: 'x', type: 'string' }]), '0868'],
    ['a text of negative length', to([{ name: 'x', type: 'string' }]), '0168'],
    ['bytes behind it', to([{ name: 'x', type: 'int' }]), '0200'],
    ['a number without end', to([{ name: 'x', type: 'long' }]), 'ffffffffffffffffffff01'],
    ['a number of 65 bits', to([{ name: 'x', type: 'long' }]), 'ffffffffffffffffff02'],
    ['an int of 33 bits', to([{ name: 'x', type: 'int' }]), '8080808020'],
  ])('does not believe %s', (_, schema, payload) => {
    expect(() => resolveTo(schema, schema)(Buffer.from(payload, 'hex'))).toThrow(Unreadable)
    expect(() => toObject(schema, Buffer.from(payload, 'hex'))).toThrow(Unreadable)
  })

  it('reads maps, enums, arrays in several blocks, and records within themselves', () => {
    const tree = parseSchema(
      JSON.stringify({
        type: 'record',
        name: 'r',
        fields: [
          { name: 'k', type: { type: 'enum', name: 'e', symbols: ['A', 'B'] } },
          { name: 'm', type: { type: 'map', values: 'double' } },
          { name: 'next', type: { type: 'array', items: 'r' } },
          { name: 'f', type: ['float', 'boolean', 'bytes'] },
        ],
      }),
    ) as AvroSchema
    const leaf = { k: 'A', m: {}, next: [], f: true }
    const value = { k: 'B', m: { x: 1.5, é: 2 }, next: [leaf, { ...leaf, next: [leaf] }], f: Buffer.from('xy') }
    expect(toObject(tree, encodeObject(tree, value))).toEqual(value)
    const blocks = list('int')
    expect(toObject(blocks, Buffer.from('0202 0304040600'.replaceAll(' ', ''), 'hex'))).toEqual({ x: [1, 2, 3] })
  })

  it.each([
    ['{', /it is not JSON/],
    ['null', /invalid type: null/],
    ['"nothing"', /undefined type name: nothing/],
    ['{"type":"record","name":"a-b","fields":[]}', /invalid name/],
    ['{"type":"record","name":"r","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]}', /duplicate field name/],
    ['{"type":"record","name":"r","fields":[{"name":"x","type":["null","int"],"default":5}]}', /default/],
  ])('is no schema: %s', (text, reason) => expect(() => parseSchema(text)).toThrow(reason))
})
