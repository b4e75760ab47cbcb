/** Expressions of `sql` fields: what they refuse, what they give, and the fields that are made by them. */
import { describe, expect, it } from 'vitest'
import { versionFingerprint } from '../feature-defs/fingerprint.ts'
import { count, featureSet, sum } from '../feature-defs/language.ts'
import { inflowSchema, recordOf } from '../schemas/avro/schema.ts'
import { readCsv, type CsvBatch } from '../schemas/csv/read.ts'
import { assigned } from '../schemas/expressions/assigned.ts'
import { expression } from '../schemas/expressions/expression.ts'
import type { Kind, Target } from '../schemas/expressions/kind.ts'
import { date, decimal, flag, integer, number, record, text } from '../schemas/record.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory } from './driver/in-memory.ts'
import { mustBeDone, streamed } from './memory-steps.ts'

const scope = new Map<string, Kind>([
  ['quantity', { kind: 'integer' }],
  ['price', { kind: 'decimal', scale: 2 }],
  ['weight', { kind: 'number' }],
  ['name', { kind: 'text' }],
  ['issued', { kind: 'date' }],
  ['dateIssued', { kind: 'date' }],
  ['seen', { kind: 'timestamp' }],
  ['paid', { kind: 'flag' }],
  ['sku.price', { kind: 'decimal', scale: 2 }],
])

const problemOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
  return 'none'
}
const refusal = (sql: string) => problemOf(() => expression('amount', sql, scope))

describe('an expression', () => {
  it.each([
    ['quantty * 2', 'quantty, at character 1: there is no column quantty. There are quantity, price,'],
    ['2 * sku.cost', 'sku.cost, at character 5: there is no column sku.cost'],
    ['"Quantity" + 1', '"Quantity", at character 1: there is no column Quantity'],
    ['quantity + name', 'name, at character 12: + cannot have an integer and a text together'],
    ["issued > '2024-01-01'", "'2024-01-01', at character 10: > cannot have a date and a text together"],
    ['issued + issued', 'issued + issued, at character 1: + does not go with a date'],
    ['seen - seen', 'seen - seen, at character 1: - does not go with a timestamp'],
    ['paid and quantity', 'quantity, at character 10: and takes a flag, and this is an integer'],
    ['case when quantity then 1 end', 'quantity, at character 11: case takes a flag, and this is an integer'],
    ["coalesce(price, 'none')", "'none', at character 17: coalesce cannot have a decimal and a text together"],
    ['name || quantity', 'quantity, at character 9: || takes a text'],
    ['price / 2', 'price / 2, at character 1: / stands only in round(x / y, d)'],
    ['round(price / 2 + 1, 2)', 'price / 2, at character 7: / stands only in round(x / y, d)'],
    ['round(quantity / 3, 2)', 'quantity / 3, at character 7: PostgreSQL drops what is behind the point when it divides integers'],
    ['round(weight, 2)', 'weight, at character 7: round takes what is exact, and this is a number, which is a double'],
    ['round(price, quantity)', 'quantity, at character 14: round takes so many digits, 0 to 38'],
    ['round(price)', 'round(price), at character 1: round takes 2 operands'],
    ["name like 'a\\'", "'a\\', at character 11: a pattern that ends in a backslash"],
    ['null + null', 'null + null, at character 1: nothing says of what kind null is'],
    ["date '2023-02-29' - issued", "date '2023-02-29', at character 1: it is no day of the form YYYY-MM-DD"],
    ["seen < timestamp '2024-01-01 24:00'", "timestamp '2024-01-01 24:00', at character 8: it is no moment"],
    ['now()', 'now(), at character 1: that is no part of these expressions'],
    ['issued - current_date', 'current_date, at character 10: that is no part of these expressions'],
    ['quantity::numeric', 'quantity::numeric, at character 1: that is no part'],
    ['quantity in (select 1)', 'select 1, at character 14: that is no part'],
    ['count(distinct name)', 'count(distinct name), at character 1: that is no part'],
    ['lower(name) over ()', 'that is no part'],
    ['quantity in price', 'quantity in price, at character 1: that is no part'],
    ["e'a'", "e'a', at character 1: that is no part"],
    ['name ilike name', 'name ilike name, at character 1: that is no part'],
    ['quantity % 2', 'quantity % 2, at character 1: that is no part'],
    ['paid = name is null', 'name is null, at character 8: it stands in = without parentheses'],
    ['quantity = 1 = paid', 'quantity = 1, at character 1: it stands in = without parentheses'],
    ['quantity-1 * ', 'at the end: that cannot be read'],
    ['quantity +-1-) 2', ') 2, at character 14: that cannot be read'],
    ['1 2', '2, at character 3: that cannot be read'],
    ['', 'at the end: that cannot be read'],
  ])('is refused by its place: %s', (sql, what) => expect(refusal(sql)).toContain(what))

  it.each<readonly [string, Target, string]>([
    [
      'quantity * price',
      { kind: 'decimal', digits: 14, scale: 1, nullable: true },
      'it gives 2 digits behind the point, and the field has 1. Write round(…, d) around it.',
    ],
    ['price', { kind: 'integer', nullable: true }, 'it gives a decimal, and the field is an integer'],
    ['weight', { kind: 'decimal', digits: 14, scale: 2, nullable: true }, 'it gives a number, and the field is a decimal'],
    ['seen', { kind: 'date', nullable: true }, 'it gives a timestamp, and the field is a date'],
    ['quantity', { kind: 'text', bytes: 9, nullable: true }, 'it gives an integer, and the field is a text'],
  ])('is refused where its field would not hold all that it gives: %s', (sql, target, what) =>
    expect(problemOf(() => assigned('amount', sql, scope, target))).toContain(what),
  )

  it('is taken where the field is wider, as PostgreSQL takes it: an integer as a decimal or a number, a date as a timestamp', () => {
    const takes = (sql: string, target: Target) => expect(problemOf(() => assigned('amount', sql, scope, target))).toBe('none')
    takes('quantity', { kind: 'decimal', digits: 20, scale: 2, nullable: true })
    takes('quantity * price', { kind: 'number', nullable: true })
    takes('round(price, 0)', { kind: 'integer', nullable: true })
    takes('issued + 1', { kind: 'timestamp', nullable: true })
    takes('null', { kind: 'flag', nullable: true })
    takes('dateissued', { kind: 'date', nullable: true })
  })
})

