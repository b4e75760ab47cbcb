/**
 * Holds a table or Parquet files against what the batch had to write: every feature of every row in order, and sums over the columns of the
 * loan.
 */
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { openDuckdb, type Duckdb } from '../duckdb.ts'
import { isTie, type Checked } from './check.ts'
import { featureNames, type Expected } from './expected.ts'

const types = { number: 'DOUBLE', date: 'DATE', text: 'VARCHAR' } as const
const fields = Object.entries(rejectedLoan.fields)

const sums = [
  'count(*)',
  ...fields.flatMap(([name, { kind }]) =>
    kind === 'text'
      ? [`count(${name})`, `sum(length(${name}))`, `min(${name})`, `max(${name})`]
      : kind === 'date'
        ? [`min(${name})::VARCHAR`, `max(${name})::VARCHAR`, `sum(${name} - DATE '2000-01-01')`]
        : [`count(${name})`, `sum(${name})`, `sum(${name} * ${name})`],
  ),
].join(', ')

const csvOf = (
  file: string,
) => `read_csv('${file}', header = true, auto_detect = false, compression = 'gzip', delim = ',', quote = '"', escape = '"',
  columns = {${fields.map(([name, { kind }]) => `'${name}': '${types[kind]}'`).join(', ')}})`

const sumsOf = async (db: Duckdb, from: string): Promise<string[]> => {
  for await (const [row] of db.rows(`SELECT ${sums} FROM ${from}`))
    return row!.map((value) => (Number.isNaN(Number(value)) ? String(value) : String(Number(value))))
  throw new Error('no sums came back')
}

type Written = { readonly database?: string; readonly from: string }

export async function checkBatch(
  file: string,
  { database = ':memory:', from }: Written,
  features: readonly string[],
  { rows, features: values, unrounded }: Expected,
): Promise<Checked> {
  const db = await openDuckdb(database)
  try {
    const [ours, theirs] = [await sumsOf(db, csvOf(file)), await sumsOf(db, from.replace(/ ORDER BY .*/, ''))]
    const differing = ours.findIndex((value, i) => value !== theirs[i])
    if (differing >= 0) throw new Error(`sum ${differing + 1} over the loans is ${theirs[differing]}, not ${ours[differing]}`)
    const wanted = featureNames.flatMap((name, k) =>
      features.includes(name) ? [{ name, values: values[k]!, unrounded: unrounded[k]! }] : [],
    )
    let row = 0
    let ties = 0
    for await (const chunk of db.rows(`SELECT ${wanted.map(({ name }) => name).join(', ')} FROM ${from}`)) {
      for (const found of chunk) {
        for (const [i, { name, values, unrounded }] of wanted.entries()) {
          const value = found[i] === null ? NaN : (found[i] as number)
          if (Object.is(value, values[row])) continue
          if (!isTie(value, values[row]!, unrounded[row]!)) throw new Error(`row ${row + 1}: ${name} is ${value}, not ${values[row]}`)
          ties++
        }
        row++
      }
    }
    if (row !== rows) throw new Error(`${row} rows of ${rows} were written`)
    return { rows, ties }
  } finally {
    db.close()
  }
}
