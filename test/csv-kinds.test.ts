/**
 * The CSV reader on cells of every kind, words for null, delimiters and forms of dates: examples, and the plain reader that it must agree
 * with.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { values as valuesIn, type FieldColumn } from '../feature-defs/takes.ts'
import { date, decimal, flag, integer, number, record, text, timestamp, type Fields } from '../schemas/record.ts'
import type { TextForm } from '../utilities/source.ts'
import { plainRead } from './csv-plain.ts'
import { batchesOf, rowsOf, short, type Reading } from './csv-rows.ts'

const fields = {
  at: timestamp({ nullable: false }),
  whole: integer(),
  amount: decimal({ digits: 12, scale: 2 }),
  vast: decimal({ digits: 38, scale: 20 }),
  share: number(),
  paid: flag(),
  day: date(),
  note: text({ bytes: 12 }),
  must: flag({ nullable: false }),
} satisfies Fields
const sale = record('sale', 'at', fields)
const names = Object.keys(fields)

const read = async (content: string | Uint8Array, options: Partial<Reading> = {}) => {
  const batches = await batchesOf(content, { schema: sale, ...options })
  return { rows: batches.flatMap(rowsOf), rejects: batches.flatMap(({ rejects }) => rejects) }
}

/** What becomes of one cell: its value, or the reason. */
async function one(name: keyof typeof fields, cell: string, form: TextForm = {}): Promise<unknown> {
  const own = record('one', 'at', { at: fields.at, [name]: fields[name] })
  const cells = name === 'at' ? `at\n${cell}\n` : `at;${name}\n2020-01-01T00:00Z;${cell}\n`
  const { rows, rejects } = await read(cells, { schema: own, form: { delimiter: ';', ...form } })
  expect(rows.length + rejects.length).toBe(1)
  return rejects[0]?.reason ?? rows[0]!.at(-1)
}

const decimalReason = 'not a decimal number: a sign, digits, a point, digits'
const timestampReason = 'not a timestamp of the form YYYY-MM-DDThh:mm:ss'
const flagReason = 'not a flag: true or false, t or f, yes or no, y or n, 1 or 0'
const micros = (iso: string) => BigInt(Date.parse(iso)) * 1000n

type Said = readonly [name: keyof typeof fields, cell: string, value: unknown, form?: TextForm]

