/** The row schema carries the definition there and back; fingerprints; and the released versions, which never change. */
import fc from 'fast-check'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { OperatorSpec } from '../feature-defs/define-operator.ts'
import type { NamedFeature } from '../feature-defs/feature-set.ts'
import { featureFingerprint, versionFingerprint } from '../feature-defs/fingerprint.ts'
import { operators, windowsOf } from '../feature-defs/known-operators.ts'
import { count, ema, featureSet, max, mean, type Definition } from '../feature-defs/language.ts'
import { loanRisk2007, v0, v1, v2 } from '../examples/loans/loan-risk.ts'
import { definitionOf, rowSchema } from '../feature-defs/row-schema.ts'
import { inflowSchema, recordOf, type AvroSchema } from '../schemas/avro/schema.ts'
import { encodeObject, parseSchema, resolveTo, toObject } from '../schemas/avro/generic.ts'
import { date, number, record, text, type Fields, type RecordSchema } from '../schemas/record.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { sqlColumns } from '../schemas/sql.ts'
import { fingerprints, fingerprintsPath, released, releasedSchemas, update } from './golden/update.ts'

const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

const headings = fc.string({ maxLength: 20 })
const fieldArb = fc
  .tuple(fc.constantFrom('number', 'date', 'text'), headings, fc.boolean(), fc.integer({ min: 1, max: 65535 }))
  .map(([kind, csv, nullable, bytes]) =>
    kind === 'number' ? number(csv, { nullable }) : kind === 'date' ? date(csv, { nullable }) : text(csv, { bytes, nullable }),
  )
const recordArb: fc.Arbitrary<RecordSchema> = fc
  .tuple(fc.stringMatching(/^[a-z][a-zA-Z0-9_]{0,9}$/), fc.array(fieldArb, { maxLength: 5 }), fc.nat(5))
  .map(([name, fields, place]) => {
    const all: [string, Fields[string]][] = fields.map((field, i) => [`f${i}`, field])
    all.splice(Math.min(place, all.length), 0, ['at', date('At', { nullable: false })], ['x', number('X')])
    return record(name, 'at', Object.fromEntries(all))
  })

const round = fc.option(fc.nat(15), { nil: undefined }).map((decimals) => (decimals === undefined ? {} : { round: decimals }))
const size = fc.integer({ min: 1, max: 1_000_000 })
/** By any of the operators, over any of its windows, of any field that it takes. */
const specArb = (of: RecordSchema): fc.Arbitrary<OperatorSpec> =>
  fc.oneof(
    ...operators.flatMap((operator) => {
      const fields = Object.keys(of.fields).filter((name) => operator.takes.kinds.some((kind) => kind === of.fields[name]!.kind))
      return windowsOf(operator).map((window) =>
        fc
          .tuple(fc.constantFrom(...fields), size, round)
          .map(([field, n, rounded]) => ({ op: operator.op, of: field, [window]: n, ...rounded }) as OperatorSpec),
      )
    }),
  )
/** Names that tables and views of other sets could have are refused, and tested elsewhere. */
const setNames = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/).filter((name) => !/(_v\d+|_rows)$|^tidemark_/.test(name))
const featureNames = fc.stringMatching(/^[g-z][a-z0-9_]{1,9}$/).filter((name) => name !== 'seq')
const definitions: fc.Arbitrary<Definition> = recordArb.chain((of) =>
  fc.record({
    set: setNames,
    version: fc.nat(40),
    record: fc.constant(of),
    per: fc.option(fc.constantFrom(...Object.keys(of.fields))),
    batchOnly: fc.boolean(),
    features: fc.uniqueArray(fc.record({ name: featureNames, spec: specArb(of) }), {
      selector: ({ name }) => name,
      minLength: 1,
      maxLength: 5,
    }),
  }),
)

const shuffled = (definition: Definition) =>
  fc.shuffledSubarray([...definition.features], { minLength: definition.features.length }).map((features) => ({ ...definition, features }))
