/**
 * Reads what a data directory holds, with plain SQLite and plain files as any tool would, and says where it differs from what it should
 * hold.
 */
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { csvRows, type Loan, type LoanFile } from './loan-file.ts'
import { rowsOf, shownRows, type Cell, type Owner, type Row } from './loan-story.ts'

const record = [
  'amount_requested',
  'application_date',
  'loan_title',
  'risk_score',
  'debt_to_income_ratio',
  'zip_code',
  'state',
  'employment_length',
  'policy_code',
]

/** The columns of a view, in the original store's order. */
export const viewColumns = (leading: string, ...later: readonly string[]): readonly string[] => [
  ...record,
  leading,
  '_modified_ts',
  '_version',
  ...later,
  '_seq',
]

export function readRows(warehouse: string, sql: string): Row[] {
  const db = new DatabaseSync(warehouse, { readOnly: true, timeout: 10_000 })
  try {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement.all() as unknown as Row[]
  } finally {
    db.close()
  }
}

export const columnsOf = (warehouse: string, view: string): Cell[] =>
  readRows(warehouse, `SELECT name FROM pragma_table_info('${view}')`).map(([name]) => name!)

/** The first few differences, each as a line; none when the view holds exactly these rows. */
export function differences(warehouse: string, view: string, expected: readonly Row[]): string[] {
  const columns = columnsOf(warehouse, view).filter((name) => name !== '_modified_ts')
  const found = readRows(warehouse, `SELECT ${columns.map((name) => `"${name}"`).join(', ')} FROM "${view}" ORDER BY _seq`)
  const wrong = found.length === expected.length ? [] : [`${view} has ${found.length} rows, not ${expected.length}`]
  for (const [i, row] of expected.entries()) {
    if (wrong.length >= 5) break
    const at = `${view}, row ${i + 1} (_seq ${row.at(-1)})`
    const other = found[i]
    if (!other) wrong.push(`${at}: missing`)
    else if (other.length !== row.length) wrong.push(`${at}: ${other.length} cells, not ${row.length}`)
    else
      columns.forEach(
        (name, c) => other[c] !== row[c] && wrong.push(`${at}: ${name} is ${JSON.stringify(other[c])}, not ${JSON.stringify(row[c])}`),
      )
  }
  return wrong
}

/** The same for the views of these versions of the loan set, and for the view over them. */
export const storyDifferences = (warehouse: string, loans: readonly Loan[], owners: readonly Owner[]): string[] => [
  ...owners.flatMap((owner) => differences(warehouse, `loan_risk_v${owner.version}`, rowsOf(loans, owner))),
  ...differences(warehouse, 'loan_risk', shownRows(loans, owners)),
]

/** seq, line and column of every entry of a rejects file; none when there is no file. */
export function rejectsIn(path: string): string[] {
  if (!existsSync(path)) return []
  const [header, ...entries] = csvRows(readFileSync(path, 'utf8'))
  if (header!.join() !== 'seq,line,column,reason,text') throw new Error(`${path} begins with ${header!.join()}`)
  return entries.map((entry) => entry.slice(0, 3).join())
}

/** The same for the rejects that go with these years. */
export const rejectsOf = ({ rejects }: LoanFile, fromYear: number, toYear: number): string[] =>
  rejects.filter(({ year }) => year >= fromYear && year <= toYear).map(({ seq, line, column }) => [seq, line, column].join())