const cells: readonly Said[] = [
  ['whole', '9223372036854775807', 9223372036854775807n],
  ['whole', '-9223372036854775808', -9223372036854775808n],
  ['whole', '"+00000000000000000000042"', 42n],
  ['whole', '-0', 0n],
  ['whole', '9223372036854775808', 'beyond 64 bits'],
  ['whole', '1.0', 'not a whole number'],
  ['whole', '1e3', 'not a whole number'],
  ['whole', '', null],
  ['amount', '12.50', 1250n],
  ['amount', '12.5', 1250n],
  ['amount', '12.500', 1250n],
  ['amount', '-0', 0n],
  ['amount', '0009999999999.99', 999999999999n],
  ['amount', '12.505', 'more than 2 digits behind the point'],
  ['amount', '10000000000', 'more than 10 digits before the point'],
  ['amount', '1e3', decimalReason],
  ['amount', '12.', decimalReason],
  ['amount', '.5', decimalReason],
  ['amount', '12.345x', decimalReason],
  ['vast', '-123456789012345678.12345678901234567891', -12345678901234567812345678901234567891n],
  ['paid', 'TRUE', true],
  ['paid', 'f', false],
  ['paid', '"Yes"', true],
  ['paid', 'n', false],
  ['paid', '1', true],
  ['paid', '0', false],
  ['paid', '\x10', flagReason],
  ['paid', 'truex', flagReason],
  ['paid', '2', flagReason],
  ['must', '', 'empty'],
  ['at', '2020-02-29T10:20:30.123456Z', micros('2020-02-29T10:20:30.123Z') + 456n],
  ['at', '2020-02-29 10:20:30.5', micros('2020-02-29T10:20:30.500Z')],
  ['at', '2020-02-29T10:20', micros('2020-02-29T10:20:00Z')],
  ['at', '2020-02-29 00:30:00+02', micros('2020-02-28T22:30:00Z')],
  ['at', '"2020-02-29T10:20:30-05:30"', micros('2020-02-29T15:50:30Z')],
  ['at', '2020-02-29T10:20:30.1234560', micros('2020-02-29T10:20:30.123Z') + 456n],
  ['at', '9999-12-31T23:59:59.999999Z', micros('9999-12-31T23:59:59.999Z') + 999n],
  ['at', '2020-02-29T10:20:30.1234567', 'more than 6 digits of a second'],
  ['at', '2019-02-29T10:20:30', 'not a real day'],
  ['at', '2020-02-29T24:00:00', 'not a time of day'],
  ['at', '2020-02-29T10:20:60', 'not a time of day'],
  ['at', '9999-12-31T23:59:59-00:01', 'not within the years 1 to 9999'],
  ['at', '1900-12-31T23:59:59.999999Z', 'before 1901'],
  ['at', '""', 'empty'],
  ['at', '2020-02-29', timestampReason],
  ['at', '2020-02-29t10:20:30', timestampReason],
  ['at', '1582902000', timestampReason],
  ['at', '1582902000', micros('2020-02-28T15:00:00Z'), { timestamps: 'seconds' }],
  ['at', '1582902000123', micros('2020-02-28T15:00:00.123Z'), { timestamps: 'milliseconds' }],
  ['at', '-1', -1n, { timestamps: 'microseconds' }],
  ['at', '2020-02-28T15:00:00Z', micros('2020-02-28T15:00:00Z'), { timestamps: 'seconds' }],
  ['at', '253402300800', 'not within the years 1 to 9999', { timestamps: 'seconds' }],
  ['at', '28.02.2020 15:00', micros('2020-02-28T15:00:00Z'), { timestamps: 'DD.MM.YYYY hh:mm:ss' }],
  ['day', '1/2/2020', '2020-02-01', { dates: 'D/M/YYYY' }],
  ['day', '12/31/2020', '2020-12-31', { dates: 'M/D/YYYY' }],
  ['day', '"20201231"', '2020-12-31', { dates: 'YYYYMMDD' }],
  ['day', '2020-12-31', '2020-12-31', { dates: 'DD/MM/YYYY' }],
  ['day', '31/12/2020', 'not a date of the form YYYY-MM-DD'],
  ['day', '1/2/2020', 'not a date of the form YYYY-MM-DD or DD/MM/YYYY', { dates: 'DD/MM/YYYY' }],
  ['day', '31/02/2020', 'not a real day', { dates: 'DD/MM/YYYY' }],
  ['day', '1850-01-01', '1850-01-01'],
  ['note', 'NULL', 'NULL'],
  ['note', 'NULL', null, { null: ['', 'NULL'] }],
  ['note', '"NULL"', null, { null: ['NULL'] }],
  ['note', 'NULLS', 'NULLS', { null: ['NULL'] }],
  ['note', '', '', { null: ['NULL'] }],
  ['whole', '\\N', null, { null: ['\\N'] }],
  ['whole', '', 'empty', { null: ['\\N'] }],
  ['must', 'NULL', 'null', { null: ['NULL'] }],
]

describe('a cell', () => {
  it.each(cells.map((said) => [said[0], said[1], said[2], said] as const))(
    'of %s: %s is %s',
    async (...[, , value, [name, cell, , form]]) => {
      expect(await one(name, cell, form)).toEqual(value)
    },
  )

  it('of a null, a wide or a rejected value leaves nothing behind in the rows after it', async () => {
    const content = `at,whole\n2020-01-01T00:00,9223372036854775807\nx,9223372036854775806\n2020-01-01T00:00,1\n2020-01-01T00:00,\n`
    const own = record('one', 'at', { at: fields.at, whole: fields.whole })
    for (const rowsPerBatch of [1, 2, 100]) {
      expect((await read(content, { schema: own, rowsPerBatch })).rows.map((row) => row[2])).toEqual([9223372036854775807n, 1n, null])
    }
  })
})

describe('a form', () => {
  const forms: readonly (readonly [form: TextForm, what: RegExp])[] = [
    [{ delimiter: ';;' }, /^";;" is no delimiter$/],
    [{ delimiter: '' }, /^"" is no delimiter$/],
    [{ delimiter: '"' }, /is no delimiter$/],
    [{ delimiter: '.' }, /is no delimiter$/],
    [{ dates: 'MM-YYYY' }, /^"MM-YYYY" is no form of dates$/],
    [{ timestamps: 'DD/MM/YYYY' }, /^"DD\/MM\/YYYY" is no form of timestamps$/],
    [{ null: ['a,b'] }, /^the word "a,b" for null holds a quote, a line break or the delimiter$/],
    [{ null: ['0'] }, /^"0" is given as a word for null, but whole \(integer\) can have it as a value$/],
    [{ null: ['N'] }, /^"N" is given as a word for null, but paid \(flag\) can have it as a value$/],
  ]
  it.each(forms)('%j is refused', async (form, what) => {
    await expect(read(`${names.join(',')}\n`, { form })).rejects.toMatchObject({
      name: 'Problem',
      what: expect.stringMatching(what),
      exitCode: 2,
    })
  })
})

