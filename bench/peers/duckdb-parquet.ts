/**
 * The batch in DuckDB with a Parquet file as its target: the file with its types given, window columns, one COPY. Without ema50, which SQL
 * has no word for.
 */
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { openDuckdb } from '../duckdb.ts'

const [file, target] = process.argv.slice(2) as [string, string]
const types = { number: 'DOUBLE', date: 'DATE', text: 'VARCHAR' } as const
const fields = Object.entries(rejectedLoan.fields)
const columns = fields.map(([name, { kind }]) => `'${name}': '${types[kind]}'`).join(', ')
const csv =
  `read_csv('${file}', header = true, auto_detect = false, compression = 'gzip', delim = ',', quote = '"', escape = '"', ` +
  `columns = {${columns}})`
const mean = (last: number) => `round(avg(risk_score) OVER (ROWS BETWEEN ${last - 1} PRECEDING AND CURRENT ROW), 3)`

const db = await openDuckdb(':memory:', { threads: '2' })
await db.run(`
  COPY (SELECT ${fields.map(([name]) => name).join(', ')}, ${mean(50)} AS ma50, ${mean(100)} AS ma100,
    epoch_ns(now()::TIMESTAMP) AS _modified_ts, 0::INTEGER AS _version, row_number() OVER () AS _seq
  FROM ${csv}) TO '${target}' (FORMAT parquet)`)
db.close()