const reversedKeys = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).reverse()) as T
const printOf = (definition: Definition, name: string) =>
  featureFingerprint(
    definition,
    definition.features.find((feature) => feature.name === name)!,
  )

describe('the inflow schema', () => {
  it('gives back the record it was made of', () =>
    fc.assert(
      fc.property(recordArb, (of) => {
        const back = recordOf(throughJson(inflowSchema(of)))
        expect(back).toEqual(of)
        expect(Object.keys(back.fields)).toEqual(Object.keys(of.fields))
      }),
    ))

  it('of a loan has the position and the nine columns, as the contract says', () =>
    expect(inflowSchema(rejectedLoan).fields.map(({ name, type }) => `${name} ${JSON.stringify(type)}`)).toEqual([
      'seq "long"',
      'amount_requested "double"',
      'application_date {"type":"int","logicalType":"date"}',
      'loan_title ["null","string"]',
      'risk_score ["null","double"]',
      'debt_to_income_ratio ["null","string"]',
      'zip_code ["null","string"]',
      'state ["null","string"]',
      'employment_length ["null","string"]',
      'policy_code ["null","double"]',
    ]))

  const fields = { at: date('At', { nullable: false }) }
  it.each([
    ['a field called seq', () => record('r', 'at', { ...fields, seq: number('Seq') }), /called seq/],
    ['a name kept for the engine', () => record('r', 'at', { ...fields, _version: number('V') }), /_version is no name/],
    ['a name that Avro refuses', () => record('r', 'at', { ...fields, 'zip-code': number('Z') }), /zip-code is no name/],
    ['a record name that Avro refuses', () => record('r s', 'at', fields), /r s is no name/],
    ['an event date that is none', () => record('r', 'n', { ...fields, n: number('N') }), /n, which should say when it happened/],
  ])('refuses %s', (_, make, reason) => expect(() => inflowSchema(make())).toThrow(reason))

  it.each<[string, unknown]>([
    ['a primitive', 'string'],
    [
      'a record of another maker',
      {
        type: 'record',
        name: 'r',
        fields: [
          { name: 'seq', type: 'long' },
          { name: 'x', type: 'double' },
        ],
        tidemark: { at: 'x' },
      },
    ],
    ['a record without the position', { ...inflowSchema(rejectedLoan), fields: inflowSchema(rejectedLoan).fields.slice(1) }],
    ['a record without its event date', { ...inflowSchema(rejectedLoan), tidemark: {} }],
  ])('is not found in %s', (_, avro) => expect(() => recordOf(avro as AvroSchema)).toThrow(/does not describe a record/))

  it('has its SQL columns beside it', () =>
    expect(sqlColumns(rejectedLoan).slice(0, 4)).toEqual([
      { name: 'amount_requested', type: 'double' },
      { name: 'application_date', type: 'date' },
      { name: 'loan_title', type: { varchar: 1024 } },
      { name: 'risk_score', type: 'double' },
    ]))
})