const dateForms = [
  'DD/MM/YYYY',
  'MM/DD/YYYY',
  'YYYY/MM/DD',
  'DD.MM.YYYY',
  'DD-MM-YYYY',
  'MM-DD-YYYY',
  'YYYYMMDD',
  'D/M/YYYY',
  'M/D/YYYY',
  'D.M.YYYY',
]
const anyForm: fc.Arbitrary<TextForm> = fc.record(
  {
    delimiter: fc.constantFrom(',', ';', '\t', '|', '\x1f'),
    null: fc.subarray(['', 'NULL', '\\N', 'null', '-', 'x']),
    dates: fc.constantFrom(...dateForms),
    timestamps: fc.constantFrom('seconds', 'milliseconds', 'microseconds', ...dateForms.map((form) => `${form} hh:mm:ss`)),
  },
  { requiredKeys: [] },
)

const digits = (most: number) => fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most }).map((all) => all.join(''))
const sign = fc.constantFrom('', '', '-', '+')
/** Mostly the first, now and then one of the others. */
const mostly = (first: fc.Arbitrary<string>, ...others: fc.Arbitrary<string>[]) =>
  fc.oneof({ weight: 30, arbitrary: first }, ...others.map((arbitrary) => ({ weight: 1, arbitrary })))
const wholeCell = mostly(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.tuple(sign, digits(22)).map(([a, b]) => a + b),
)
const decimalCell = (before: number, behind: number) =>
  mostly(
    fc.tuple(sign, digits(before), digits(behind)).map(([a, b, c]) => `${a}${b}.${c}`),
    fc.tuple(sign, digits(before + 2), digits(behind + 2)).map(([a, b, c]) => `${a}${b}.${c}00`),
    fc.tuple(sign, digits(before)).map((parts) => parts.join('')),
  )
const two = (most: number) =>
  mostly(fc.integer({ min: 0, max: most }).map(String), fc.integer({ min: 0, max: 99 }).map(String)).map((text) => text.padStart(2, '0'))
const year = mostly(
  fc.integer({ min: 1901, max: 9999 }).map(String),
  fc.integer({ min: 1899, max: 1902 }).map(String),
  fc.integer({ min: 0, max: 9999 }).map(String),
).map((text) => text.padStart(4, '0'))
const dateCell = (form: string) =>
  fc
    .tuple(
      year,
      mostly(fc.integer({ min: 1, max: 12 }).map(String), fc.constantFrom('0', '13')),
      mostly(fc.integer({ min: 1, max: 28 }).map(String), fc.constantFrom('0', '29', '30', '31', '32')),
    )
    .map(([y, m, d]) => {
      const of = (letters: string, n: string) => n.padStart(letters.length, '0')
      return form
        .replace('YYYY', y)
        .replace(/M+/, (letters) => of(letters, m))
        .replace(/D+/, (letters) => of(letters, d))
    })
const isoCell = dateCell('YYYY-MM-DD')
const fraction = mostly(
  fc.oneof(
    fc.constant(''),
    digits(6).map((all) => `.${all}`),
  ),
  digits(8).map((all) => `.${all}`),
)
const zone = fc.oneof(
  fc.constantFrom('', '', 'Z', '+00'),
  fc.tuple(fc.constantFrom('+', '-'), two(23), two(59)).map(([a, b, c]) => `${a}${b}:${c}`),
)
const momentCell = (form: string) =>
  fc
    .tuple(dateCell(form), fc.constantFrom('T', ' '), two(23), two(59), two(59), fraction, zone)
    .map(([day, t, h, m, s, f, z]) => `${day}${t}${h}:${m}:${s}${f}${z}`)
const early = fc.tuple(isoCell, fc.constantFrom('T00:00', ' 23:59:59.999999Z')).map((parts) => parts.join(''))
const wordCell = mostly(fc.constantFrom('true', 'FALSE', 't', 'F', 'yes', 'No', 'Y', 'n', '1', '0'), fc.constantFrom('2', 'tru', '\x10'))
const noteCell = fc
  .array(fc.constantFrom('a', ' ', 'é', '"', ',', ';', '\n', 'NULL', '\\N', 'x'), { maxLength: 6 })
  .map((parts) => parts.join(''))
