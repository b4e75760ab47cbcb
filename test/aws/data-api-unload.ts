/** UNLOAD for the Data API test server: rows of PostgreSQL as Parquet files in S3, in two files as slices of Redshift would write them. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from 'pg'
import type { Session, TestPostgres } from './postgres.ts'
import { SqlError } from './redshift-sql-words.ts'
import type { Unload } from './redshift-sql-unload.ts'

type Servers = { readonly postgres: TestPostgres; readonly s3: string | undefined }

/** What a column of Redshift's becomes in Parquet. */
const becomes: Readonly<Record<string, string>> = {
  integer: 'INTEGER',
  bigint: 'BIGINT',
  'double precision': 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
}

let unloads = 0

export async function unloadTo(
  { select, bucket, prefix }: Unload,
  translated: string,
  session: Session,
  { postgres, s3 }: Servers,
): Promise<Answer> {
  if (s3 === undefined) throw new Error('UNLOAD needs the address of an S3: give startDataApi its s3Endpoint')
  if (select.includes('$$')) throw new SqlError('dollar quoting is only understood in procedures')
  const table = `unloaded_${++unloads}`
  const csv = join(postgres.directory, `${table}-${process.pid}.csv`)
  const answer = await session.run(`CREATE TEMP TABLE ${table} AS ${translated}`)
  const of = `attrelid = '${table}'::regclass AND attnum > 0`
  const types = await session.run(`SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE ${of} ORDER BY attnum`)
  await session.run(`COPY ${table} TO '${csv}' (FORMAT csv, NULL '', FORCE_QUOTE *)`)
  await session.run(`DROP TABLE ${table}`)
  const columns = types.rows.map(([name, type]) => `'${name}': '${typeOf(type!)}'`).join(', ')
  const client = new S3Client({
    endpoint: s3,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'copy', secretAccessKey: 'copy' },
  })
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const files: string[] = []
  try {
    for (const slice of [0, 1]) {
      const file = `${csv}.${slice}.parquet`
      files.push(file)
      const how = `header = false, auto_detect = false, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false`
      const rows = `SELECT *, row_number() OVER () AS n FROM read_csv('${csv}', ${how}, columns = {${columns}})`
      const some = `SELECT * EXCLUDE (n) FROM (${rows}) WHERE n % 2 = ${slice}`
      await connection.run(`COPY (${some}) TO '${file}' (FORMAT parquet)`)
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}000${slice}_part_00.parquet`, Body: readFileSync(file) }))
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
    client.destroy()
    for (const file of [csv, ...files]) rmSync(file, { force: true })
  }
  return answer
}

function typeOf(type: string): string {
  const [, digits, scale] = /^numeric\((\d+),(\d+)\)$/.exec(type) ?? []
  if (digits !== undefined) return `DECIMAL(${digits}, ${scale})`
  if (type.startsWith('character varying')) return 'VARCHAR'
  const found = becomes[type]
  if (found === undefined) throw new SqlError(`the test server unloads no ${type}`)
  return found
}
