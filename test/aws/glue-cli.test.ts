/** Commands with the registry in Glue and a source in S3, as real processes over the emulator; everything else is embedded. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../config/config.ts'
import { freshFolder, tidemark, type Printed } from '../cli-run.ts'
import { generated, limitMs } from '../loan-folders.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'
import { skipWithout } from '../unless-missing.ts'

const skip = skipWithout(missingForMoto())
const config = '--config glue.json'

describe.skipIf(skip)('with the registry in Glue', () => {
  let aws: TestAws
  let folder: string
  const place = (registry = 'tidemark') => {
    const made = freshFolder()
    writeFileSync(
      join(made, 'glue.json'),
      JSON.stringify({ source: { file: 's3://loans/in/loans.csv.gz' }, registry: { kind: 'glue', region: '${AWS_REGION}', registry } }),
    )
    return made
  }
  const run = (words: string, at = folder) => tidemark(at, `${words} ${config}`, aws.env)
  const works = async (words: string, at = folder) => {
    const ended = await run(words, at)
    expect(ended, words).toMatchObject({ code: 0 })
    return ended
  }
  const doctor = async (at = folder) => {
    const { code, out } = await run('doctor --json', at)
    const { checks } = JSON.parse(out) as Printed
    return { code, checks, stateOf: (name: string) => checks.find(({ check }: Printed) => check === name) }
  }

  beforeAll(async () => {
    aws = await startMoto()
    const s3 = new S3Client({
      region: 'eu-west-1',
      endpoint: aws.endpoint,
      credentials: { accessKeyId: 'emulated', secretAccessKey: 'emulated' },
      forcePathStyle: true,
    })
    await s3.send(new CreateBucketCommand({ Bucket: 'loans', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
    await s3.send(new PutObjectCommand({ Bucket: 'loans', Key: 'in/loans.csv.gz', Body: readFileSync(await generated(3000)) }))
    s3.destroy()
    folder = place()
    await works('apply loan_risk@0 --yes')
    await works('backfill --years 2007')
    await works('produce --years 2008')
    await works('up --until-caught-up')
  }, 600_000)
  beforeEach(() => aws.faults({}))
  afterAll(() => aws?.stop())

  it(
    'the stages and versions work as ever, and the file in S3 is history like any other',
    async () => {
      const { out } = await works('schemas')
      expect(out).toMatch(/loan_risk +1 .* 0 +yes/)
      await works('verify loan_risk@0')
      await works('plan loan_risk@1')
      expect((await doctor()).code).toBe(0)
    },
    limitMs,
  )

  it(
    'a consumer, a sink and a producer start and work while Glue is away; a new version has to wait',
    async () => {
      await aws.faults({ errors: [{ type: 'InternalServiceException', status: 500, times: 100_000 }] })
      await works('produce --years 2009')
      const { err } = await works('up --until-caught-up')
      expect(err.match(/Glue fails in eu-west-1 .*: going on with what it said before/g)).toHaveLength(1)
      const refused = await run('apply loan_risk@1 --backfill --yes')
      expect(refused).toMatchObject({ code: 1 })
      expect(refused.err).toMatch(/Glue fails in eu-west-1 .*\. Run this again later\./)
      expect((await doctor()).stateOf('Glue registry').state).toBe('problem')

      await aws.faults({})
      expect((await works('versions')).out).not.toMatch(/@1|\b1 +(promoted|filling)/)
      await works('apply loan_risk@1 --backfill --yes')
      expect((await works('verify loan_risk@1')).code).toBe(0)
    },
    limitMs,
  )

  it(
    'an edited schema that Glue would not take is refused by plan and apply, and nothing is registered',
    async () => {
      const strange = place('strange')
      await works('apply loan_risk@0 --yes', strange)
      await aws.faults({ refuse: true })
      const refused = await run('apply loan_risk@1 --cold --yes', strange)
      expect(refused).toMatchObject({ code: 1 })
      expect(refused.err).toContain('Glue refused the schema of loan_risk')
      expect((await works('versions', strange)).out).not.toMatch(/@1/)
      expect((await works('schemas', strange)).out).toMatch(/loan_risk +1 /)
      expect((await works('schemas', strange)).out).not.toMatch(/loan_risk +2 /)
    },
    limitMs,
  )

  describe('doctor', () => {
    it('names what may not be done, without doing it', async () => {
      await aws.faults({
        errors: ['RegisterSchemaVersion', 'PutSchemaVersionMetadata', 'GetDatabase'].map((action) => ({
          type: 'AccessDeniedException',
          action,
          times: 100,
        })),
      })
      const { code, stateOf } = await doctor()
      expect(code).toBe(1)
      expect(stateOf('Glue permissions')).toMatchObject({
        state: 'problem',
        found: 'not allowed: glue:RegisterSchemaVersion, glue:PutSchemaVersionMetadata',
        todo: expect.stringContaining('docs/aws.md'),
      })
      expect(stateOf('Glue Data Catalog').state).toBe('problem')
      expect(stateOf('released versions').state).toBe('ok')
      await aws.faults({})
      await doctor(place('untouched'))
      expect(Object.keys(await aws.calls()).filter((call) => /CreateRegistry|CreateDatabase|CreateTable/.test(call))).toEqual([])
    })

    it('finds a clock that is wrong, another compatibility, and a registry that is not there', async () => {
      await aws.faults({ skewSeconds: 300 })
      expect((await doctor()).stateOf("this machine's clock")).toMatchObject({
        state: 'problem',
        found: expect.stringMatching(/^(299|300) s behind that of AWS$/),
      })
      await aws.faults({})
      const other = place()
      writeFileSync(join(other, 'glue.json'), JSON.stringify({ registry: { kind: 'glue', region: 'eu-west-1', compatibility: 'FULL' } }))
      expect((await doctor(other)).stateOf('Glue compatibility')).toMatchObject({
        state: 'problem',
        found: expect.stringContaining('loan_risk is BACKWARD'),
      })
      expect((await doctor(place('nowhere'))).stateOf('Glue registry')).toMatchObject({
        state: 'ok',
        found: 'there is no registry nowhere in eu-west-1 yet: apply makes it',
      })
    })
  })
})

describe('the configuration for AWS', () => {
  const env = {
    AWS_REGION: 'eu-west-1',
    KAFKA_BROKERS: 'b1:9098,b2:9098',
    REDSHIFT_WORKGROUP: 'features',
    TIDEMARK_BUCKET: 'bucket',
    REDSHIFT_COPY_ROLE: 'arn:aws:iam::123456789012:role/copy',
  }

  it('is complete once five names are set, and says which is missing', () => {
    expect(readConfig('config/aws.json', env)).toMatchObject({
      log: { kind: 'kafka', brokers: ['b1:9098', 'b2:9098'], auth: { kind: 'msk-iam', region: 'eu-west-1' } },
      registry: { kind: 'glue', region: 'eu-west-1', registry: 'tidemark', compatibility: 'BACKWARD' },
      warehouse: { kind: 'redshift', workgroup: 'features', staging: { bucket: 'bucket', prefix: 'tidemark' } },
    })
    for (const name of Object.keys(env)) expect(() => readConfig('config/aws.json', { ...env, [name]: undefined }), name).toThrow(name)
  })

  it.each([
    [{ registry: { kind: 'glue' } }, /registry\.region/],
    [{ registry: { kind: 'glue', region: 'r', compatibility: 'SOME' } }, /registry\.compatibility/],
    [{ registry: { kind: 'glue', region: 'r', regstry: 'x' } }, /unknown key registry\.regstry/],
    [{ warehouse: { kind: 'redshift', region: 'r', database: 'd', schema: 's' } }, /warehouse\.workgroup: give a workgroup/],
    [
      { warehouse: { kind: 'redshift', region: 'r', database: 'd', schema: 's', workgroup: 'w', cluster: 'c' } },
      /warehouse\.workgroup: give a workgroup/,
    ],
    [
      { warehouse: { kind: 'redshift', region: 'r', database: 'd', schema: 's', workgroup: 'w', dbUser: 'u' } },
      /a dbUser goes with a cluster/,
    ],
  ])('%j is refused by name', (config, told) => {
    const file = join(freshFolder(), 'config.json')
    writeFileSync(file, JSON.stringify(config))
    expect(() => readConfig(file, {})).toThrow(told)
  })
})
