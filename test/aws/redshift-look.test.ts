/** What doctor sees of Redshift and its staging bucket, over the emulators: as whom, in which schema, and what is missing. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Problem } from '../../utilities/values/problem.ts'
import { lookAtRedshift } from '../../utilities/redshift/look.ts'
import type { RedshiftOptions } from '../../utilities/redshift/warehouse.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { underAws } from './glue-stores.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'
import { skipWithout } from '../unless-missing.ts'

const skip = skipWithout(missingForMoto())

describe.skipIf(skip)('a look at Redshift', () => {
  let aws: TestAws
  let api: TestDataApi
  let back: () => void
  let options: RedshiftOptions
  beforeAll(async () => {
    aws = await startMoto()
    api = await startDataApi({ region: 'eu-west-1' })
    back = underAws({ ...aws, env: { ...api.env, ...aws.env } })
    const s3 = new S3Client({ region: 'eu-west-1', forcePathStyle: true })
    await s3.send(new CreateBucketCommand({ Bucket: 'staging', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
    s3.destroy()
    options = {
      region: api.region,
      workgroup: api.workgroup,
      database: api.database,
      schema: 'looked_at',
      staging: { bucket: 'staging', prefix: 'tidemark', roleArn: 'default' },
    }
  }, 600_000)
  afterAll(async () => {
    back?.()
    await api?.stop()
    await aws?.stop()
  })
  const found = (name: string, more: Partial<RedshiftOptions> = {}) =>
    lookAtRedshift({ ...options, ...more })
      .find((one) => one.name === name)!
      .look()

  it('says who is there, and that the schema is still to be made; then that it is', async () => {
    expect(await found('Redshift')).toEqual({
      found: expect.stringMatching(/, database \S+, user \S+; there is no schema looked_at yet: apply makes it$/),
    })
    const session = await api.session()
    await session.run('CREATE SCHEMA looked_at')
    await session.end()
    expect(await found('Redshift')).toEqual({ found: expect.stringMatching(/, user \S+, schema looked_at$/) })
  })

  it('lists the staging bucket, or says that there is none', async () => {
    expect((await found('staging bucket')).found).toMatch(/^staging can be listed/)
    const missing = await found('staging bucket', { staging: { bucket: 'no-such', prefix: '', roleArn: 'default' } }).catch(
      (error: unknown) => error,
    )
    expect(missing).toBeInstanceOf(Problem)
    expect((missing as Problem).what).toBe('the staging bucket does not exist')
    expect(lookAtRedshift({ ...options, staging: undefined }).map(({ name }) => name)).toEqual(['Redshift'])
  })
})
