/** Proves that both batches made the same table: every ma50 and ma100, and the sums of everything else. */
import { wireReader } from '../config/wire.ts'
import { readConfig } from '../config/config.ts'
import { columnOf } from '../utilities/values/columns.ts'
import { openDuckdb } from './duckdb.ts'

/** What the parent reads. */
export type Compared = {
  readonly rows: number
  /** Means half-way between two results, which binary doubles round the other way. */
  readonly ties: number
}

const sums = `SELECT count(*), sum(_seq), min(_seq), max(_seq), sum(amount_requested), sum(risk_score), count(risk_score),
  sum(policy_code), count(policy_code), count(loan_title), sum(length(loan_title)),
  count(debt_to_income_ratio), sum(length(debt_to_income_ratio)), count(zip_code), min(zip_code), max(zip_code),
  count(state), min(state), max(state), count(employment_length), sum(length(employment_length)),
  CAST(min(application_date) AS VARCHAR), CAST(max(application_date) AS VARCHAR) FROM loan_risk_rows`

/** Whether the mean of the last so many scores, which are whole numbers, lies exactly half-way between two results of three decimals. */
function tieTest(scores: Float64Array, last: number) {
  let total = 0
  let present = 0
  const count = (row: number, sign: 1 | -1) => {
    const value = scores[row]!
    if (value !== value) return
    total += sign * value
    present += sign
  }
  return (row: number): boolean => {
    count(row, 1)
    if (row >= last) count(row - last, -1)
    return (2000 * total) % (2 * present) === present
  }
}

const [configFile, path] = process.argv.slice(2) as [string, string]
const warehouse = await wireReader(readConfig(configFile, {}))
const duckdb = await openDuckdb(path)

// Whole numbers come as number, bigint or a value of DuckDB's own.
const plain = (value: unknown) => (Number.isNaN(Number(value)) ? String(value) : String(Number(value)))
const ours = (await warehouse.query(sums)).rows[0]!.map(plain)
for await (const [theirs] of duckdb.rows(sums)) {
  const differing = theirs!.findIndex((value, i) => plain(value) !== ours[i])
  if (differing !== -1)
    throw new Error(`the tables differ: value ${differing + 1} is ${ours[differing]} here and ${String(theirs![differing])} in DuckDB`)
}

const rows = Number(ours[0])
const [scores, ma50, ma100] = [new Float64Array(rows), new Float64Array(rows), new Float64Array(rows)]
let read = 0
for await (const part of warehouse.rows('loan_risk', 0, { first: 1, last: Number(ours[3]) }, ['risk_score', 'ma50', 'ma100'])) {
  scores.set(columnOf(part, 'risk_score', 'number').values, read)
  ma50.set(columnOf(part, 'ma50', 'number').values, read)
  ma100.set(columnOf(part, 'ma100', 'number').values, read)
  read += part.count
}

let row = 0
let ties = 0
const [isTie50, isTie100] = [tieTest(scores, 50), tieTest(scores, 100)]
const check = (feature: string, mine: number, other: unknown, tie: boolean) => {
  const value = other === null ? NaN : (other as number)
  if (Object.is(mine, value)) return
  if (!tie || !(Math.abs(mine - value) < 0.0010001))
    throw new Error(`row ${row + 1}: ${feature} is ${mine} here and ${String(other)} in DuckDB`)
  ties++
}
for await (const chunk of duckdb.rows('SELECT ma50, ma100 FROM loan_risk_rows ORDER BY _seq')) {
  for (const [other50, other100] of chunk) {
    check('ma50', ma50[row]!, other50, isTie50(row))
    check('ma100', ma100[row]!, other100, isTie100(row))
    row++
  }
}
if (row !== rows || read !== rows) throw new Error(`${rows} rows here, of which ${read} were read, and ${row} in DuckDB`)
duckdb.close()
await warehouse.close()
process.stdout.write(JSON.stringify({ rows, ties } satisfies Compared))
