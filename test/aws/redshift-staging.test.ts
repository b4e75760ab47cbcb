/** Many rows into Redshift through files in S3, over emulators of both (moto.ts and data-api.ts say what they cannot prove). */
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openRedshiftWarehouse } from '../../utilities/redshift/warehouse.ts'
import { anyFrom, anyLayout, anyRow, anyToColumns, type AnyRow } from '../contracts/every-kind.ts'
import { columnsFrom, everything, layoutOf, plainRows, readRows, type Row } from '../contracts/loan-rows.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { noFaults } from './data-api-faults.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'
import { redshiftStore } from './redshift-stores.ts'
import { skipWithout } from '../unless-missing.ts'

const staging = { bucket: 'staging', prefix: 'some/where', roleArn: 'arn:aws:iam::123456789012:role/copy' }

describe.skipIf(skipWithout(missingForMoto()))('many rows through files', { timeout: 60_000 }, () => {
  let aws: TestAws
  let api: TestDataApi
  let s3: S3Client

  beforeAll(async () => {
    aws = await startMoto()
    Object.assign(process.env, aws.env)
    api = await startDataApi({ s3Endpoint: aws.endpoint })
    Object.assign(process.env, api.env)
    s3 = new S3Client({ region: api.region, forcePathStyle: true })
    await s3.send(new CreateBucketCommand({ Bucket: staging.bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
  }, 600_000)
  afterAll(async () => {
    s3?.destroy()
    await api?.stop()
    await aws?.stop()
  })
  beforeEach(async () => {
    Object.assign(api.faults, noFaults())
    await aws.faults({})
  })

  async function arranged(more = {}, tuning = {}) {
    const store = redshiftStore(api)
    const opened = await store.open({ staging, ...more }, { ...tuning, limits: { shortMs: 5_000, firstMs: 5_000 } })
    await opened.warehouse.arrange(layoutOf(1, [1, 0]), [])
    return { ...store, ...opened }
  }
  const keys = async () => ((await s3.send(new ListObjectsV2Command({ Bucket: staging.bucket }))).Contents ?? []).map(({ Key }) => Key!)

  const odd: readonly Row[] = [
    {
      _seq: 1,
      _version: 1,
      _modified_ts: -(2n ** 63n),
      title: `it's \\ a "title", with\nlines; --`,
      note: '',
      day: '0001-01-01',
      amount: 5e-324,
      ma50: 0.1,
    },
    {
      _seq: 2,
      _version: 1,
      _modified_ts: 2n ** 63n - 1n,
      title: 'NULL',
      note: '\\N',
      day: '9999-12-31',
      amount: 1.7976931348623157e308,
      ma50: 397.667,
    },
    { _seq: 3, _version: 1, _modified_ts: 0n, title: '日本語 🙂 \u2028', note: null, day: null, amount: null, ma50: null },
  ].map((row) => ({ ma100: null, ...row }))

  it('come back exactly, with the progress, in few calls, and leave nothing behind', async () => {
    const { warehouse, notes } = await arranged()
    const rows = [...odd, ...plainRows(1, 4, 12_000)]
    await warehouse.write('loan', columnsFrom(rows), { reader: 'r', next: 12_000 })
    const before = { ...api.calls }
    await warehouse.write('loan', columnsFrom(plainRows(1, 11_001, 20_000)), { reader: 'r', next: 20_000 })
    const calls = Object.entries(api.calls)
      .map(([operation, count]) => [operation, count - (before[operation] ?? 0)])
      .filter(([, count]) => count !== 0)
    expect(Object.fromEntries(calls)).toEqual({ BatchExecuteStatement: 1, GetStatementResult: 1 })
    expect(await readRows(warehouse, 1)).toEqual([...rows, ...plainRows(1, 12_001, 20_000)])
    expect([await warehouse.progress('r'), await warehouse.extent('loan', 1)]).toEqual([20_000, { rows: 20_000, first: 1, last: 20_000 }])
    expect(await keys()).toEqual([])
    expect(notes).toEqual([])
  })

  it('have fields and features of every kind to the last digit', async () => {
    const { warehouse } = await arranged()
    await warehouse.arrange(anyLayout, [])
    const rows = fc.sample(anyRow, { numRuns: 6_000, seed: 17 })
    await warehouse.write('anything', anyToColumns(rows))
    const found: AnyRow[] = []
    for await (const chunk of warehouse.rows('anything', 0, everything)) {
      const fields = anyFrom(chunk, 'field')
      expect(anyFrom(chunk, 'feature')).toEqual(fields)
      found.push(...fields)
    }
    expect(found).toEqual(rows)
  })

  it('take the file way too when a single row is too long for a statement', async () => {
    const { warehouse } = await arranged()
    const layout = layoutOf(1, [1, 0])
    const wide = {
      ...layout,
      set: 'wide',
      record: layout.record.map((column) => (typeof column.type === 'object' ? { ...column, type: { varchar: 65535 } } : column)),
    }
    await warehouse.arrange(wide, [])
    const long = 'é'.repeat(30_000)
    await warehouse.write('wide', columnsFrom([{ _seq: 1, _version: 1, _modified_ts: 1n, title: long, note: long }]))
    expect((await warehouse.query('SELECT len(title), len(note) FROM wide_v1')).rows).toEqual([[30_000, 30_000]])
    const { warehouse: without } = await redshiftStore(api).open()
    await without.arrange(wide, [])
    await expect(without.write('wide', columnsFrom([{ _seq: 1, _version: 1, _modified_ts: 1n, title: long, note: long }]))).rejects.toThrow(
      'a row of wide is longer than a statement can be',
    )
  })

  it('are neither doubled nor lost while S3 and the warehouse fail now and then', async () => {
    const { warehouse, notes } = await arranged()
    for (let i = 0; i < 4; i++) {
      Object.assign(api.faults, { loseReplies: i % 2, conflicts: 1, tooManyActive: i % 3 })
      await aws.faults({
        errors: [{ service: 's3', action: 'PUT', type: i % 2 ? 'SlowDown' : 'InternalError', status: i % 2 ? 503 : 500, times: 4 }],
      })
      await warehouse.write('loan', columnsFrom(plainRows(1, i * 6_000 + 1, i * 6_000 + 6_000)), { reader: 'r', next: (i + 1) * 6_000 })
    }
    expect([await warehouse.progress('r'), await warehouse.extent('loan', 1)]).toEqual([24_000, { rows: 24_000, first: 1, last: 24_000 }])
    expect((await warehouse.query('SELECT count(*), count(DISTINCT _seq) FROM loan_v1')).rows).toEqual([[24_000, 24_000]])
    expect(notes.filter((text) => text.endsWith('; trying again')).length).toBe(
      notes.filter((text) => text.endsWith('it works again')).length,
    )
    expect(await keys()).toEqual([])
  })

  it('wait while S3 is away, and go on when it is back', async () => {
    const { warehouse, notes } = await arranged()
    await warehouse.write('loan', columnsFrom(plainRows(1, 1, 6_000)), { reader: 'r', next: 6_000 })
    await aws.faults({ down: true })
    const write = warehouse.write('loan', columnsFrom(plainRows(1, 6_001, 12_000)), { reader: 'r', next: 12_000 })
    while (notes.length === 0) await new Promise((next) => setTimeout(next, 10))
    await aws.faults({})
    await write
    expect(await warehouse.progress('r')).toBe(12_000)
    expect(notes).toEqual([expect.stringMatching(/^S3 \(bucket staging\): .+; trying again$/), 'S3 (bucket staging): it works again'])
  })

  it("of runs that crashed are removed after a day, and nobody else's files are", async () => {
    const hash = 'ab'.repeat(32)
    const mine = [`some/where/tidemark-staging/${hash}.manifest`, `some/where/tidemark-staging/${hash}.0.parquet`]
    const others = ['some/where/tidemark-staging/notes.txt', `some/else/tidemark-staging/${hash}.manifest`, `some/where/${hash}.manifest`]
    for (const Key of [...mine, ...others]) await s3.send(new PutObjectCommand({ Bucket: staging.bucket, Key, Body: 'x' }))
    const write = async (nowMs: number) => {
      const { warehouse } = await arranged({}, { nowMs: () => nowMs })
      await warehouse.write('loan', columnsFrom(plainRows(1, 1, 6_000)))
    }
    await write(Date.now() + 23 * 3_600_000)
    expect((await keys()).sort()).toEqual([...mine, ...others].sort())
    await write(Date.now() + 25 * 3_600_000)
    expect((await keys()).sort()).toEqual([...others].sort())
    for (const Key of others) await s3.send(new DeleteObjectCommand({ Bucket: staging.bucket, Key }))
  })

  it('stop with what is wrong when the bucket is not there or not allowed, and nothing is written', async () => {
    const { warehouse } = await arranged({ staging: { ...staging, bucket: 'elsewhere' } })
    const write = () => warehouse.write('loan', columnsFrom(plainRows(1, 1, 6_000)), { reader: 'r', next: 6_000 })
    await expect(write()).rejects.toThrow("the staging bucket does not exist. Check the bucket under the warehouse's staging")
    await aws.faults({ errors: [{ service: 's3', action: 'PUT', type: 'AccessDenied', status: 403, times: 9 }] })
    await expect(write()).rejects.toThrow(/^AWS does not let these credentials do that with S3 \(bucket elsewhere\) \(AccessDenied/)
    expect([await warehouse.progress('r'), await warehouse.extent('loan', 1)]).toEqual([undefined, undefined])
  })

  it('take the role that the warehouse has anyway where the config says default', async () => {
    const { warehouse } = await arranged({ staging: { ...staging, prefix: '', roleArn: 'default' } })
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 6_000)))
    expect(await readRows(warehouse, 0, everything, ['_seq'])).toHaveLength(6_000)
    expect(
      (await openRedshiftWarehouse({ region: 'eu-west-1', database: 'dev', schema: 'x', workgroup: 'w', staging }, () => {})).flush,
    ).toEqual({ rows: 100_000, everyMs: 10_000 })
  })
})
