/** A source that is an object in Amazon S3, streamed; a connection that breaks is taken up again where it broke. */
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { awsTrouble, type AwsService } from './aws-trouble.ts'
import { OutOfReach, Problem } from '../values/problem.ts'
import { GetObjectCommand, openS3 } from './client.ts'
import type { TextForm } from '../source.ts'
import { storedSource, type Stored, type StoredSource } from '../files/stored.ts'

const pausesMs = [200, 1_000, 5_000]

/** `pace` makes every pause that much shorter: for tests. */
export function s3Source(place: string, form?: TextForm, { pace = 1 } = {}): StoredSource {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(place) ?? []
  if (bucket === undefined || key === undefined || key.endsWith('/'))
    throw new Problem(`${place} names no object in S3`, 'Give it as s3://bucket/key.', { usage: true })
  const client = openS3()
  /** What the object was when it was first looked at: all later reads are of the same one. */
  let tag: string | undefined
  let size: number | undefined

  const get = async (range: string, signal?: AbortSignal) => {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, ...(tag !== undefined && { IfMatch: tag }) })
    const answer = await client.send(command, signal ? { abortSignal: signal } : {})
    tag ??= answer.ETag
    // As in "bytes 0-3/1234".
    size = Number(answer.ContentRange?.split('/').at(-1) ?? answer.ContentLength ?? 0)
    return answer.Body as unknown as AsyncIterable<Uint8Array>
  }

  async function* read(signal: AbortSignal | undefined, from: number): AsyncGenerator<Uint8Array> {
    let at = from
    for (let failures = 0; size === undefined || at < size;) {
      try {
        for await (const chunk of await get(`bytes=${at}-`, signal)) {
          at += chunk.length
          failures = 0
          yield chunk
        }
        if (at < size!) throw Object.assign(new Error('the connection ended early'), { code: 'ECONNRESET' })
      } catch (error) {
        if (isEmptyRange(error)) return
        if (signal?.aborted || !(explained(place, bucket!, error) instanceof OutOfReach) || failures === pausesMs.length) throw error
        await sleep(pausesMs[failures++]! * pace)
      }
    }
  }

  const stored: Stored = {
    place,
    name: basename(key),
    async start() {
      const bytes: Uint8Array[] = []
      try {
        for await (const chunk of await get('bytes=0-3')) bytes.push(chunk)
      } catch (error) {
        if (!isEmptyRange(error)) throw error
        size = 0
      }
      return Buffer.concat(bytes)
    },
    async size() {
      if (size === undefined) await stored.start()
      return size!
    },
    read,
    explained: (cause) => explained(place, bucket, cause),
  }
  return storedSource(stored, form)
}

/** An object without a byte has no first one to read. */
const isEmptyRange = (error: unknown) => (error as Error).name === 'InvalidRange'

function explained(place: string, bucket: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause
  const problem = (what: string, todo: string) => new Problem(what, todo, { cause })
  switch (cause.name) {
    case 'NoSuchKey':
    case 'NotFound':
      return problem(`there is no ${place}`, 'Check the key; S3 tells upper case from lower.')
    case 'NoSuchBucket':
    case 'InvalidBucketName':
      return problem(`there is no bucket ${bucket}`, 'Check the name after s3://.')
    case 'PreconditionFailed':
    case '412':
      return problem(`${place} was replaced while it was being read`, 'Run the command again.')
    case 'InvalidObjectState':
      return problem(`${place} lies in an archive`, 'Restore it in S3 first.')
  }
  if (/Region is missing/.test(cause.message)) return problem('no AWS region is set', 'Set AWS_REGION, or a region in the profile.')
  const where: AwsService = { service: `S3 (${place})`, region: process.env['AWS_REGION'] ?? "the profile's region", part: 'source' }
  const told = awsTrouble(cause, where)
  return told instanceof Error && '$metadata' in told && !(told instanceof Problem)
    ? problem(`S3 refused to give ${place}: ${cause.name}`, 'Check the bucket and its policy.')
    : told
}
