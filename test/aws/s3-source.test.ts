/** Sources in S3: read as a file is, told from another in the same way, and every way an object can disappoint. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Problem } from '../../utilities/values/problem.ts'
import { fileSource } from '../../utilities/files/source.ts'
import { s3Source } from '../../utilities/s3/source.ts'
import { underAws } from './glue-stores.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'
import { skipWithout } from '../unless-missing.ts'

const skip = skipWithout(missingForMoto())
const folder = mkdtempSync(join(tmpdir(), 'tidemark-s3-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(skip)('a source in S3', () => {
  let aws: TestAws
  let back: () => void
  let s3: S3Client
  beforeAll(async () => {
    aws = await startMoto()
    back = underAws(aws)
    s3 = new S3Client({ region: 'eu-west-1', forcePathStyle: true })
    await s3.send(new CreateBucketCommand({ Bucket: 'loans', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
  }, 600_000)
  beforeEach(() => aws.faults({}))
  afterAll(async () => {
    s3?.destroy()
    back?.()
    await aws?.stop()
  })

  const put = async (key: string, bytes: Uint8Array | string) => {
    await s3.send(new PutObjectCommand({ Bucket: 'loans', Key: key, Body: Buffer.from(bytes as Uint8Array) }))
    return `s3://loans/${key}`
  }
  const source = (place: string) => s3Source(place, {}, { pace: 0.01 })
  const bytesOf = async (place: string) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of source(place).read()) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  }
  const problemOf = async (work: Promise<unknown>) => {
    const outcome = await work.then(
      () => 'no problem',
      (error: unknown) => error,
    )
    expect(outcome).toBeInstanceOf(Problem)
    return (outcome as Problem).message
  }
  const text = 'a,b\n1,2\n'
  const large = randomBytes(3_000_000)

  it('gives what a file of the same bytes gives, and has the same identity', async () => {
    const contents: Record<string, Uint8Array | string> = {
      'plain.csv': text,
      'packed.csv.gz': gzipSync(text),
      'without-the-name': gzipSync(text),
      'two.csv.gz': Buffer.concat([gzipSync(text), gzipSync('3,4\n'), Buffer.alloc(99)]),
      'empty.csv': '',
      'large.gz': gzipSync(large),
    }
    for (const [name, content] of Object.entries(contents)) {
      writeFileSync(join(folder, name), content)
      const place = await put(`some/folder/${name}`, content)
      const file = fileSource(join(folder, name))
      const chunks: Uint8Array[] = []
      for await (const chunk of file.read()) chunks.push(Buffer.from(chunk))
      expect((await bytesOf(place)).equals(Buffer.concat(chunks)), name).toBe(true)
      expect(await source(place).identify(), name).toEqual(await file.identify())
    }
  })

  it('goes on where a connection broke off', async () => {
    const place = await put('large', large)
    await aws.faults({ cutAfterBytes: 1_000_000 })
    expect((await bytesOf(place)).equals(large)).toBe(true)
    expect((await aws.calls())['s3:GET']).toBeGreaterThan(3)
  })

  it.each([
    ['s3://loans/nothing', /^there is no s3:\/\/loans\/nothing\. /],
    ['s3://no-such-bucket/x', /^there is no bucket no-such-bucket\. /],
  ])('%s is a Problem', async (place, told) => expect(await problemOf(bytesOf(place))).toMatch(told))

  it('that names no object, or is not the gzip its name says, or is damaged or cut short, is a Problem', async () => {
    for (const place of ['s3://', 's3://loans', 's3://loans/', 's3://loans/folder/']) expect(() => source(place), place).toThrow(Problem)
    expect(await problemOf(bytesOf(await put('not.gz', text)))).toContain('is not gzip')
    expect(await problemOf(bytesOf(await put('cut.gz', gzipSync(large).subarray(0, 100_000))))).toContain('is cut short')
    expect(await problemOf(source(await put('tail.gz', Buffer.concat([gzipSync(text), Buffer.from('rest')]))).prove())).toContain(
      'is damaged',
    )
  })

  it('that is replaced while it is read is a Problem, never a mixture', async () => {
    const place = await put('changing', large)
    const opened = source(place)
    await opened.identify()
    await put('changing', randomBytes(3_000_000))
    expect(
      await problemOf(
        (async () => {
          for await (const _ of opened.read()) continue
        })(),
      ),
    ).toContain('was replaced while it was being read')
  })

  it.each([
    ['AccessDenied', 403, /^AWS does not let these credentials/],
    ['ExpiredToken', 400, /^the AWS credentials have expired/],
    ['InternalError', 500, /fails in|does not answer/],
  ])('%s is told in one line', async (type, status, told) => {
    const place = await put('plain.csv', text)
    await aws.faults({ errors: [{ service: 's3', type, status, times: 1000 }] })
    expect(await problemOf(bytesOf(place))).toMatch(told)
  })

  it('ends with the reason when it is aborted, and never just ends', async () => {
    const place = await put('large', large)
    const stop = new AbortController()
    const read = async () => {
      for await (const _ of source(place).read(stop.signal)) stop.abort(new Error('enough'))
    }
    await expect(read()).rejects.toThrow('enough')
  })
})
