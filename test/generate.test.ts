/**
 * The look-alike of the loan file: the same bytes for the same seed, the right sizes, in order, and with all that makes real files hard to
 * read.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { generate, generateTo, yearSizes, type GenerateOptions } from '../examples/loans/generate.ts'
import { readCsv } from '../schemas/csv/read.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { noDay, type Column } from '../utilities/values/columns.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-generate-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folder = root
beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'))
})

const textOf = (options: GenerateOptions): string => [...generate(options)].map(({ text }) => text).join('')

type Loan = { readonly [name: string]: string | number | null }

const valueAt = (column: Column, row: number): string | number | null => {
  switch (column.kind) {
    case 'text':
      return column.starts[row]! < 0 ? null : Buffer.from(column.bytes.subarray(column.starts[row], column.ends[row])).toString()
    case 'date':
      return column.days[row] === noDay ? null : new Date(column.days[row]! * 86_400_000).toISOString().slice(0, 10)
    case 'long':
      throw new Error('no such column here')
    default:
      return Number.isNaN(column.values[row]) ? null : column.values[row]!
  }
}

async function loansOf(text: string): Promise<{ readonly loans: readonly Loan[]; readonly rejected: number }> {
  const loans: Loan[] = []
  let rejected = 0
  const chunks = async function* () {
    yield Buffer.from(text)
  }
  for await (const { columns, rejects } of readCsv(rejectedLoan, chunks(), { place: 'generated' })) {
    rejected += rejects.length
    for (let row = 0; row < columns.count; row++)
      loans.push(Object.fromEntries([...columns.byName].map(([name, column]) => [name, valueAt(column, row)])))
  }
  return { loans, rejected }
}

const share = (loans: readonly Loan[], is: (loan: Loan) => boolean) => loans.filter(is).length / loans.length
const titleOf = ({ loan_title }: Loan) => `${loan_title ?? ''}`

describe('the generated file', () => {
  it('is the same for the same seed, and another for another', () => {
    const options = { fromYear: 2007, toYear: 2008, rows: 3_000, seed: 7 }
    expect(textOf(options)).toBe(textOf(options))
    expect(textOf({ ...options, seed: 8 })).not.toBe(textOf(options))
    expect(textOf({ ...options, seed: 7 + 2 ** 32 })).not.toBe(textOf(options))
  })

  it('never changes from one release to the next', () => {
    const text = textOf({ fromYear: 2007, toYear: 2008, rows: 1_000, seed: 1 })
    expect(createHash('sha256').update(text).digest('hex')).toBe('084a697a88dc6b97e10c571c259ef84b3d1abe9365ed2189ce6b3a9cfc511f77')
  })

  it('begins as the real one does', () => {
    const [header, first] = textOf({ fromYear: 2007, toYear: 2007, rows: 1, seed: 1 }).split('\n')
    expect(header).toBe(
      'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code',
    )
    expect(first).toMatch(/^\d+\.0,2007-05-26,/)
  })

  it('is as large by year as the real one', () => {
    const sizes = yearSizes({ fromYear: 2007, toYear: 2018, seed: 1 })
    expect(sizes.map(({ year, rows }) => [year, rows])).toEqual([
      [2007, 5_274],
      [2008, 25_596],
      [2009, 56_387],
      [2010, 112_561],
      [2011, 217_792],
      [2012, 337_277],
      [2013, 760_942],
      [2014, 1_933_700],
      [2015, 2_859_379],
      [2016, 4_769_874],
      [2017, 7_321_130],
      [2018, 9_496_782],
    ])
  })

  it.each([1, 2, 5, 6, 7, 100, 99_999, 1_000_000, 30_000_001])('scaled to %i rows has exactly so many, in proportion', (rows) => {
    const options = { fromYear: 2007, toYear: 2012, seed: 1 }
    const full = yearSizes(options)
    const total = full.reduce((sum, year) => sum + year.rows, 0)
    const scaled = yearSizes({ ...options, rows })
    expect(scaled.reduce((sum, year) => sum + year.rows, 0)).toBe(rows)
    for (const [index, year] of scaled.entries()) expect(Math.abs(year.rows - (full[index]!.rows / total) * rows)).toBeLessThan(1)
  })

  it("has a year's rows whatever years are around it", () => {
    const alone = textOf({ fromYear: 2008, toYear: 2008, seed: 3 })
    const rowsAlone = alone.slice(alone.indexOf('\n') + 1)
    expect(textOf({ fromYear: 2007, toYear: 2009, seed: 3 })).toContain(rowsAlone)
  })

  it('is in order of date, grows over the year, and stays within the years', async () => {
    const { loans, rejected } = await loansOf(textOf({ fromYear: 2007, toYear: 2010, rows: 40_000, seed: 1 }))
    expect(rejected).toBe(0)
    expect(loans.length).toBe(40_000)
    const dates = loans.map(({ application_date }) => `${application_date}`)
    expect(dates).toEqual([...dates].sort())
    for (const { year, rows } of yearSizes({ fromYear: 2007, toYear: 2010, rows: 40_000, seed: 1 }))
      expect(dates.filter((date) => date.startsWith(`${year}-`)).length).toBe(rows)
    expect(dates[0]).toBe('2007-05-26')
    const inMonth = (month: string) => dates.filter((date) => date.startsWith(month)).length
    expect(inMonth('2010-12')).toBeGreaterThan(1.4 * inMonth('2010-01'))
  })

  it('has all that makes the real one hard to read, and is read without a reject', async () => {
    const text = textOf({ fromYear: 2007, toYear: 2008, seed: 1 })
    const { loans, rejected } = await loansOf(text)
    expect(rejected).toBe(0)
    expect(loans.length).toBe(5_274 + 25_596)
    const count = (is: (loan: Loan) => boolean) => loans.filter(is).length
    for (const name of ['loan_title', 'risk_score', 'zip_code', 'state', 'employment_length', 'policy_code'])
      expect([name, count((loan) => loan[name] === null)]).not.toEqual([name, 0])
    expect(count(({ amount_requested, application_date }) => amount_requested === null || application_date === null)).toBe(0)
    for (const shape of [
      /,/,
      /"/,
      /\n/,
      /\r\n/,
      /\p{Emoji_Presentation}/u,
      /ö/,
      /^NULL$/,
      /^ /,
      /^.{500,}$/,
      /^Wedding Covered but No Honeymoon$/,
    ]) {
      expect([shape, count((loan) => shape.test(titleOf(loan)))]).not.toEqual([shape, 0])
    }
    expect(Math.max(...loans.map((loan) => Buffer.byteLength(titleOf(loan))))).toBeLessThanOrEqual(rejectedLoan.fields.loan_title.bytes)
    for (const ratio of ['0%', '-1%', '100000%', '10%'])
      expect([ratio, count(({ debt_to_income_ratio }) => debt_to_income_ratio === ratio)]).not.toEqual([ratio, 0])
    for (const years of ['< 1 year', '10+ years', '1 year'])
      expect(count(({ employment_length }) => employment_length === years)).toBeGreaterThan(0)
    expect(count(({ risk_score }) => risk_score === 0)).toBeGreaterThan(0)
    expect(
      loans.every(({ risk_score: score }) => score === null || (Number.isInteger(score) && Number(score) >= 0 && Number(score) <= 990)),
    ).toBe(true)
    expect(loans.every(({ amount_requested: amount }) => Number(amount) >= 500 && Number(amount) <= 40_000)).toBe(true)
    expect(loans.every(({ zip_code: zip }) => zip === null || /^\d{3}xx$/.test(`${zip}`))).toBe(true)
    expect(loans.every(({ debt_to_income_ratio: ratio }) => /^-?\d+(\.\d{1,2})?%$/.test(`${ratio}`))).toBe(true)
    expect(new Set(loans.map(({ policy_code }) => policy_code))).toEqual(new Set([0, 2, null]))
  })

  it('loses its free titles and half of its scores over the years', async () => {
    const early = (await loansOf(textOf({ fromYear: 2007, toYear: 2007, seed: 1 }))).loans
    const late = (await loansOf(textOf({ fromYear: 2018, toYear: 2018, rows: 5_000, seed: 1 }))).loans
    const isSlug = (loan: Loan) => /^[a-z]+(_[a-z]+)*$/.test(titleOf(loan)) && titleOf(loan).includes('_')
    expect(share(early, isSlug)).toBeLessThan(0.1)
    expect(share(late, isSlug)).toBeGreaterThan(0.6)
    const noScore = ({ risk_score }: Loan) => risk_score === null
    expect(share(early, noScore)).toBeCloseTo(0.05, 1)
    expect(share(late, noScore)).toBeCloseTo(0.5, 1)
  })
})

describe('writing it', () => {
  const options = { fromYear: 2007, toYear: 2008, rows: 25_000, seed: 1 }

  it('gives the same bytes each time, plain or gzip, and says how far it is', async () => {
    const progress: number[] = []
    const plain = join(folder, 'a.csv')
    expect(await generateTo(plain, options, { onProgress: (rows) => progress.push(rows) })).toEqual({ rows: 25_000 })
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    expect(progress.at(-1)).toBe(25_000)
    expect(readFileSync(plain, 'utf8')).toBe(textOf(options))
    await generateTo(join(folder, 'a.csv.gz'), options)
    await generateTo(join(folder, 'b.csv.gz'), options)
    const packed = readFileSync(join(folder, 'a.csv.gz'))
    expect(packed.equals(readFileSync(join(folder, 'b.csv.gz')))).toBe(true)
    // Bytes 4 to 7 of a gzip file are its time.
    expect(packed.readUInt32LE(4)).toBe(0)
    expect(gunzipSync(packed).toString()).toBe(textOf(options))
    expect(readdirSync(folder).sort()).toEqual(['a.csv', 'a.csv.gz', 'b.csv.gz'])
  })

  it.each(['a.csv', 'a.csv.gz'])('leaves nothing of %s when it is aborted, and what was there before', async (name) => {
    const path = join(folder, name)
    writeFileSync(path, 'before')
    const reason = new Error('enough')
    const started = new AbortController()
    const writing = generateTo(
      path,
      { ...options, rows: 200_000 },
      { signal: started.signal, onProgress: (rows) => rows >= 20_000 && started.abort(reason) },
    )
    await expect(writing).rejects.toBe(reason)
    const atOnce = new AbortController()
    const soon = generateTo(path, options, { signal: atOnce.signal })
    atOnce.abort(reason)
    await expect(soon).rejects.toBe(reason)
    await expect(generateTo(path, options, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(readdirSync(folder)).toEqual([name])
    expect(readFileSync(path, 'utf8')).toBe('before')
  })

  it('a place that cannot be written to is a problem, and nothing is left', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(generateTo(join(folder, 'no', 'a.csv.gz'), options)).rejects.toMatchObject({
      name: 'Problem',
      exitCode: 1,
      what: `cannot write ${folder}/no/a.csv.gz: there is no folder ${folder}/no`,
    })
    await expect(generateTo(join(folder, 'file', 'a.csv'), options)).rejects.toMatchObject({
      what: `cannot write ${folder}/file/a.csv: ${folder}/file is not a folder`,
    })
    await expect(generateTo(folder, { ...options, rows: 10 })).rejects.toMatchObject({ what: `cannot write ${folder}: it is a folder` })
    expect(readdirSync(folder)).toEqual(['file'])
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it.each([
    [{ fromYear: 2006, toYear: 2008 }, 'cannot generate the years 2006-2008'],
    [{ fromYear: 2018, toYear: 2019 }, 'cannot generate the years 2018-2019'],
    [{ fromYear: 2009, toYear: 2008 }, 'the years 2009-2008 run backwards'],
    [{ rows: 0 }, 'cannot generate 0 rows'],
    [{ rows: 1.5 }, 'cannot generate 1.5 rows'],
    [{ seed: 0.5 }, '0.5 cannot be a seed'],
  ])('%j is refused as a misuse', async (wrong, what) => {
    await expect(generateTo(join(folder, 'a.csv'), { ...options, ...wrong })).rejects.toMatchObject({ name: 'Problem', exitCode: 2, what })
    expect(readdirSync(folder)).toEqual([])
  })
})