describe('the row schema', () => {
  it('gives back the definition it was made of', () =>
    fc.assert(
      fc.property(definitions, (definition) => {
        const schema = rowSchema(definition)
        const back = definitionOf(throughJson(schema))
        expect(back).toEqual(definition)
        expect(Object.keys(back!.record.fields)).toEqual(Object.keys(definition.record.fields))
        expect(rowSchema(back!)).toEqual(schema)
        parseSchema(JSON.stringify(schema))
      }),
    ))

  it('begins with the inflow fields, so that their bytes can be taken over, and ends with the marker', () =>
    fc.assert(
      fc.property(definitions, (definition) => {
        const inflow = inflowSchema(definition.record).fields
        const { fields } = rowSchema(definition)
        expect(fields.slice(0, inflow.length)).toEqual(inflow)
        expect(fields.slice(inflow.length).map(({ name }) => name)).toEqual([
          '_modified_ts',
          '_version',
          ...definition.features.map(({ name }) => name),
          `_v${definition.version}`,
        ])
        expect(fields.at(-1)).toEqual({ name: `_v${definition.version}`, type: ['null', 'int'], default: null })
      }),
    ))

  it('has no room for a feature called seq', () =>
    expect(() => rowSchema(featureSet({ name: 's', of: rejectedLoan }, { seq: mean('risk_score', { last: 5 }) }).definition)).toThrow(
      /called seq/,
    ))

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'string'],
    ['a number', 5],
    ['an inflow schema', inflowSchema(rejectedLoan)],
    ['a foreign record', { type: 'record', name: 'r', fields: [] }],
    ['one whose attributes were dropped', { ...rowSchema(v1.definition), tidemark: undefined }],
  ])('is not seen in %s', (_, avro) => expect(definitionOf(avro)).toBeUndefined())

  const schema = rowSchema(v1.definition)
  const altered = (name: string, attributes: object): AvroSchema => ({
    ...schema,
    fields: schema.fields.map((field) => (field.name === name ? { ...field, tidemark: { ...field.tidemark, ...attributes } } : field)),
  })
  it.each<[string, unknown, RegExp]>([
    ['another window', altered('ma50', { last: 51 }), /loan_risk@1: feature ma50 does not match its fingerprint/],
    ['another rounding', altered('ma100', { round: 2 }), /feature ma100 does not match/],
    [
      'a feature under another name',
      { ...schema, fields: schema.fields.map((field) => (field.name === 'ma100' ? { ...field, name: 'ma99' } : field)) },
      /its definition does not match/,
    ],
    ['another key', { ...schema, tidemark: { ...schema.tidemark, per: 'state' } }, /does not match its fingerprint/],
    ['an operator of the future', altered('ma50', { op: 'median' }), /not know \(op median\)/],
    ['an operator that every object has', altered('ma50', { op: 'constructor' }), /not know \(op constructor\)/],
    ['an option of the future', altered('ma50', { where: 'state = CA' }), /not know \(where\)/],
    ['two windows', altered('ma50', { days: 5 }), /not know/],
    ['no window to speak of', altered('ma50', { last: 0 }), /its window is 0/],
    ['a field that is not there', altered('ma50', { of: 'county' }), /no field county/],
  ])('with %s is refused rather than run', (_, avro, reason) => expect(() => definitionOf(throughJson(avro))).toThrow(reason))
})

