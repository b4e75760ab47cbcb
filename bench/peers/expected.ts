/**
 * What every lane must produce: the loans as Avro, read and encoded without any code of the product, and the features, each window summed
 * anew. Made once for a file and kept beside it; run as a script it makes them.
 */
import avsc from 'avsc'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readLoanFile } from '../../test/oracle/loan-file.ts'
import { run, workDir } from '../child.ts'
import type { Data } from '../data.ts'
import { loanSchema } from './schemas.ts'

export const featureNames = ['ma50', 'ma100', 'ema50'] as const

export type Expected = {
  readonly rows: number
  /** Loan i is payload[ends[i - 1] ?? 0 .. ends[i]), without a frame. */
  readonly payload: Buffer
  readonly ends: Uint32Array
  /** In the order of the names above; NaN where there is no value yet. */
  readonly features: readonly Float64Array[]
  /** Before they were rounded, to judge who rounded a tie the other way. */
  readonly unrounded: readonly Float64Array[]
}

const script = 'bench/peers/expected.ts'

/** `keyed`: the features of each zip code's loans by themselves. */
export async function expectedOf({ file, rows }: Data, keyed: boolean): Promise<Expected> {
  const dir = join(workDir, `expected-${basename(file, '.csv.gz')}`)
  if (!existsSync(dir)) {
    process.stderr.write(`working out what ${rows} rows must give\n`)
    await run(script, [file, dir, ...(keyed ? ['keyed'] : [])])
  }
  const numbers = new Float64Array(new Uint8Array(readFileSync(join(dir, 'features'))).buffer)
  const columns = Array.from({ length: 6 }, (_, i) => numbers.subarray(i * rows, (i + 1) * rows))
  return {
    rows,
    payload: readFileSync(join(dir, 'payload')),
    ends: new Uint32Array(new Uint8Array(readFileSync(join(dir, 'ends'))).buffer),
    features: columns.slice(0, 3),
    unrounded: columns.slice(3),
  }
}

type Loans = ReturnType<typeof readLoanFile>['loans']

const dayOf = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000

function payloadOf(loans: Loans): { readonly payload: Buffer; readonly ends: Uint32Array } {
  const type = avsc.Type.forSchema(loanSchema as avsc.Schema)
  const names = loanSchema.fields.slice(1).map(({ name }) => name)
  let end = 0
  const ends = new Uint32Array(loans.length)
  const messages = loans.map(({ seq, cells }, i) => {
    const loan = Object.fromEntries(names.map((name, at) => [name, name === 'application_date' ? dayOf(String(cells[at])) : cells[at]]))
    const message = type.toBuffer({ seq, ...loan })
    ends[i] = end += message.length
    return message
  })
  return { payload: Buffer.concat(messages), ends }
}

/** The means of the last so many, rounded in whole numbers and not at all. */
function means(scores: readonly (number | null)[], last: number): [Float64Array, Float64Array] {
  const [rounded, unrounded] = [new Float64Array(scores.length).fill(NaN), new Float64Array(scores.length).fill(NaN)]
  for (let row = 0; row < scores.length; row++) {
    const window = scores.slice(Math.max(0, row + 1 - last), row + 1).filter((score) => score !== null)
    if (window.length === 0) continue
    const sum = window.reduce((total, score) => total + score, 0)
    if (!Number.isInteger(sum) || sum < 0) throw new Error(`row ${row + 1}: only whole scores are reckoned with`)
    rounded[row] = Math.floor((2000 * sum + window.length) / (2 * window.length)) / 1000
    unrounded[row] = sum / window.length
  }
  return [rounded, unrounded]
}

function levels(scores: readonly (number | null)[], span: number): [Float64Array, Float64Array] {
  const [rounded, unrounded] = [new Float64Array(scores.length).fill(NaN), new Float64Array(scores.length).fill(NaN)]
  let level = NaN
  scores.forEach((score, row) => {
    if (score !== null) level = Number.isNaN(level) ? score : level + (2 / (span + 1)) * (score - level)
    rounded[row] = Number.isNaN(level) ? NaN : halfUp(level)
    unrounded[row] = level
  })
  return [rounded, unrounded]
}

const zipCell = 5

/** Rounded and unrounded columns of the three features, each over the loans of one key. */
function featuresOf(loans: Loans, keyOf: (loan: Loans[number]) => string): [Float64Array, Float64Array][] {
  const columns = featureNames.map((): [Float64Array, Float64Array] => [new Float64Array(loans.length), new Float64Array(loans.length)])
  for (const rows of Map.groupBy(loans.keys(), (row) => keyOf(loans[row]!)).values()) {
    const scores = rows.map((row) => loans[row]!.score)
    for (const [at, [rounded, unrounded]] of [means(scores, 50), means(scores, 100), levels(scores, 50)].entries()) {
      rows.forEach((row, i) => {
        columns[at]![0][row] = rounded[i]!
        columns[at]![1][row] = unrounded[i]!
      })
    }
  }
  return columns
}

/** To three decimals, on the decimal that the double prints as. */
function halfUp(value: number): number {
  const [whole, decimals = ''] = String(value).split('.')
  if (!/^\d+$/.test(whole!) || !/^\d*$/.test(decimals)) return Number(value.toFixed(3))
  return (Number(whole! + decimals.slice(0, 3).padEnd(3, '0')) + (Number(decimals[3] ?? 0) >= 5 ? 1 : 0)) / 1000
}

if (import.meta.main) {
  const [file, dir, keyed] = process.argv.slice(2) as [string, string, string?]
  const { loans } = readLoanFile(readFileSync(file))
  const columns = featuresOf(loans, keyed === undefined ? () => '' : ({ cells }) => String(cells[zipCell] ?? ''))
  const { payload, ends } = payloadOf(loans)
  const part = `${dir}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part)
  writeFileSync(join(part, 'payload'), payload)
  writeFileSync(join(part, 'ends'), new Uint8Array(ends.buffer))
  writeFileSync(
    join(part, 'features'),
    Buffer.concat([...columns.map(([one]) => one), ...columns.map(([, other]) => other)].map(({ buffer }) => new Uint8Array(buffer))),
  )
  renameSync(part, dir)
}
