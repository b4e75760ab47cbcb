/** Generates a look-alike of the rejected-loans file: the same header, value shapes, nulls and growth by year, and the same bytes for the same seed. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Problem } from '../utilities/problem.ts'

export type GenerateOptions = {
  readonly fromYear: number
  readonly toYear: number
  /** Scales the years together to exactly this many rows; without it, each year is as large as in the real file. */
  readonly rows?: number
  readonly seed: number
}

const header = 'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code\n'

const rowsOfYear: ReadonlyMap<number, number> = new Map([
  [2007, 5_274], [2008, 25_596], [2009, 56_387], [2010, 112_561], [2011, 217_792], [2012, 337_277],
  [2013, 760_942], [2014, 1_933_700], [2015, 2_859_379], [2016, 4_769_874], [2017, 7_321_130], [2018, 9_496_782],
])
const firstYear = 2007
const lastYear = 2018

/** How many rows each year gets. */
export function yearSizes({ fromYear, toYear, rows, seed }: GenerateOptions): readonly { readonly year: number; readonly rows: number }[] {
  const wrong = (what: string, todo: string) => new Problem(what, todo, { usage: true })
  if (!rowsOfYear.has(fromYear) || !rowsOfYear.has(toYear)) throw wrong(`cannot generate the years ${fromYear}-${toYear}`, `Choose years from ${firstYear} to ${lastYear}.`)
  if (fromYear > toYear) throw wrong(`the years ${fromYear}-${toYear} run backwards`, `Write ${toYear}-${fromYear}.`)
  if (rows !== undefined && !(Number.isSafeInteger(rows) && rows > 0)) throw wrong(`cannot generate ${rows} rows`, 'Ask for a whole number of rows, at least 1.')
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

/** Writes the file, gzip when its name ends in .gz; until it is complete it has another name, and when it cannot be completed nothing is left. */
export async function generateTo(path: string, options: GenerateOptions, { onProgress, signal }: GenerateHooks = {}): Promise<{ readonly rows: number }> {
  yearSizes(options)
  signal?.throwIfAborted()
  const unfinished = `${path}.${process.pid}.part`
  let written = 0
  const pieces = function* () {
    for (const { text, rows } of generate(options)) {
      yield Buffer.from(text)
      written += rows
      onProgress?.(written)
    }
  }
  const abort = signal ? { signal } : {}
  const target = createWriteStream(unfinished, { flush: true })
  try {
    const text = Readable.from(pieces(), { highWaterMark: 2 })
    if (path.endsWith('.gz')) await pipeline(text, createGzip({ level: 4, chunkSize: 1 << 18 }), target, abort)
    else await pipeline(text, target, abort)
    await rename(unfinished, path)
  } catch (cause) {
    // A stream destroyed while it opens its file still makes the file: removing comes after closing.
    if (!target.closed) await once(target, 'close')
    await rm(unfinished, { force: true }).catch(() => {})
    signal?.throwIfAborted()
    throw unwritable(path, cause)
  }
  return { rows: written }
}

function unwritable(path: string, cause: unknown): unknown {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT': return new Problem(`cannot write ${path}: there is no folder ${dirname(path)}`, 'Make the folder first, or choose another one.', { cause })
    case 'ENOTDIR': return new Problem(`cannot write ${path}: ${dirname(path)} is not a folder`, 'Choose a folder.', { cause })
    case 'EISDIR': return new Problem(`cannot write ${path}: it is a folder`, 'Name a file in it, e.g. rejected.csv.gz.', { cause })
    case 'EACCES': case 'EPERM': case 'EROFS':
      return new Problem(`cannot write ${basename(path)}: the folder ${dirname(path)} may not be written to`, 'Choose another folder, or change its permissions.', { cause })
    case 'ENOSPC': return new Problem(`cannot write ${path}: the disk is full`, 'Make room, or generate fewer rows.', { cause })
    default: return cause
  }
}

/** A year's rows depend on its size and the seed alone, never on the other years asked for. */
function* generateYear(year: number, rows: number, seed: number): Generator<{ readonly text: string; readonly rows: number }> {
  const random = randomOf(seed, year)
  const days = daysOfYear(year)
  // Twice as many applications a day at the end of the year as at its start, fewer at weekends; never none on the first day.
  const weights = days.map((day, index) => (1 + index / days.length) * (new Date(`${day}T00:00:00Z`).getUTCDay() % 6 === 0 ? 0.5 : 1) * (0.8 + 0.4 * random()))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const rowOf = rowWriter(year, random)
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

type Random = () => number

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
    c = ((c << 21) | (c >>> 11)) + sum | 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let round = 0; round < 20; round++) next()
  return next
}

/** Each value as often as its weight says, so that one draw picks it. */
const weighted = (weights: Readonly<Record<string, number>>): readonly string[] => Object.entries(weights).flatMap(([value, weight]) => Array<string>(weight).fill(value))