const countCell = mostly(
  fc.bigInt({ min: -(10n ** 9n), max: 10n ** 10n }).map(String),
  fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }).map(String),
)

type Files = { readonly bytes: Buffer; readonly form: TextForm }
const anyFile: fc.Arbitrary<Files> = anyForm.chain((form) => {
  const { delimiter = ',', null: nulls = [''], dates = 'YYYY-MM-DD', timestamps = '' } = form
  const [dateForm, time] = timestamps.split(' ')
  const own = time === undefined ? momentCell('YYYY-MM-DD') : momentCell(dateForm!)
  const moment = mostly(timestamps !== '' && time === undefined ? countCell : own, momentCell('YYYY-MM-DD'), early, countCell)
  const day = fc.oneof(isoCell, dateCell(dates))
  const kinds: Record<string, fc.Arbitrary<string>> = {
    at: moment,
    whole: wholeCell,
    amount: decimalCell(10, 2),
    vast: decimalCell(18, 20),
    share: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map(String), wholeCell),
    paid: wordCell,
    day,
    note: noteCell,
    must: wordCell,
    other: noteCell,
  }
  const nullCell = nulls.length === 0 ? fc.constant('') : fc.constantFrom(...nulls, '')
  const scrap = fc.constantFrom('', 'x', '"', '\xff', '-', '1', 'é', '.', ' ')
  const spoilt = (cell: fc.Arbitrary<string>) =>
    fc.tuple(cell, fc.nat(12), fc.nat(2), scrap).map(([value, at, cut, more]) => value.slice(0, at) + more + value.slice(at + cut))
  const asCell = (cell: fc.Arbitrary<string>) =>
    fc
      .tuple(
        fc.oneof({ weight: 40, arbitrary: cell }, { weight: 2, arbitrary: nullCell }, { weight: 1, arbitrary: spoilt(cell) }),
        fc.nat(4),
      )
      .map(([value, wrap]) =>
        wrap === 0 || /["\r\n]/.test(value) || value.includes(delimiter) ? `"${value.replaceAll('"', '""')}"` : value,
      )
  return fc.shuffledSubarray([...names, 'other', 'others'], { minLength: names.length + 2 }).chain((columns) => {
    const row = fc.tuple(...columns.map((name) => asCell(kinds[name] ?? noteCell)))
    return fc.array(row, { maxLength: 10 }).map((rows) => ({
      form,
      bytes: Buffer.from([columns, ...rows].map((row) => `${row.join(delimiter)}\n`).join(''), 'utf8'),
    }))
  })
})

describe('the reader of every kind', () => {
  it('equals the plain reader for any order of columns, delimiter, words for null and forms of dates', async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(
        anyFile,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async ({ bytes, form }, cuts, rowsPerBatch) => {
          const expected = plainRead(sale, bytes, 100_000, form)
          const found = await read(bytes, { form, cuts, rowsPerBatch })
          expect(found.rows).toEqual(expected.rows)
          expect(found.rejects.map(short)).toEqual(expected.rejects)
          taken += found.rows.length
        },
      ),
      { numRuns: 1500 },
    )
    expect(taken).toBeGreaterThan(1000)
  })
})

it('a value of a rejected line does not stay for the null of the next one', async () => {
  const schema = record('sale', 'day', {
    whole: integer(),
    money: decimal({ digits: 20, scale: 2 }),
    moment: timestamp(),
    day: date({ nullable: false }),
  })
  const huge = '9007199254740993,123456789012345678.01,9999-12-31T23:59:59.999999Z'
  const columns = (await batchesOf(`whole,money,moment,day\n${huge},no day\n,,,2024-01-01\n${huge},2024-01-02\n`, { schema })).map(
    (batch) => batch.columns,
  )
  const read = ['whole', 'money', 'moment'].map((name) =>
    columns.flatMap(({ byName }) => Array.from<unknown>(valuesIn(byName.get(name) as FieldColumn))),
  )
  expect(read.map(([first]) => first)).toEqual([NaN, NaN, NaN])
  expect(read.map(([, second]) => second)).toEqual([9_007_199_254_740_993n, 12_345_678_901_234_567_801n, 253_402_300_799_999_999n])
})
