/** COPY on the Data API test server, from an emulated S3: Parquet by position and by type, manifests that say every size, and gzip CSV. */
import { BatchExecuteStatementCommand, DescribeStatementCommand, RedshiftDataClient } from '@aws-sdk/client-redshift-data'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noDay, type Column } from '../../utilities/values/columns.ts'
import { openParquet } from '../../utilities/parquet/write.ts'
import type { SqlColumn } from '../../utilities/warehouse.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'
import { skipWithout } from '../unless-missing.ts'

const skip = skipWithout(missingForMoto())
let aws: TestAws
let api: TestDataApi
let s3: S3Client
let client: RedshiftDataClient

beforeAll(async () => {
  if (skip) return
  aws = await startMoto()
  api = await startDataApi({ s3Endpoint: aws.endpoint })
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  s3 = new S3Client({ endpoint: aws.endpoint, region: 'eu-west-1', forcePathStyle: true, credentials })
  await s3.send(new CreateBucketCommand({ Bucket: 'stage', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
  client = new RedshiftDataClient({ endpoint: api.endpoint, region: api.region, credentials })
})
afterAll(async () => {
  await api?.stop()
  await aws?.stop()
})

const put = (key: string, body: Uint8Array | string) => s3.send(new PutObjectCommand({ Bucket: 'stage', Key: key, Body: body }))
const role = "IAM_ROLE 'arn:aws:iam::123456789012:role/copy'"

/** The error of the batch, if it has one. */
async function errorOf(...Sqls: string[]): Promise<string | undefined> {
  const { Id } = await client.send(new BatchExecuteStatementCommand({ WorkgroupName: 'tidemark', Database: 'dev', Sqls }))
  return (await client.send(new DescribeStatementCommand({ Id, WaitTimeSeconds: 30 }))).Error
}
async function rowsOf(sql: string) {
  const session = await api.session()
  return (await session.run(sql).finally(() => session.end())).rows
}

const texts = ['', 'NULL', '\\N', ' a ', 'it\'s "quoted", twice', 'two\r\nlines', '\\.', 'é😀\t', 'a\\b']
const columns: readonly SqlColumn[] = [
  { name: 'x', type: 'double' },
  { name: 'd', type: 'date' },
  { name: 's', type: { varchar: 64 } },
  { name: 'v', type: 'integer' },
  { name: 'q', type: 'bigint' },
]

async function parquet(described: readonly SqlColumn[]): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-copy-'))
  const count = texts.length + 1
  const bytes = Buffer.from(texts.join(''))
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((sum, one) => sum + one))
  const all: Record<string, Column> = {
    x: { kind: 'number', values: Float64Array.from({ length: count }, (_, i) => (i === 3 ? NaN : 0.1 * 3 ** i)) },
    d: { kind: 'date', days: Int32Array.from({ length: count }, (_, i) => (i === 4 ? noDay : 13_000 + i)) },
    s: {
      kind: 'text',
      bytes,
      starts: Int32Array.from([...ends.map((end, i) => end - lengths[i]!), -1]),
      ends: Int32Array.from([...ends, 0]),
    },
    v: { kind: 'int', values: new Float64Array(count).fill(2) },
    q: { kind: 'long', values: BigInt64Array.from({ length: count }, (_, i) => 2n ** 60n + BigInt(i)) },
  }
  const writer = await openParquet({ folder, columns: described })
  await writer.append({ count, byName: new Map(Object.entries(all)) })
  await writer.finish()
  writer.close()
  const file = readFileSync(join(folder, 'part-00001.parquet'))
  rmSync(folder, { recursive: true })
  return file
}

const create = (name: string, more = '') => `CREATE TABLE ${name} (x DOUBLE PRECISION, d DATE, s VARCHAR(64), v INTEGER, q BIGINT${more})`
const manifest = (...files: { url: string; bytes?: number }[]) =>
  JSON.stringify({
    entries: files.map(({ url, bytes }) => ({ url, mandatory: true, ...(bytes === undefined ? {} : { meta: { content_length: bytes } }) })),
  })

describe.skipIf(skip)('COPY', () => {
  it('loads Parquet through a manifest, every value exact, in the transaction it stands in', async () => {
    const file = await parquet(columns)
    await put('a/1.parquet', file)
    await put('a/2.parquet', file)
    await put(
      'a/manifest',
      manifest({ url: 's3://stage/a/1.parquet', bytes: file.length }, { url: 's3://stage/a/2.parquet', bytes: file.length }),
    )
    const copy = `COPY loaded FROM 's3://stage/a/manifest' ${role} FORMAT AS PARQUET MANIFEST`
    expect(await errorOf(create('loaded'), copy, 'SELECT 1/0')).toMatch('division by zero')
    expect(await errorOf(create('loaded'), copy)).toBeUndefined()
    const day = (i: number) => new Date((13_000 + i) * 86_400_000).toISOString().slice(0, 10)
    const once = [...texts, null].map((text, i) => [
      i === 3 ? null : String(0.1 * 3 ** i),
      i === 4 ? null : day(i),
      text,
      '2',
      String(2n ** 60n + BigInt(i)),
    ])
    expect(await rowsOf('SELECT * FROM loaded ORDER BY q, ctid')).toEqual(once.flatMap((row) => [row, row]))
  })

  it('takes Parquet only when its columns are as many and of the same types', async () => {
    const file = await parquet(columns)
    await put('b/1.parquet', file)
    await put('b/manifest', manifest({ url: 's3://stage/b/1.parquet', bytes: file.length }))
    const copy = (table: string) => `COPY ${table} FROM 's3://stage/b/manifest' ${role} FORMAT AS PARQUET MANIFEST`
    expect(await errorOf(create('more', ', extra DATE'), copy('more'))).toMatch('Table columns: 6, Data columns: 5')
    const like = (name: string, s: string, v: string) => `CREATE TABLE ${name} (x DOUBLE PRECISION, d DATE, s ${s}, v ${v}, q BIGINT)`
    expect(await errorOf(like('other', 'VARCHAR(64)', 'BIGINT'), copy('other'))).toMatch(
      "column 'other.v' has an incompatible Parquet schema",
    )
    expect(await errorOf(like('short', 'VARCHAR(4)', 'INTEGER'), copy('short'))).toMatch('Value too long for character type')
  })

  it('wants the size of every file in the manifest, and the right one', async () => {
    await put('c/1.parquet', await parquet(columns))
    await put('c/none', manifest({ url: 's3://stage/c/1.parquet' }))
    await put('c/wrong', manifest({ url: 's3://stage/c/1.parquet', bytes: 5 }))
    await put('c/missing', manifest({ url: 's3://stage/c/2.parquet', bytes: 5 }))
    const copy = (name: string) =>
      errorOf(create(`c_${name}`), `COPY c_${name} FROM 's3://stage/c/${name}' ${role} FORMAT AS PARQUET MANIFEST`)
    expect(await copy('none')).toMatch('meta.content_length is required')
    expect(await copy('wrong')).toMatch('5 bytes')
    expect(await copy('missing')).toMatch('S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey')
    expect(await copy('nothing')).toMatch('Status 404')
    const from = "COPY c FROM 's3://stage/c/none'"
    expect(await errorOf(create('c'), `${from} IAM_ROLE 'me' FORMAT AS PARQUET MANIFEST`)).toMatch('Invalid IAM role')
    expect(await errorOf(create('c'), `${from} ${role} FORMAT AS PARQUET GZIP`)).toMatch('not supported for file format PARQUET')
  })

  it('loads gzip CSV, named columns of it, with a text that stands for null', async () => {
    await put('d/1.csv.gz', gzipSync('s,q\n"a ""b"", c",1\n@null,2\n"",3\n'))
    const copy = `COPY csv (s, q) FROM 's3://stage/d/1.csv.gz' ${role} FORMAT AS CSV GZIP NULL AS '@null' IGNOREHEADER 1`
    expect(await errorOf(create('csv'), copy)).toBeUndefined()
    expect(await rowsOf('SELECT s, q, v FROM csv ORDER BY q')).toEqual([
      ['a "b", c', '1', null],
      [null, '2', null],
      ['', '3', null],
    ])
  })

  it('fails while S3 does not answer', async () => {
    await aws.faults({ down: true })
    expect(await errorOf(create('gone'), `COPY gone FROM 's3://stage/b/manifest' ${role} FORMAT AS PARQUET MANIFEST`)).toMatch(
      /S3ServiceException/,
    )
    await aws.faults({})
  })
})
