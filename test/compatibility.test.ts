/** Compatibility of schemas: a table of changes with the verdict and its reason for each mode, and avsc as the judge of all others. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { v0, v1, v2 } from '../examples/loans/loan-risk.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import type { AvroField, AvroSchema, AvroType } from '../schemas/avro/schema.ts'
import { incompatibilities, type Compatibility } from '../schemas/avro/compatibility.ts'
import { encodeObject, resolveTo, unresolvable } from '../schemas/avro/generic.ts'

const of = (...fields: readonly AvroField[]): AvroSchema => ({ type: 'record', name: 'r', fields })
const reasons = (mode: Compatibility, next: AvroType, ...earlier: readonly AvroType[]) =>
  incompatibilities(mode)(
    JSON.stringify(next),
    earlier.map((one) => JSON.stringify(one)),
  )

const a: AvroField = { name: 'a', type: 'long' }
const b = (type: AvroType): AvroField => ({ name: 'b', type })
const optional = (type: string): AvroField => ({ name: 'b', type: ['null', type], default: null })
const avroDecimal = (precision: number, scale: number) => ({ type: 'bytes', logicalType: 'decimal', precision, scale }) as const
const old = 'rows written before could not be read'
const fresh = 'readers of the version before could not read new rows'

const changes: readonly (readonly [
  change: string,
  before: AvroType,
  next: AvroType,
  backward: readonly string[],
  forward: readonly string[],
])[] = [
  ['nothing', of(a, b('int')), of(a, b('int')), [], []],
  ['another order', of(a, b('int')), of(b('int'), a), [], []],
  ['a field with a default', of(a), of(a, optional('double')), [], []],
  ['a field without', of(a), of(a, b('double')), [`field b was added without a default: ${old}`], []],
  ['a field gone that had a default', of(a, optional('double')), of(a), [], []],
  ['a field gone that had none', of(a, b('double')), of(a), [], [`field b was removed and has no default: ${fresh}`]],
  ['a wider number', of(b('int')), of(b('double')), [], [`field b changed from int to double: ${fresh}`]],
  ['a narrower number', of(b('long')), of(b('int')), [`field b changed from long to int: ${old}`], []],
  ['double from float', of(b('float')), of(b('double')), [], [`field b changed from float to double: ${fresh}`]],
  [
    'text to number',
    of(b('string')),
    of(b('double')),
    [`field b changed from string to double: ${old}`],
    [`field b changed from string to double: ${fresh}`],
  ],
  ['text to bytes', of(b('string')), of(b('bytes')), [], []],
  ['now nullable', of(b('double')), of(optional('double')), [], [`field b changed from double to nullable double: ${fresh}`]],
  ['not nullable any more', of(optional('double')), of(b('double')), [`field b changed from nullable double to double: ${old}`], []],
  [
    'nullable and wider',
    of(optional('int')),
    of(optional('double')),
    [],
    [`field b changed from nullable int to nullable double: ${fresh}`],
  ],
  [
    'a branch more',
    of(b(['null', 'int'])),
    of(b(['null', 'int', 'string'])),
    [],
    [`field b changed from nullable int to a union of null and int and string: ${fresh}`],
  ],
  [
    'a date that was a text',
    of(b('string')),
    of(b({ type: 'int', logicalType: 'date' })),
    [`field b changed from string to date: ${old}`],
    [`field b changed from string to date: ${fresh}`],
  ],
  [
    'a decimal of another scale',
    of(b(avroDecimal(12, 2))),
    of(b(['null', avroDecimal(12, 3)])),
    [`field b changed from decimal(12, 2) to nullable decimal(12, 3): ${old}`],
    [`field b changed from decimal(12, 2) to nullable decimal(12, 3): ${fresh}`],
  ],
  [
    'a moment that was an integer',
    of(b('long')),
    of(b({ type: 'long', logicalType: 'timestamp-micros' })),
    [`field b changed from long to timestamp-micros: ${old}`],
    [`field b changed from long to timestamp-micros: ${fresh}`],
  ],
  [
    'a nullable decimal',
    of(b(avroDecimal(12, 2))),
    of(b(['null', avroDecimal(12, 2)])),
    [],
    [`field b changed from decimal(12, 2) to nullable decimal(12, 2): ${fresh}`],
  ],
  ['an attribute', of(a), of({ ...a, tidemark: { csv: 'A' } }), [], []],
  [
    'another name of the record',
    of(a),
    { ...of(a), name: 's' },
    [`the record is called s in one schema and r in the other: ${old}`],
    [`the record is called r in one schema and s in the other: ${fresh}`],
  ],
  [
    'another namespace',
    of(a),
    { ...of(a), namespace: 'n' },
    [`the record is called n.r in one schema and r in the other: ${old}`],
    [`the record is called r in one schema and n.r in the other: ${fresh}`],
  ],
  [
    'another name with an alias',
    of(a),
    of({ name: 'x', type: 'long', aliases: ['a'] } as AvroField),
    [],
    [`field a was removed and has no default: ${fresh}`],
  ],
  [
    'no record any more',
    of(a),
    'string',
    [`the schema changed from a record r to string: ${old}`],
    [`the schema changed from a record r to string: ${fresh}`],
  ],
  [
    'a primitive',
    'string',
    'double',
    [`the schema changed from string to double: ${old}`],
    [`the schema changed from string to double: ${fresh}`],
  ],
  [
    'another name of a record within',
    of(b({ ...of(a), name: 'i' })),
    of(b({ ...of(a), name: 'j' })),
    [`the record in field b is called j in one schema and i in the other: ${old}`],
    [`the record in field b is called i in one schema and j in the other: ${fresh}`],
  ],
  [
    'a record for a number',
    of(b('int')),
    of(b({ ...of(a), name: 'i' })),
    [`field b changed from int to a record i: ${old}`],
    [`field b changed from int to a record i: ${fresh}`],
  ],
  [
    'a field within a record',
    of({ name: 'in', type: { ...of(a), name: 'i' } }),
    of({ name: 'in', type: { ...of(a, b('int')), name: 'i' } }),
    [`field in.b was added without a default: ${old}`],
    [],
  ],
  [
    'other items',
    of(b({ type: 'array', items: 'int' } as never)),
    of(b({ type: 'array', items: 'string' } as never)),
    [expect.stringMatching(old)],
    [expect.stringMatching(fresh)],
  ],
  [
    'wider items',
    of(b({ type: 'array', items: 'int' } as never)),
    of(b({ type: 'array', items: 'long' } as never)),
    [],
    [expect.stringMatching(fresh)],
  ],
  [
    'a type named twice',
    of({ name: 'e', type: { type: 'enum', name: 'e', symbols: ['A'] } as never }, { name: 'f', type: 'e' }),
    of({ name: 'e', type: { type: 'enum', name: 'e', symbols: ['A'] } as never }, { name: 'f', type: 'e' }, optional('int')),
    [],
    [],
  ],
  [
    'two things at once',
    of(a, b('string')),
    of({ name: 'a', type: 'int' }, b('double')),
    [`field a changed from long to int: ${old}`, `field b changed from string to double: ${old}`],
    [`field b changed from string to double: ${fresh}`],
  ],
]

describe('a schema after another', () => {
  it.each(changes)('with %s', (_, before, next, backward, forward) => {
    expect(reasons('BACKWARD', next, before)).toEqual(backward)
    expect(reasons('FORWARD', next, before)).toEqual(forward)
    expect(reasons('FULL', next, before)).toEqual([...backward, ...forward])
    expect(reasons('NONE', next, before)).toEqual([])
  })

  it('is compared with the latest one only, or with all when so told', () => {
    const earlier = [of(a, b('string')), of(a)]
    expect(reasons('BACKWARD', of(a, optional('double')), ...earlier)).toEqual([])
    expect(reasons('BACKWARD_ALL', of(a, optional('double')), ...earlier)).toEqual([
      `field b changed from string to nullable double: ${old}`,
    ])
    expect(reasons('FORWARD_ALL', of(b('string')), ...earlier)).toEqual([`field a was removed and has no default: ${fresh}`])
    expect(reasons('FULL', of(a))).toEqual([])
  })

  it('must be one, whatever the mode; what stood before must be too, to be compared', () => {
    for (const mode of ['NONE', 'BACKWARD', 'FULL'] as const)
      expect(incompatibilities(mode)('{', [])).toEqual([expect.stringMatching(/^it is not an Avro schema: it is not JSON/)])
    expect(incompatibilities('BACKWARD')(JSON.stringify(of(a)), ['"x"'])).toEqual([
      'the version before cannot be compared: it is not an Avro schema: undefined type name: x',
    ])
  })

  it('of a feature set is compatible from version to version, both ways', () => {
    const rows = [v0, v1, v2].map(({ definition }) => rowSchema(definition))
    expect(reasons('FULL_ALL', rows[1]!, rows[0]!)).toEqual([])
    expect(reasons('FULL_ALL', rows[2]!, rows[0]!, rows[1]!)).toEqual([])
  })

  const primitive = fc.constantFrom('boolean', 'int', 'long', 'float', 'double', 'bytes', 'string')
  const types = fc.oneof<fc.Arbitrary<AvroType>[]>(
    primitive,
    primitive.map((type) => ['null', type]),
    fc.constantFrom<AvroType>({ type: 'int', logicalType: 'date' }, 'null'),
  )
  const fieldsArb = fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), types, fc.boolean()), { selector: ([name]) => name, maxLength: 4 })
    .map((fields) =>
      of(...fields.map(([name, type, hasDefault]) => (hasDefault && Array.isArray(type) ? { name, type, default: null } : { name, type }))),
    )

  it('is refused exactly when avsc cannot resolve it, and every reason is in our own words', () =>
    fc.assert(
      fc.property(fieldsArb, fieldsArb, (before, next) => {
        const backward = reasons('BACKWARD', next, before)
        const forward = reasons('FORWARD', next, before)
        expect([backward.length > 0, forward.length > 0]).toEqual([
          unresolvable(before, next) !== undefined,
          unresolvable(next, before) !== undefined,
        ])
        for (const reason of [...backward, ...forward])
          expect(reason).toMatch(/^field [abcd] (was added without a default|was removed and has no default|changed from .+ to .+): /)
      }),
      { numRuns: 500 },
    ))

  it('that is accepted does read what was written before', () => {
    const [before, next] = [of(a, b('int')), of(b('double'), { name: 'c', type: ['null', 'string'], default: null })]
    expect(reasons('BACKWARD', next, before)).toEqual([])
    expect(resolveTo(before, next)(encodeObject(before, { a: 1, b: 2 }))).toEqual(encodeObject(next, { b: 2, c: null }))
  })
})
