/** The cloud profile when parts of the cloud are away or say no: what the user reads, and that whatever runs goes on once they are back. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { done, json, start, tidemark, until, type Running } from '../cli-run.ts'
import { generated, limitMs } from '../loan-folders.ts'
import { missingForCloud, redshiftCount, startCloud, type Cloud } from './cloud.ts'
import { noFaults } from './data-api-faults.ts'
import { unlessMissing } from '../unless-missing.ts'

const config = '--config config.json'
let cloud: Cloud

/** Exit 1, and one line of trouble for the user; `apply` has shown its plan before that. */
async function lineOf(folder: string, words: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, out, err } = await tidemark(folder, words, env)
  expect({ code, out }, err).toEqual({ code: 1, out: '' })
  const lines = err.trim().split('\n')
  if (!words.startsWith('apply')) expect(lines).toHaveLength(1)
  return lines.at(-1)!
}

const away = (service: 'glue' | 's3') => ({
  errors: [{ service, type: 'ServiceUnavailable', message: 'not now', status: 503, times: 1_000_000 }],
})
const denied = {
  errors: [{ service: 'glue' as const, type: 'AccessDeniedException', message: 'not allowed', status: 400, times: 1_000_000 }],
}
const timesSaid = (process: Running, text: string) => process.err().split(text).length - 1

