/** COPY as Redshift does it, for the Data API test server: files from S3, Parquet by position and by type, into a table of PostgreSQL. */
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { createWriteStream, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Answer } from 'pg'
import type { Session, TestPostgres } from './postgres.ts'
import type { Copy } from './redshift-sql-copy.ts'
import { SqlError } from './redshift-sql-words.ts'

type Manifest = { readonly entries: readonly { readonly url: string; readonly meta?: { readonly content_length?: number } }[] }
/** Where rows go, and where the files lie. */
type Servers = { readonly postgres: TestPostgres; readonly s3: string | undefined }
type Source = { readonly bucket: string; readonly key: string; /** As the manifest has it. */ readonly bytes: number | undefined }

/** What a column of Redshift's takes from Parquet; nothing is converted. */
const takes: Readonly<Record<string, readonly string[]>> = {
  smallint: ['SMALLINT'],
  integer: ['INTEGER'],
  bigint: ['BIGINT'],
  'double precision': ['DOUBLE'],
  real: ['FLOAT'],
  boolean: ['BOOLEAN'],
  numeric: ['DECIMAL'],
  date: ['DATE'],
  'character varying': ['VARCHAR'],
  character: ['VARCHAR'],
  'timestamp without time zone': ['TIMESTAMP', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE'],
}

let copies = 0

export async function copyInto(copy: Copy, session: Session, { postgres, s3 }: Servers): Promise<Answer> {
  if (s3 === undefined) throw new Error('COPY needs the address of an S3: give startDataApi its s3Endpoint')
  const credentials = { accessKeyId: 'copy', secretAccessKey: 'copy' }
  const client = new S3Client({ endpoint: s3, forcePathStyle: true, region: 'us-east-1', credentials, maxAttempts: 2 })
  const folder = join(postgres.directory, `copy-${process.pid}-${++copies}`)
  const files: string[] = []
  try {
    for (const source of await sourcesOf(client, copy)) {
      const file = `${folder}-${files.length}.${copy.format}`
      files.push(file)
      await download(client, source, file, copy.gzip)
    }
    if (copy.format === 'parquet') {
      const csv = `${folder}.csv`
      await toCsv(files, csv, await columnTypes(session, copy.table), copy.table)
      files.push(csv)
      return await session.run(`COPY ${tableName(copy.table)} FROM '${csv}' (FORMAT csv, NULL '')`)
    }
    const columns = copy.columns.length > 0 ? ` (${copy.columns.join(', ')})` : ''
    const nullAs = (copy.nullAs ?? '\\N').replaceAll('\\', '\\\\').replaceAll("'", "''")
    if (copy.skipLines > 1) throw new SqlError('the test server skips one line at most')
    const how = `(FORMAT csv, NULL E'${nullAs}', HEADER ${copy.skipLines === 1})`
    let answer: Answer | undefined
    for (const file of files) answer = await session.run(`COPY ${tableName(copy.table)}${columns} FROM '${file}' ${how}`)
    return answer!
  } finally {
    client.destroy()
    for (const file of files) rmSync(file, { force: true })
  }
}

const tableName = (table: string) => table.replace('#', '')

async function sourcesOf(client: S3Client, copy: Copy): Promise<Source[]> {
  if (!copy.manifest) {
    const { Contents = [] } = await asked(client.send(new ListObjectsV2Command({ Bucket: copy.bucket, Prefix: copy.key })))
    if (Contents.length === 0) throw new SqlError(`The specified S3 prefix '${copy.key}' does not exist`)
    return Contents.map(({ Key }) => ({ bucket: copy.bucket, key: Key!, bytes: undefined }))
  }
  const text = await (await asked(client.send(new GetObjectCommand({ Bucket: copy.bucket, Key: copy.key })))).Body!.transformToString()
  const { entries } = JSON.parse(text) as Manifest
  return entries.map(({ url, meta }) => {
    const place = /^s3:\/\/([^/]+)\/(.+)$/.exec(url)
    if (!place) throw new SqlError(`Invalid S3 URL in the manifest: ${url}`)
    if (copy.format === 'parquet' && meta?.content_length === undefined) {
      throw new SqlError('Manifest file is not in correct json format: meta.content_length is required for columnar files')
    }
    return { bucket: place[1]!, key: place[2]!, bytes: meta?.content_length }
  })
}

async function download(client: S3Client, { bucket, key, bytes }: Source, file: string, gzip: boolean): Promise<void> {
  const { Body, ContentLength } = await asked(client.send(new GetObjectCommand({ Bucket: bucket, Key: key })))
  const body = Body as Readable
  if (bytes !== undefined && bytes !== ContentLength) {
    body.on('error', () => {}).destroy()
    throw new SqlError(`the manifest says that s3://${bucket}/${key} has ${bytes} bytes; it has ${ContentLength}`)
  }
  await (gzip ? pipeline(body, createGunzip(), createWriteStream(file)) : pipeline(body, createWriteStream(file)))
}

/** What S3 refuses is a failed statement. */
const asked = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: Error & { readonly $metadata?: { readonly httpStatusCode?: number } }) => {
    throw new SqlError(`S3ServiceException:${error.message},Status ${error.$metadata?.httpStatusCode ?? 0},Error ${error.name}`)
  })

type NamedType = { readonly name: string; readonly type: string }

async function columnTypes(session: Session, table: string): Promise<NamedType[]> {
  const of = `attrelid = '${tableName(table).replaceAll(' ', '')}'::regclass`
  const { rows } = await session.run(
    `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE ${of} AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  )
  return rows.map(([name, type]) => ({ name: name!, type: type! }))
}

async function toCsv(files: readonly string[], csv: string, columns: readonly NamedType[], table: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', temp_directory: '' })
  const connection = await instance.connect()
  try {
    const list = `[${files.map((file) => `'${file}'`).join(', ')}]`
    const description = await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${list})`)
    const found = description.getRows().map(([name, type]): NamedType => ({ name: String(name), type: String(type) }))
    const refuse = (why: string) => {
      throw new SqlError(`Spectrum Scan Error: ${why}`)
    }
    if (found.length !== columns.length)
      refuse(`Unmatched number of columns between table and file. Table columns: ${columns.length}, Data columns: ${found.length}`)
    for (const [i, { name, type }] of columns.entries()) {
      const there = found[i]!.type
      if (!takes[type]?.includes(there.replace(/^DECIMAL\(.*/, 'DECIMAL')))
        refuse(`column '${table}.${name}' has an incompatible Parquet schema: column type ${type}, Parquet ${there}`)
    }
    // Text is always in quotes: null is what stands there without, and no text is taken for it.
    const quoted = found.filter(({ type }) => type === 'VARCHAR').map(({ name }) => `"${name.replaceAll('"', '""')}"`)
    const force = quoted.length > 0 ? `, FORCE_QUOTE (${quoted.join(', ')})` : ''
    writeFileSync(csv, '')
    await connection.run(`COPY (SELECT * FROM read_parquet(${list})) TO '${csv}' (FORMAT csv, HEADER false, NULLSTR ''${force})`)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
