/** The door to DuckDB, an optional dependency: rows go in as columns and come out as Parquet files. */
import type { DuckDBAppender, DuckDBValue } from '@duckdb/node-api'
import { noDay, type Column, type Columns } from '../columns.ts'
import { Problem } from '../problem.ts'
import type { SqlColumn, SqlType } from '../warehouse/warehouse.ts'

export type ParquetOptions = {
  /** It exists, and is empty. */
  readonly folder: string
  readonly columns: readonly SqlColumn[]
  /** A folder COLUMN=value for each of this column's values, null as NULL; the files in it leave the column out. */
  readonly partitionBy?: string
  readonly rowsPerFile?: number
}

export interface ParquetWriter {
  /** Rows behind those before, by the names of the columns; a file is written whenever there are enough for one. */
  append(rows: Columns): Promise<void>
  /** Writes what is left, and one file without rows when there were none. */
  finish(): Promise<void>
  close(): void
}

/** More folders than this are a mistake: a column that hardly repeats itself. */
const mostFolders = 10_000

const load = () => import('@duckdb/node-api').catch((cause: unknown) => {
  throw new Problem('Parquet needs the optional package @duckdb/node-api, which is not installed', 'Install it with: npm install @duckdb/node-api@1.4.4-r.1, or use --format csv.', { cause })
})
type DuckDb = Awaited<ReturnType<typeof load>>

export async function openParquet({ folder, columns, partitionBy, rowsPerFile = 1_000_000 }: ParquetOptions): Promise<ParquetWriter> {
  const duckdb = await load()
  // In memory, nothing beside the files asked for; one thread keeps the order of rows within each folder.
  const settings = { temp_directory: '', autoinstall_known_extensions: 'false', ...(partitionBy === undefined ? {} : { threads: '1' }) }
  const instance = await duckdb.DuckDBInstance.create(':memory:', settings)
  const connection = await instance.connect()
  const types = columns.map(({ type }) => duckType(duckdb, type))
  const table = `CREATE OR REPLACE TABLE part (${columns.map(({ name }, i) => `${identifier(name)} ${types[i]!}`).join(', ')})`
  let appender: DuckDBAppender | undefined
  let held = 0
  let files = 0

  const begin = async () => {
    await connection.run(table)
    return connection.createAppender('part')
  }
  const appendChunk = (to: DuckDBAppender, rows: Columns, from: number, end: number) => {
    const chunk = duckdb.DuckDBDataChunk.create(types, end - from)
    columns.forEach(({ name, type }, i) => chunk.setColumnValues(i, valuesOf(duckdb, rows.byName.get(name)!, type, from, end)))
    to.appendDataChunk(chunk)
  }
  const writePart = async () => {
    const ready = appender ?? (await begin())
    ready.closeSync()
    appender = undefined
    held = 0
    const part = `part-${String(++files).padStart(5, '0')}`
    const refusal = partitionBy === undefined ? undefined : await refusedPartition(partitionBy)
    if (refusal) throw refusal
    const how = partitionBy === undefined ? '' : `, PARTITION_BY (${identifier(partitionBy)}), FILENAME_PATTERN '${part}-{i}', OVERWRITE_OR_IGNORE true`
    await connection.run(`COPY part TO ${literal(partitionBy === undefined ? `${folder}/${part}.parquet` : folder)} (FORMAT parquet${how})`).catch((cause: unknown) => {
      throw new Problem(`the Parquet files cannot be written (${(cause as Error).message.replace(/\s+/g, ' ').replace(/\.$/, '')})`, 'Check the folder given to --out and the space left there.', { cause })
    })
  }
  const refusedPartition = async (name: string): Promise<Problem | undefined> => {
    const column = identifier(name)
    const found = await connection.runAndReadAll(`SELECT count(DISTINCT ${column}), count(*) FILTER (upper(CAST(${column} AS VARCHAR)) = 'NULL') FROM part`)
    const [folders, words] = found.getRows()[0]!.map(Number) as [number, number]
    if (folders > mostFolders) return new Problem(`${name} has ${folders} different values, and each would be a folder`, `Partition by a column with at most ${mostFolders}.`)
    // Both would be the folder NULL, and the rows of one would overwrite those of the other.
    return words === 0 ? undefined : new Problem(`${name} holds the text NULL, which as the name of a folder stands for no value`, 'Partition by another column.')
  }

  return {
    async append(rows) {
      for (let from = 0; from < rows.count;) {
        const end = Math.min(rows.count, from + duckdb.DuckDBVector.standardSize(), from + rowsPerFile - held)
        appender ??= await begin()
        appendChunk(appender, rows, from, end)
        held += end - from
        from = end
        if (held === rowsPerFile) await writePart()
      }
    },
    async finish() {
      if (held > 0 || files === 0) await writePart()
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

function duckType({ DOUBLE, INTEGER, BIGINT, DATE, VARCHAR }: DuckDb, type: SqlType) {
  if (typeof type !== 'string') return VARCHAR
  return { double: DOUBLE, integer: INTEGER, bigint: BIGINT, date: DATE }[type]
}

function valuesOf({ DuckDBDateValue }: DuckDb, column: Column, type: SqlType, from: number, end: number): DuckDBValue[] {
  const values = (valueAt: (row: number) => DuckDBValue) => Array.from({ length: end - from }, (_, i) => valueAt(from + i))
  switch (column.kind) {
    case 'number':
    case 'int': {
      const toValue = type === 'bigint' ? BigInt : Number
      return values((row) => (Number.isNaN(column.values[row]!) ? null : toValue(column.values[row]!)))
    }
    case 'long':
      return values((row) => column.values[row]!)
    case 'date':
      return values((row) => (column.days[row] === noDay ? null : new DuckDBDateValue(column.days[row]!)))
    case 'text': {
      const { bytes, starts, ends } = column
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return values((row) => (starts[row]! < 0 ? null : buffer.toString('utf8', starts[row], ends[row])))
    }
  }
}
