/** Training sets in Redshift, by one statement and through files, over emulators (data-api.ts and moto.ts say what they cannot prove). */
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answersOfWarehouse } from '../../training/statement.ts'
import { seed } from '../seeded.ts'
import { expectedRows, filled, labelsText, made, outcomesOf } from '../training-made.ts'
import { answerFor, chanceFor, featureNames, sets } from '../training-model.ts'
import { skipWithout } from '../unless-missing.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'
import { redshiftStore } from './redshift-stores.ts'

const staging = { bucket: 'training', prefix: 'labels', roleArn: 'arn:aws:iam::123456789012:role/copy' }
const runs = 4

describe.skipIf(skipWithout(missingForMoto()))('a training set in Redshift', { timeout: 120_000 }, () => {
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

  const cases = sets.flatMap((versions) => Array.from({ length: runs }, (_, i) => [versions[0].set, seed + i, versions] as const))

  it.each(cases)('of %s has the rows that a look at all rows finds (seed %i), and leaves no file behind', async (_, one, versions) => {
    const { rows: chosen, labels, rule, random } = chanceFor(one, versions)
    // VARCHAR(20) holds no more.
    const rows = chosen.map((row) => ({ ...row, name: row.name === null ? null : row.name.slice(0, 10) }))
    const definition = versions[random() < 0.5 ? 0 : 1]
    const features = featureNames(definition.version)
    const { warehouse } = await redshiftStore(api).open({ staging })
    await filled(warehouse, versions, rows)
    const options = { rule, maxAge: rule.maxAge, signal: new AbortController().signal, report: () => {} }
    const { rows: found, manifest } = await made({
      warehouse,
      definition,
      features,
      labels: labelsText(labels),
      rule,
      ask: (set, block) => answersOfWarehouse(warehouse.asOf!.bind(warehouse), set, block, options),
    })
    const answers = labels.map((label) => answerFor(definition, rows, label, rule))
    expect(found).toEqual(expectedRows(definition, features, labels, answers))
    expect(manifest.sets[0]!.labels).toEqual(outcomesOf(answers))
    expect((await s3.send(new ListObjectsV2Command({ Bucket: staging.bucket }))).Contents ?? []).toEqual([])
    await warehouse.close()
  })
})
