/** The bucket for files on their way into Redshift. */
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, openS3, PutObjectCommand } from '../s3/client.ts'

export interface Bucket {
  put(key: string, bytes: Uint8Array): Promise<void>
  get(key: string): Promise<Uint8Array>
  remove(keys: readonly string[]): Promise<void>
  /** Every key that begins so, with when it was last written. */
  list(prefix: string): AsyncIterable<{ readonly key: string; readonly at: Date }>
  close(): void
}

const mostRemovedAtOnce = 1000

export function openBucket(region: string, bucket: string): Bucket {
  const client = openS3(region)
  return {
    async put(key, bytes) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }))
    },
    async get(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      return Body!.transformToByteArray()
    },
    async remove(keys) {
      for (let from = 0; from < keys.length; from += mostRemovedAtOnce) {
        const some = keys.slice(from, from + mostRemovedAtOnce)
        await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects: some.map((Key) => ({ Key })) } }))
      }
    },
    async *list(prefix) {
      for (let token: string | undefined; ;) {
        const asked = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token })
        const { Contents = [], NextContinuationToken } = await client.send(asked)
        for (const { Key, LastModified } of Contents) if (Key !== undefined && LastModified) yield { key: Key, at: LastModified }
        if (!NextContinuationToken) return
        token = NextContinuationToken
      }
    },
    close: () => client.destroy(),
  }
}