/** The value of an expression over one row. */
function valueOf(sql: string, row: Readonly<Record<string, Column>> = {}): string | null {
  const kinds = new Map(Object.entries(row).map(([name, column]) => [name, column as Kind]))
  const { column, bad } = expression('it', sql, kinds).evaluate({ count: 1, byName: new Map(Object.entries(row)) })
  return bad?.get(0) ?? textsOf(column)(0)
}

describe('an expression gives', () => {
  it.each([
    ['0.1 + 0.2', '0.3'],
    ['9007199254740993 * 1', '9007199254740993'],
    ['9223372036854775807 + 1', 'beyond 64 bits'],
    ['-9223372036854775808 - 1', 'beyond 64 bits'],
    ['99999999999999999999.99 * 99999999999999999999.99', '9999999999999999999998000000000000000000.0001'],
    ['9007199254740993 = 9007199254740992', 'false'],
    ['round(2.0 / 3, 4)', '0.6667'],
    ['round(-0.125, 2)', '-0.13'],
    ['round(1.00 / 8, 2)', '0.13'],
    // PostgreSQL rounds the quotient to twenty digits first, and gives 1.
    ['round(49999999999999999999999999 / 100000000000000000000000000.0, 0)', '0'],
    ['round(1.0 / 0, 2)', 'division by zero'],
    ["date '2024-03-01' - date '2024-02-28'", '2'],
    ["date '2024-02-28' + 2", '2024-03-01'],
    ['case when 1 = 0 then round(1.0 / 0, 2) else 7 end', '7.00'],
    ['coalesce(1, 9223372036854775807 + 1)', '1'],
    ['1 = 0 and round(1.0 / 0, 0) = 1', 'false'],
    ['null and 1 = 0', 'false'],
    ['1 in (2, null)', null],
    ['not (null is not null)', 'true'],
    ["'a_c' like 'a\\_c' and not 'abc' like 'a\\_c'", 'true'],
    ["upper('straße')", 'STRASSE'],
    ["lower('ΟΔΟΣ')", 'οδος'],
    ["substr('🌊abc', 0, 3)", '🌊a'],
    ["substr('abc', 2, -1)", 'a text of negative length'],
    ["length('🌊é')", '2'],
    ["trim('  a\t ') || '|'", 'a\t|'],
  ])('%s: %s', (sql, value) => expect(valueOf(sql)).toBe(value))

  it('no product that a double cannot hold, nor a number that is not finite', () => {
    const number = (value: number): Column => ({ kind: 'number', values: Float64Array.of(value) })
    expect(valueOf('x * x', { x: number(1e200) })).toBe('too large for a number')
    expect(valueOf('x * x', { x: number(1e-200) })).toBe('too small for a number')
    expect(valueOf('x * 0', { x: number(1e-200) })).toBe('0')
  })
})