describe('a fingerprint', () => {
  it('does not hang on the order of features, on their names, on the set or on the version', () =>
    fc.assert(
      fc.property(
        definitions.chain((definition) => fc.tuple(fc.constant(definition), shuffled(definition))),
        ([definition, moved]) => {
          expect(versionFingerprint(moved)).toBe(versionFingerprint(definition))
          const elsewhere: Definition = {
            ...reversedKeys(moved),
            set: 'other',
            version: 77,
            batchOnly: !moved.batchOnly,
            features: moved.features.map(({ name, spec }): NamedFeature => ({ spec: reversedKeys(spec), name: `${name}_x` })),
          }
          for (const { name } of definition.features) expect(printOf(elsewhere, `${name}_x`)).toBe(printOf(definition, name))
        },
      ),
    ))

  it('does not hang on columns of a CSV or of a table, nor on fields that the feature does not read', () => {
    const narrow = {
      ...v1.definition,
      record: {
        ...rejectedLoan,
        name: 'loan',
        fields: { risk_score: number('score'), application_date: rejectedLoan.fields.application_date },
      },
    }
    expect(printOf(narrow, 'ma50')).toBe(printOf(v1.definition, 'ma50'))
    const renamed = Object.fromEntries(
      Object.entries(rejectedLoan.fields).map(([name, field]) => [name, { ...field, csv: `${field.csv}?` }]),
    )
    expect(versionFingerprint({ ...v1.definition, record: { ...rejectedLoan, fields: renamed } })).toBe(versionFingerprint(v1.definition))
  })

  it('changes with all that values depend on', () => {
    const of = rejectedLoan
    const base = featureSet({ name: 's', of }, { x: mean('risk_score', { last: 50, round: 3 }) }).definition
    const variants: readonly Definition[] = [
      base,
      featureSet({ name: 's', of }, { x: mean('risk_score', { last: 51, round: 3 }) }).definition,
      featureSet({ name: 's', of }, { x: mean('risk_score', { days: 50, round: 3 }) }).definition,
      featureSet({ name: 's', of }, { x: mean('risk_score', { last: 50, round: 2 }) }).definition,
      featureSet({ name: 's', of }, { x: mean('risk_score', { last: 50 }) }).definition,
      featureSet({ name: 's', of }, { x: mean('policy_code', { last: 50, round: 3 }) }).definition,
      featureSet({ name: 's', of }, { x: max('risk_score', { last: 50, round: 3 }) }).definition,
      featureSet({ name: 's', of }, { x: ema('risk_score', { span: 50, round: 3 }) }).definition,
      featureSet({ name: 's', of, per: 'state' }, { x: mean('risk_score', { last: 50, round: 3 }) }).definition,
      featureSet({ name: 's', of }, { x: count('risk_score', { last: 50, round: 3 }) }).definition,
      {
        ...featureSet({ name: 's', of }, { x: count('risk_score', { last: 50, round: 3 }) }).definition,
        record: { ...of, fields: { ...of.fields, risk_score: text('Risk_Score', { bytes: 9 }) } },
      },
    ]
    expect(new Set(variants.map((definition) => printOf(definition, 'x'))).size).toBe(variants.length)
    expect(new Set(variants.map(versionFingerprint)).size).toBe(variants.length)
    expect(new Set([base, { ...base, set: 't' }, { ...base, version: 1 }, { ...base, batchOnly: true }].map(versionFingerprint)).size).toBe(
      4,
    )
  })

  it('of a window of days hangs on the event date too, of a window of records not', () => {
    const dates = record('r', 'a', { a: date('A', { nullable: false }), b: date('B', { nullable: false }), n: number('N') })
    const make = (at: 'a' | 'b', window: { last: number } | { days: number }) =>
      printOf({ ...featureSet({ name: 's', of: dates }, { x: mean('n', window) }).definition, record: { ...dates, at } }, 'x')
    expect(make('a', { days: 5 })).not.toBe(make('b', { days: 5 }))
    expect(make('a', { last: 5 })).toBe(make('b', { last: 5 }))
  })

  it('changes when a field of the record is added, moved or may be null', () => {
    const { fields } = rejectedLoan
    const { policy_code, ...rest } = fields
    const variants: readonly Fields[] = [
      fields,
      rest,
      { policy_code, ...rest },
      { ...fields, amount_requested: number('Amount Requested') },
    ]
    expect(new Set(variants.map((some) => versionFingerprint({ ...v1.definition, record: { ...rejectedLoan, fields: some } }))).size).toBe(
      4,
    )
  })
})