function outageTests() {
  let file: string
  beforeAll(async () => {
    cloud = await startCloud()
    file = await generated(6000)
  }, 600_000)
  afterEach(async () => {
    Object.assign(cloud.api.faults, noFaults())
    await cloud.aws.faults({})
    await cloud.api.up()
  })
  afterAll(() => cloud?.stop())

  it(
    'a consumer and a sink that run go on through an outage of S3, of Redshift and of Glue, and say so once each',
    async () => {
      const { folder, schema } = cloud.folder()
      await done(folder, `apply loan_risk@0 --yes ${config}`)
      const [consumer, sink] = [start(folder, `consume ${config}`), start(folder, `sink ${config}`)]
      const written = () => redshiftCount(cloud.api, `${schema}.loan_risk_rows`)

      await cloud.aws.faults(away('s3'))
      const { rows: first } = await json(folder, `produce --years 2007-2012 --file ${file} ${config}`)
      expect(first).toBe(6000)
      await until(() => timesSaid(sink, 'trying again') === 1 || sink.hasEnded(), 50)
      expect(await written()).toBe(0)
      await cloud.aws.faults({})
      await until(async () => (await written()) === first || sink.hasEnded(), 50)
      await until(() => timesSaid(sink, 'it works again') === 1 || sink.hasEnded(), 50)

      await cloud.aws.faults(away('glue'))
      await cloud.api.down()
      const { rows: more } = await json(folder, `produce --years 2007-2012 --file ${await generated(300, 12)} --continue ${config}`)
      expect(more).toBe(300)
      await until(() => timesSaid(sink, 'trying again') === 2 || sink.hasEnded(), 50)
      await cloud.api.up()
      // Glue is still away: what it has said is known on this machine.
      await until(async () => (await written()) === first + more || sink.hasEnded(), 50)

      for (const process of [consumer, sink]) process.signal('SIGTERM')
      expect(await sink.ended).toMatchObject({ code: 0 })
      expect(await consumer.ended).toMatchObject({ code: 0 })
      expect(timesSaid(sink, 'it works again')).toBe(2)
      expect(await tidemark(folder, `consume --until-caught-up ${config}`)).toMatchObject({ code: 0 })
      expect(await lineOf(folder, `apply loan_risk@1 --cold --yes ${config}`)).toMatch(/^tidemark: .*Glue/)
      await cloud.aws.faults({})
      await done(folder, `apply loan_risk@1 --cold --yes ${config}`)
    },
    limitMs,
  )

  describe('one line says what to do', () => {
    let one: { readonly folder: string; readonly schema: string }
    const query = (file = 'config.json') => `query 'SELECT 1 AS one' --config ${file}`
    beforeAll(async () => {
      one = cloud.folder()
      await done(one.folder, `apply loan_risk@0 --yes ${config}`)
    })

    it('when Redshift is not where the config file says', async () => {
      const places = { region: { region: 'us-east-2' }, workgroup: { workgroup: 'other' }, database: { database: 'other' } }
      const lines = await Promise.all(
        Object.entries(places).map(([name, warehouse]) => {
          cloud.otherConfig(one, `${name}.json`, { warehouse })
          return lineOf(one.folder, query(`${name}.json`))
        }),
      )
      const [region, workgroup, database] = lines
      expect(region).toMatch(
        /^tidemark: Redshift .*tidemark.* does not exist.* us-east-2.*\. Check the workgroup or cluster and the region/,
      )
      expect(workgroup).toMatch(
        /^tidemark: Redshift .*other.* does not exist.* eu-west-1.*\. Check the workgroup or cluster and the region/,
      )
      expect(database).toMatch(/^tidemark: .*database other.*\. Check the database/)
    })

    it.each([
      ['expired', /^tidemark: the AWS credentials have expired\. Renew them/],
      [
        'denied',
        /^tidemark: AWS does not let these credentials do that.*not authorized to perform: redshift-data:BatchExecuteStatement.*\)\. /,
      ],
      ['unknown', /^tidemark: AWS does not accept these credentials\. Check AWS_PROFILE/],
    ] as const)('when the credentials are %s, and the same command works once they are good', async (credentials, says) => {
      cloud.api.faults.credentials = credentials
      expect(await lineOf(one.folder, query())).toMatch(says)
      cloud.api.faults.credentials = 'good'
      expect(await json(one.folder, query())).toEqual([{ one: 1 }])
    })

    it('when there are no credentials', async () => {
      const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }
      expect(await lineOf(one.folder, query(), none)).toMatch(/^tidemark: no AWS credentials were found\. Set AWS_PROFILE/)
    })

    it('when a sink may not write, and it goes on from there once it may', async () => {
      const { rows } = await json(one.folder, `produce --years 2007-2008 --file ${file} ${config}`)
      await done(one.folder, `consume --until-caught-up ${config}`)
      const sink = `sink --until-caught-up ${config}`
      cloud.api.faults.credentials = 'expired'
      expect(await lineOf(one.folder, sink)).toMatch(/^tidemark: the AWS credentials have expired\. /)
      Object.assign(cloud.api.faults, { credentials: 'good', failures: { count: 1, text: 'permission denied for schema story' } })
      expect(await lineOf(one.folder, sink)).toMatch(/^tidemark: Redshift .*permission denied for schema story.*\. /)
      expect(await redshiftCount(cloud.api, `${one.schema}.loan_risk_rows`)).toBe(0)
      expect(await done(one.folder, sink)).toBe(`wrote ${rows} rows`)
      expect(await redshiftCount(cloud.api, `${one.schema}.loan_risk_rows`)).toBe(rows)
    })

    it('when Glue says no, and the same command works once it does not', async () => {
      await cloud.aws.faults(denied)
      expect(await lineOf(one.folder, `apply loan_risk@1 --yes ${config}`)).toMatch(/^tidemark: .*glue/i)
      await cloud.aws.faults({})
      await done(one.folder, `apply loan_risk@1 --yes ${config}`)
    })

    it('when Redshift does not answer, at the end of a short patience', async () => {
      await cloud.api.down()
      expect(await lineOf(one.folder, query())).toMatch(
        /^tidemark: Redshift .*tidemark.* does not answer.*\(.*ECONNREFUSED.*\)\. Check the network/,
      )
    })

    it('when Redshift does not answer, and one more when it does', async () => {
      await cloud.api.down()
      const asking = start(one.folder, `versions loan_risk --json ${config}`)
      await until(() => asking.err() !== '' || asking.hasEnded(), 20)
      await cloud.api.up()
      const { code, err } = await asking.ended
      expect(code, err).toBe(0)
      const says = [/^Redshift .*ECONNREFUSED.*; trying again$/, /^Redshift .*: it works again$/]
      expect(err.trim().split('\n')).toEqual(says.map((text) => expect.stringMatching(text)))
    })
  })
}

unlessMissing(missingForCloud(), () => describe('the cloud profile', outageTests))