const states = weighted({
  CA: 24, TX: 17, FL: 15, NY: 15, PA: 9, GA: 8, OH: 8, IL: 8, NC: 7, NJ: 7, MI: 6, VA: 6, MD: 5, AZ: 5, TN: 5, MA: 5, IN: 4, AL: 4, MO: 4, WA: 4, SC: 4, LA: 4, CO: 4, KY: 3, CT: 3,
  NV: 3, WI: 3, OK: 3, AR: 2, MN: 2, MS: 2, OR: 2, KS: 2, WV: 1, NM: 1, UT: 1, HI: 1, NH: 1, RI: 1, DE: 1, MT: 1, AK: 1, DC: 1, WY: 1, SD: 1, VT: 1, ME: 1, ND: 1, NE: 1, ID: 1, IA: 1,
})
const employment = weighted({
  '< 1 year': 60, '5 years': 12, '10+ years': 6, '1 year': 5, '2 years': 5, '3 years': 4, '4 years': 3, '6 years': 2, '7 years': 2, '8 years': 2, '9 years': 1, '': 3,
})
const slugs = weighted({
  debt_consolidation: 45, credit_card: 12, other: 16, home_improvement: 7, car: 5, medical: 4, major_purchase: 4, moving: 3, small_business: 4, vacation: 2, house: 2, wedding: 1,
  renewable_energy: 1, educational: 1,
})
const freeTitles = [
  'Wedding Covered but No Honeymoon', 'Consolidating Debt', 'Want to consolidate my debt', 'My Credit Card', 'car', 'Debt Consolidation', 'personal loan', 'Loan', 'bills', 'Help',
  'Pay off credit cards', 'Business Line of Credit', 'student loan', 'home improvement', 'moving expenses', 'Medical Bills', 'getting out of debt', 'New Roof', 'consolidation loan',
  'Trying to buy a house', "Dad's surgery", 'Kitchen @ last', 'motorcycle', '2 cards + 1 car', 'Dance studio & café', 'waksman', 'mdrigo',
]
const quotedTitles = ['Rent, food, gas', '"The" wedding', 'Bills, bills, bills', 'my 1st "real" loan', 'Pay off Visa, then MasterCard', '19" monitors for the office, two of them']
const brokenTitles = ['Debt consolidation\nand a holiday', 'Dear lender,\r\nplease help', 'first line\n\nthird, "last" line']
const unusualTitles = ['NULL', '0', ' Fresh start ', 'Hochzeit in Köln 💍', 'nueva cocina ñandú', '🚗🚗 car', '日本旅行', 'Crème brûlée stand, 2 seats']
const rambling = 'I would like to pay off my three credit cards, lower my monthly payment and finally start to save for the house that we have ' + 'wanted for years. '

const quote = (title: string) => (/[",\r\n]/.test(title) ? `"${title.replaceAll('"', '""')}"` : title)

/** Writes rows of one year: early on titles are free text and scores are mostly there, later titles are slugs and half of the scores are missing. */
function rowWriter(year: number, random: Random): (day: string) => string {
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = (values: readonly string[]) => values[below(values.length)]!
  const age = (year - firstYear) / (lastYear - firstYear)
  const slugShare = Math.min(0.995, age * 1.8)
  const scoreMissing = 0.05 + 0.45 * age

  const amount = () => {
    const kind = random()
    if (kind < 0.55) return 1000 * (1 + below(1 + below(40)))
    if (kind < 0.85) return 500 * (1 + below(1 + below(80)))
    if (kind < 0.95) return 100 * (5 + below(396))
    return kind < 0.99 ? 25 * (20 + below(1581)) : 500 + below(39_501)
  }
  const title = () => {
    if (random() < slugShare) return pick(slugs)
    const kind = random()
    if (kind < 0.96) return pick(kind < 0.05 ? slugs : freeTitles)
    if (kind < 0.98) return pick(quotedTitles)
    if (kind < 0.983) return pick(brokenTitles)
    if (kind < 0.989) return pick(unusualTitles)
    return kind < 0.999 ? '' : rambling.repeat(1 + below(7)).trimEnd()
  }
  const score = () => {
    if (random() < scoreMissing) return ''
    const kind = random()
    if (kind < 0.005) return '0.0'
    // Three draws make a hump around 640, with a few scores up to 990 beyond it.
    return kind < 0.99 ? `${Math.round(430 + (random() + random() + random()) * 140)}.0` : `${300 + below(691)}.0`
  }
  const ratio = () => {
    const kind = random()
    if (kind < 0.05) return '0%'
    if (kind < 0.07) return '-1%'
    if (kind < 0.072) return '100000%'
    return kind < 0.2 ? `${below(100)}%` : `${below(kind < 0.97 ? 6_000 : 100_000) / 100}%`
  }
  const policy = () => {
    const kind = random()
    return kind < 0.001 ? '' : kind < 0.01 + 0.02 * age ? '2.0' : '0.0'
  }
  return (day) => {
    const zip = random() < 0.001 ? '' : `${String(below(1000)).padStart(3, '0')}xx`
    const state = random() < 0.002 ? '' : pick(states)
    return `${amount()}.0,${day},${quote(title())},${score()},${ratio()},${zip},${state},${pick(employment)},${policy()}\n`
  }
}
