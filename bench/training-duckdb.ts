/** A training set as DuckDB makes it best: ASOF JOIN over the exported Parquet, whatever order the labels come out in. */
import { openDuckdb } from './duckdb.ts'

const [labels, rows, out] = process.argv.slice(2) as [string, string, string]
const db = await openDuckdb(':memory:', { threads: '2' })
await db.run(`COPY (
  SELECT l.*, r.mean10, r.total FROM '${labels}' l ASOF LEFT JOIN '${rows}/*.parquet' r ON l.account = r.account AND l.decided_at >= r.at
) TO '${out}' (FORMAT parquet)`)
db.close()