describe('the released versions', () => {
  const root = join(import.meta.dirname, '..')
  const advice = 'new releases are added by: node test/golden/update.ts'

  it('have the fingerprints they were released with', () =>
    expect(fingerprints(), advice).toEqual(JSON.parse(readFileSync(join(root, fingerprintsPath), 'utf8'))))

  it.each(releasedSchemas())('have the schema of %s', (path, text) => expect(text, advice).toBe(readFileSync(join(root, path), 'utf8')))

  it('all stand in the definitions file, none skipped', () => {
    for (const definitions of Map.groupBy(released, ({ set }) => set).values())
      expect(definitions.map(({ version }) => version)).toEqual([...definitions.keys()])
    expect(released).toEqual(expect.arrayContaining([v0, v1, v2, loanRisk2007].map(({ definition }) => definition)))
  })

  it('inherit from each other what means the same, under whatever name', () => {
    expect(printOf(v1.definition, 'ma50')).toBe(printOf(v0.definition, 'ma50'))
    expect(printOf(v2.definition, 'ma100')).toBe(printOf(v1.definition, 'ma100'))
    expect(printOf(v2.definition, 'ma50')).not.toBe(printOf(v1.definition, 'ma50'))
    expect(printOf(loanRisk2007.definition, 'riskscorema50')).toBe(printOf(v0.definition, 'ma50'))
  })

  const textOf = (version: number) => readFileSync(join(root, `schemas/released/loan_risk.v${version}.avsc`), 'utf8')
  const files = [0, 1, 2].map((version) => parseSchema(textOf(version)) as AvroSchema)
  it.each([
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 1],
    [1, 2],
    [2, 2],
  ])('written by version %i are read by version %i', (writer, reader) => {
    const loan = {
      seq: 7,
      amount_requested: 1000,
      application_date: 14000,
      loan_title: 'é',
      risk_score: 611,
      debt_to_income_ratio: '10%',
      zip_code: null,
      state: 'CA',
      employment_length: null,
      policy_code: 0,
    }
    const row = {
      ...loan,
      _modified_ts: 1_700_000_000_123_456_789n,
      _version: writer,
      ma50: 305.5,
      ...(writer > 0 && { ma100: 371 }),
      [`_v${writer}`]: null,
    }
    const payload = resolveTo(files[writer]!, files[reader]!)(encodeObject(files[writer]!, row))
    expect(toObject(files[reader]!, payload)).toEqual({
      ...loan,
      seq: 7n,
      application_date: '2008-05-01',
      _modified_ts: 1_700_000_000_123_456_789n,
      _version: writer,
      ma50: 305.5,
      ...(reader > 0 && { ma100: writer > 0 ? 371 : null }),
      [`_v${reader}`]: null,
    })
  })

  it('are told apart by the canonical form too, in which attributes are gone', () => {
    const bare = files.map(({ fields }) => JSON.stringify(fields.map(({ name, type }) => [name, type])))
    expect(new Set(bare).size).toBe(3)
  })
})

describe('the golden files', () => {
  const folders: string[] = []
  const folder = () => folders[folders.push(mkdtempSync(join(tmpdir(), 'golden-'))) - 1]!
  afterAll(() => folders.forEach((one) => rmSync(one, { recursive: true })))
  const paths = [fingerprintsPath, ...releasedSchemas().map(([path]) => path)]

  it('are made where they are missing, and once', () => {
    const root = folder()
    expect(update(root)).toHaveLength(releasedSchemas().length + released.length)
    for (const path of paths)
      expect(readFileSync(join(root, path), 'utf8')).toBe(readFileSync(join(import.meta.dirname, '..', path), 'utf8'))
    expect(update(root)).toEqual([])
  })

  it.each(paths)('are never changed: %s', (path) => {
    const root = folder()
    mkdirSync(dirname(join(root, path)), { recursive: true })
    copyFileSync(join(import.meta.dirname, '..', path), join(root, path))
    const other = readFileSync(join(root, path), 'utf8').replaceAll(/[0-9a-f]{16}|"double"/g, (was) =>
      was === '"double"' ? '"float"' : '0123456789abcdef',
    )
    writeFileSync(join(root, path), other)
    expect(() => update(root)).toThrow(/is released and the code now gives another/)
    expect(readFileSync(join(root, path), 'utf8')).toBe(other)
    expect(paths.filter((one) => one !== path).some((one) => attempt(() => readFileSync(join(root, one))))).toBe(false)
  })

  it('keep releases that the code has no more', () => {
    const root = folder()
    update(root)
    const kept = { 'loan_risk@99': { version: '0123456789abcdef', features: {} }, ...fingerprints() }
    writeFileSync(join(root, fingerprintsPath), JSON.stringify(kept))
    rmSync(join(root, releasedSchemas()[0]![0]))
    expect(update(root)).toEqual([releasedSchemas()[0]![0]])
    expect(JSON.parse(readFileSync(join(root, fingerprintsPath), 'utf8'))).toEqual(kept)
  })
})

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}