describe('a field made by sql', () => {
  const line = record('line', 'issued', {
    id: integer(),
    quantity: integer(),
    price: decimal({ digits: 12, scale: 2 }),
    amount: decimal({ digits: 6, scale: 2, sql: 'quantity * price' }),
    issued: date({ nullable: false }),
    paid: date(),
    unpaid: flag({ sql: 'paid is null', nullable: false }),
    late: flag({ sql: 'paid - issued > 30' }),
    state: text({ bytes: 6, sql: "case when late_fee > 0 then 'fee' when paid is null then 'open' else 'paid' end" }),
    late_fee: integer({ nullable: false }),
  })
  const file = [
    'paid,late_fee,price,id,issued,quantity',
    ',0,1.50,1,2024-01-01,3',
    '',
    '2024-03-01,0,2.50,2,2024-01-01,4',
    ',0,9999.99,3,2024-01-02,100',
    ',0,x,4,2024-01-01,1',
    '2024-01-06,1,0.10,5,2024-01-05,',
    ',0,0.10,9223372036854775807,2024-01-05,9223372036854775807',
  ].join('\n')

  const read = async (rowsPerBatch?: number) => {
    const batches: CsvBatch[] = []
    async function* chunks() {
      yield Buffer.from(file)
    }
    for await (const batch of readCsv(line, chunks(), { place: 'lines.csv', rowsPerBatch })) batches.push(batch)
    return batches
  }
  const rowsOf = ({ count, byName }: Columns) =>
    Array.from({ length: count }, (_, row) =>
      ['_seq', 'id', 'amount', 'unpaid', 'late', 'state'].map((name) => textsOf(byName.get(name)!)(row)),
    )

  it.each([undefined, 1, 2])(
    'is made when a row of a file is read; a row that has none is a reject with its line and reason (%s a batch)',
    async (size) => {
      const batches = await read(size)
      expect(batches.flatMap(({ columns }) => rowsOf(columns))).toEqual([
        ['1', '1', '4.50', 'true', null, 'open'],
        ['2', '2', '10.00', 'false', 'true', 'paid'],
        ['5', '5', null, 'false', 'false', 'fee'],
      ])
      expect([...batches[0]!.columns.byName.keys()]).toEqual([...Object.keys(line.fields), '_seq'])
      const rejects = batches.flatMap((batch) => batch.rejects)
      expect(rejects.map(({ seq, line: at, column, reason, text: said, afterSeq }) => [seq, at, column, reason, said, afterSeq])).toEqual([
        [3, 5, 'amount', 'more than 6 digits', '3,100,9999.99,2024-01-02,,0', 2],
        [4, 6, 'price', expect.stringContaining('not a'), ',0,x,4,2024-01-01,1', 2],
        [6, 8, 'amount', 'more than 6 digits', '9223372036854775807,9223372036854775807,0.10,2024-01-05,,0', 5],
      ])
    },
  )

  it('has the same values by batch and by stream, and verify proves them', async () => {
    const of = record('line', 'issued', {
      ...line.fields,
      owed: number({ sql: 'case when paid is null then quantity * price else 0 end' }),
    })
    const { definition } = featureSet({ name: 'lines', of }, { owing: sum('owed', { last: 3 }), states: count('state', { last: 3 }) })
    const later = ['', '2025-01-09,0,2.00,7,2025-01-01,1', ',0,3.00,8,2025-01-02,100000', ',0,0.50,9,2025-01-03,5'].join('\n')
    const store = storeInMemory({ set: 'lines', per: null, chain: [definition], text: '' }, 1, file + later)
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2024, 2024] })
    expect(store.rejected.map(({ seq }) => seq)).toEqual([3, 4, 6])
    await streamed(store, [2025, 2025])
    const { views } = await store.look()
    expect(views.get(0)!.map(({ _seq, amount, state, owed, owing, states }) => [_seq, amount, state, owed, owing, states])).toEqual([
      [1, 4.5, 'open', 4.5, 4.5, 1],
      [2, 10, 'paid', 0, 4.5, 2],
      [5, null, 'fee', 0, 4.5, 3],
      [7, 2, 'paid', 0, 0, 3],
      [9, 2.5, 'open', 2.5, 2.5, 3],
    ])
    expect(store.rejected.map(({ seq, reason }) => [seq, reason])).toEqual([[8, 'more than 6 digits']])
    expect(await verify(store.open(), { set: 'lines', version: 0, signal: new AbortController().signal, report: () => {} })).toMatchObject({
      rows: 5,
      differences: 0,
    })
  })

  it('is a part of the schema, which says how it is made, and of the fingerprint of versions', () => {
    expect(recordOf(inflowSchema(line))).toEqual(line)
    const fingerprint = (sql: string) => {
      const of = record('line', 'issued', { ...line.fields, amount: decimal({ digits: 6, scale: 2, sql }) })
      return versionFingerprint(featureSet({ name: 'lines', of }, { states: count('state', { last: 3 }) }).definition)
    }
    expect(fingerprint('quantity * price')).not.toBe(fingerprint('price * quantity'))
  })

  it.each([
    [
      'both from and sql',
      () => record('line', 'issued', { ...line.fields, amount: decimal({ digits: 6, scale: 2, from: 'Amount', sql: 'price' }) }),
    ],
    [
      "amount of line: sql 'amount * 2': amount, at character 1: there is no column amount",
      () => record('line', 'issued', { ...line.fields, amount: decimal({ digits: 6, scale: 2, sql: 'amount * 2' }) }),
    ],
    [
      'which says when it happened, has sql',
      () => record('line', 'issued', { ...line.fields, issued: date({ nullable: false, sql: 'paid' }) }),
    ],
    [
      "state of line: sql 'late': late, at character 1: it gives a flag, and the field is a text",
      () => record('line', 'issued', { ...line.fields, late: flag(), state: text({ bytes: 6, sql: 'late' }) }),
    ],
  ])('is refused when its record is declared: %s', (what, declare) => expect(problemOf(declare)).toContain(what))
})
