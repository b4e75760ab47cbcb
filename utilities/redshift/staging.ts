/** Rows on their way into Redshift as Parquet files in S3, where COPY reads them; what crashed runs left there is removed after a day. */
import type { Columns } from '../values/columns.ts'
import { parquetFile } from '../parquet/file.ts'
import { Problem } from '../values/problem.ts'
import { columnOfStored, type StoredColumn } from '../sql/declared.ts'
import { openBucket } from './bucket.ts'
import { textLiteral } from './literals.ts'

export type StagingPlace = {
  readonly bucket: string
  readonly prefix: string
  /** What Redshift becomes to read the bucket; 'default' for the role that the warehouse has anyway. */
  readonly roleArn: string
}

export interface Staging {
  /** How a person knows it. */
  readonly name: string
  /** Puts the files and a manifest under the name; the same rows under the same name are the same objects. */
  put(name: string, files: readonly Uint8Array[]): Promise<void>
  copyText(table: string, name: string): string
  remove(name: string, files: readonly Uint8Array[]): Promise<void>
  /** Has Redshift put the rows of a statement there as Parquet, under the name. */
  unloadText(select: string, name: string): string
  /** The files that it has put there. */
  unloaded(name: string): AsyncIterable<Uint8Array>
  removeUnloaded(name: string): Promise<void>
  /** Removes what was put before the time and never removed. */
  removeBefore(time: Date): Promise<number>
  close(): void
}

const ours = /\/tidemark-staging\/[0-9a-f]{64}\.(manifest|\d+\.parquet|out\/[\w.-]+)$/

export function openStaging(region: string, { bucket, prefix, roleArn }: StagingPlace): Staging {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw misnamed('bucket', bucket, 'Give the name of a bucket, without s3://.')
  if (!/^[\w!.*()/=-]*$/.test(prefix)) throw misnamed('prefix', prefix, 'Use letters, digits, and / - _ . = only.')
  const isRole = /^(default|arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+)$/
  if (!isRole.test(roleArn)) throw misnamed('roleArn', roleArn, 'Give the ARN of a role that Redshift may take, or default.')
  const role = roleArn === 'default' ? 'default' : `'${roleArn}'`
  const folder = `${prefix.replace(/^\/+|\/+$/g, '')}/tidemark-staging/`.replace(/^\//, '')
  const store = openBucket(region, bucket)
  const manifestOf = (name: string) => `${folder}${name}.manifest`
  const unloadedAs = (name: string) => `${folder}${name}.out/`
  const keyOf = (name: string, i: number) => `${folder}${name}.${i}.parquet`

  return {
    name: `S3 (bucket ${bucket})`,
    async put(name, files) {
      for (const [i, bytes] of files.entries()) await store.put(keyOf(name, i), bytes)
      const entries = files.map(({ length }, i) => ({
        url: `s3://${bucket}/${keyOf(name, i)}`,
        mandatory: true,
        meta: { content_length: length },
      }))
      await store.put(manifestOf(name), Buffer.from(JSON.stringify({ entries })))
    },
    copyText: (table, name) => `COPY ${table} FROM 's3://${bucket}/${manifestOf(name)}' IAM_ROLE ${role} FORMAT AS PARQUET MANIFEST`,
    remove: (name, files) => store.remove([manifestOf(name), ...files.map((_, i) => keyOf(name, i))]),
    unloadText: (select, name) =>
      `UNLOAD (${textLiteral(select)}) TO 's3://${bucket}/${unloadedAs(name)}' IAM_ROLE ${role} FORMAT AS PARQUET ALLOWOVERWRITE`,
    async *unloaded(name) {
      for await (const { key } of store.list(unloadedAs(name))) yield await store.get(key)
    },
    async removeUnloaded(name) {
      const keys: string[] = []
      for await (const { key } of store.list(unloadedAs(name))) keys.push(key)
      if (keys.length > 0) await store.remove(keys)
    },
    async removeBefore(time) {
      const old: string[] = []
      for await (const { key, at } of store.list(folder)) if (at < time && ours.test(`/${key}`)) old.push(key)
      await store.remove(old)
      return old.length
    },
    close: store.close,
  }
}

const misnamed = (option: string, given: string, todo: string) =>
  new Problem(`the warehouse's staging ${option} is ${JSON.stringify(given)}`, todo)

/**
 * The columns of the rows in their order: COPY reads Parquet by position. The same rows are the same bytes, so a write that comes again is
 * known by its content.
 */
export async function parquetOf(rows: Columns, stored: readonly StoredColumn[]): Promise<readonly Uint8Array[]> {
  const columns = [...rows.byName.keys()].map((name) => columnOfStored(stored.find((one) => one.name === name)!))
  const bytes: Uint8Array[] = []
  const file = parquetFile(columns, (more) => bytes.push(more))
  file.append(rows)
  file.finish()
  return [Buffer.concat(bytes)]
}
