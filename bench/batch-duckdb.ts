/** The batch as DuckDB does it best: the file with its types given, window columns, one table, a closed and durable database. */
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { openDuckdb } from './duckdb.ts'

const [file, path] = process.argv.slice(2) as [string, string]
const types = { number: 'DOUBLE', date: 'DATE', text: 'VARCHAR' } as const
const fields = Object.entries(rejectedLoan.fields)
const columns = fields.map(([name, { kind }]) => `'${name}': '${types[kind]}'`).join(', ')
const csv =
  `read_csv('${file}', header = true, auto_detect = false, compression = 'gzip', delim = ',', quote = '"', escape = '"', ` +
  `columns = {${columns}})`
const mean = (last: number) => `round(avg(risk_score) OVER (ROWS BETWEEN ${last - 1} PRECEDING AND CURRENT ROW), 3)`

const db = await openDuckdb(path, { threads: '2' })
// Without ORDER BY it takes the rows as they stand in the file, which is faster for it; the comparison proves that they come in order.
await db.run(`
  CREATE TABLE loan_risk_rows AS
  SELECT ${fields.map(([name]) => name).join(', ')}, ${mean(50)} AS ma50, ${mean(100)} AS ma100,
    epoch_ns(now()::TIMESTAMP) AS _modified_ts, 0::INTEGER AS _version, row_number() OVER () AS _seq
  FROM ${csv}`)
await db.run('CHECKPOINT')
db.close()
