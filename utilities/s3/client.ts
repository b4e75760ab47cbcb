/** The door to Amazon S3. */
import { S3Client } from '@aws-sdk/client-s3'

export { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'

/** Without a region: that of the environment or the profile, and of the bucket where it lies elsewhere. */
export const openS3 = (region?: string, requestTimeoutMs = 120_000): S3Client =>
  new S3Client({
    ...(region === undefined ? { followRegionRedirects: true } : { region }),
    requestHandler: { connectionTimeout: 5_000, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true },
    // A server of one's own, as in tests, has no name for each bucket.
    forcePathStyle: process.env['AWS_ENDPOINT_URL_S3'] !== undefined,
  })
