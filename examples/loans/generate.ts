/**
 * Generates a look-alike of the rejected-loans file: the same header, value shapes, nulls and growth by year, and the same bytes for the
 * same seed.
 */
import { Problem } from '../../utilities/values/problem.ts'
import { writeWhole } from '../whole-files.ts'
import { rowWriter, type Random } from './look-alike-row.ts'

export type GenerateOptions = {
  readonly fromYear: number
  readonly toYear: number
  /** Scales the years together to exactly this many rows; without it, each year is as large as in the real file. */
  readonly rows?: number
  readonly seed: number
}

const header = 'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code\n'

const rowsOfYear: ReadonlyMap<number, number> = new Map([
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
const firstYear = 2007
const lastYear = 2018

/** How many rows each year gets. */
export function yearSizes({ fromYear, toYear, rows, seed }: GenerateOptions): readonly { readonly year: number; readonly rows: number }[] {
  const wrong = (what: string, todo: string) => new Problem(what, todo, { usage: true })
  if (!rowsOfYear.has(fromYear) || !rowsOfYear.has(toYear))
    throw wrong(`cannot generate the years ${fromYear}-${toYear}`, `Choose years from ${firstYear} to ${lastYear}.`)
  if (fromYear > toYear) throw wrong(`the years ${fromYear}-${toYear} run backwards`, `Write ${toYear}-${fromYear}.`)
  if (rows !== undefined && !(Number.isSafeInteger(rows) && rows > 0))
    throw wrong(`cannot generate ${rows} rows`, 'Ask for a whole number of rows, at least 1.')
  if (!Number.isSafeInteger(seed)) throw wrong(`${seed} cannot be a seed`, 'Use a whole number.')
  const years = [...rowsOfYear].filter(([year]) => year >= fromYear && year <= toYear)
  const total = years.reduce((sum, [, size]) => sum + size, 0)
  const shares = years.map(([year, size]) => {
    const exact = rows === undefined ? size : (size / total) * rows
    return { year, rows: Math.floor(exact), remainder: exact - Math.floor(exact) }
  })
  const missing = (rows ?? total) - shares.reduce((sum, share) => sum + share.rows, 0)
  const roundedUp = new Set([...shares].sort((a, b) => b.remainder - a.remainder || a.year - b.year).slice(0, missing))
  return shares.map((share) => ({ year: share.year, rows: share.rows + (roundedUp.has(share) ? 1 : 0) }))
}

/** The file's text in pieces of some 10,000 rows, each with the number of rows it holds. */
export function* generate(options: GenerateOptions): Generator<{ readonly text: string; readonly rows: number }> {
  const sizes = yearSizes(options)
  yield { text: header, rows: 0 }
  for (const { year, rows } of sizes) yield* generateYear(year, rows, options.seed)
}

export type GenerateHooks = {
  /** How many rows have been generated so far. */
  readonly onProgress?: (rows: number) => void
  readonly signal?: AbortSignal
}

/** Writes the file; each piece is told of as it goes. */
export async function generateTo(
  path: string,
  options: GenerateOptions,
  { onProgress, signal }: GenerateHooks = {},
): Promise<{ readonly rows: number }> {
  yearSizes(options)
  let written = 0
  const texts = function* () {
    for (const { text, rows } of generate(options)) {
      yield text
      written += rows
      onProgress?.(written)
    }
  }
  await writeWhole([{ path, texts: texts() }], signal)
  return { rows: written }
}

/** A year's rows depend on its size and the seed alone, never on the other years asked for. */
function* generateYear(year: number, rows: number, seed: number): Generator<{ readonly text: string; readonly rows: number }> {
  const random = randomOf(seed, year)
  const days = daysOfYear(year)
  // Twice as many applications a day at the end of the year as at its start, fewer at weekends; never none on the first day.
  const weights = days.map(
    (day, index) => (1 + index / days.length) * (new Date(`${day}T00:00:00Z`).getUTCDay() % 6 === 0 ? 0.5 : 1) * (0.8 + 0.4 * random()),
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const rowOf = rowWriter((year - firstYear) / (lastYear - firstYear), random)
  let text = ''
  let inText = 0
  let done = 0
  let weighed = 0
  for (const [index, day] of days.entries()) {
    weighed += weights[index]!
    const through = index === days.length - 1 ? rows : Math.min(rows, Math.ceil((weighed / total) * rows))
    for (; done < through; done++) {
      text += rowOf(day)
      if (++inText < 10_000) continue
      yield { text, rows: inText }
      text = ''
      inText = 0
    }
  }
  if (inText > 0) yield { text, rows: inText }
}

function daysOfYear(year: number): readonly string[] {
  const msPerDay = 86_400_000
  const first = year === firstYear ? Date.UTC(year, 4, 26) : Date.UTC(year, 0, 1)
  const count = (Date.UTC(year + 1, 0, 1) - first) / msPerDay
  return Array.from({ length: count }, (_, index) => new Date(first + index * msPerDay).toISOString().slice(0, 10))
}

/** sfc32: small, fast, and the same everywhere. Numbers from 0 to below 1. */
function randomOf(seed: number, stream: number): Random {
  let a = seed | 0
  let b = Math.floor(seed / 0x1_0000_0000) | 0
  let c = stream | 0
  let d = 1
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let round = 0; round < 20; round++) next()
  return next
}
