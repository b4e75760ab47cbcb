/**
 * What Glue can do to a registry: refuse late, forget attributes, be slow, be away, turn people away; and what becomes visible in its
 * catalog.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inflowReader } from '../../streams/inflow.ts'
import { inflowSchema } from '../../schemas/avro/schema.ts'
import { encodeObject } from '../../schemas/avro/generic.ts'
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { frame } from '../../schemas/wire.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { openGlue } from '../../utilities/glue/client.ts'
import { fromStored, toStored } from '../../utilities/glue/labels.ts'
import { storeForTest, underAws } from './glue-stores.ts'
import { missingForMoto, startMoto, type FaultRule, type TestAws } from './moto.ts'
import { skipWithout } from '../unless-missing.ts'

const schema = (...more: readonly object[]) =>
  JSON.stringify({ type: 'record', name: 'row', fields: [{ name: 'seq', type: 'long' }, ...more] })
const optional = (name: string, attributes: object = {}) => ({ name, type: ['null', 'double'], default: null, ...attributes })
const marker = (version: number) => ({ name: `_v${version}`, type: 'null', default: null })
const first = schema(marker(0))
const second = schema(optional('ma50', { tidemark: { op: 'mean' } }), marker(1))
const third = schema(optional('ma50', { tidemark: { op: 'ema' } }), marker(2))
const incompatible = schema({ name: 'needed', type: 'string' })

const problemOf = async (work: Promise<unknown>): Promise<string> => {
  const outcome = await work.then(
    (value) => `no problem but ${JSON.stringify(value)}`,
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(Problem)
  return (outcome as Problem).message
}

const skip = skipWithout(missingForMoto())

describe.skipIf(skip)('the Glue registry', () => {
  let aws: TestAws
  let back: () => void
  beforeAll(async () => {
    aws = await startMoto()
    back = underAws(aws)
  }, 600_000)
  beforeEach(async () => {
    await aws.reset()
    await aws.faults({})
  })
  afterAll(async () => {
    back?.()
    await aws?.stop()
  })
  const always = (type: string, more: Partial<FaultRule> = {}): FaultRule => ({ type, times: 1000, ...more })

  describe('a new version', () => {
    it('that Glue itself refuses is a Problem, and is neither listed nor found', async () => {
      const { registry } = storeForTest().open({ incompatibilities: () => () => [] })
      const before = await registry.register('row', first)
      const said = await problemOf(registry.register('row', incompatible))
      expect(said).toMatch(/^Glue refused the schema of row .*FAILURE\)\. No version was added\./)
      expect(await registry.list('row')).toEqual([before])
      expect(await registry.find(/version (\S+),/.exec(said)![1]!)).toBeUndefined()
      expect(await problemOf(registry.register('row', incompatible))).toContain('FAILURE')
      expect(await registry.list('row')).toEqual([before])
    })

    it('that is refused after it was being checked for a while is a Problem too', async () => {
      const { registry } = storeForTest().open()
      const before = await registry.register('row', first)
      await aws.faults({ refuse: true, pendingMs: 100 })
      expect(await problemOf(registry.register('row', second))).toContain('FAILURE')
      expect(await registry.list('row')).toEqual([before])
    })

    it('that is being checked for too long is a Problem, and registering it again goes on from there', async () => {
      const { registry } = storeForTest().open()
      await registry.register('row', first)
      await aws.faults({ pendingMs: 3_000 })
      expect(await problemOf(registry.register('row', second))).toMatch(/PENDING\)\. Run this again/)
      expect(await registry.list('row')).toHaveLength(1)
      await expect
        .poll(
          () =>
            registry.register('row', second).then(
              ({ number }) => number,
              () => 0,
            ),
          { timeout: 20_000 },
        )
        .toBe(2)
    })

    it('that collapses into one before it, because Glue drops attributes, is refused, and the one before is left as it is', async () => {
      await aws.faults({ canonical: 'parsing' })
      const { registry } = storeForTest().open()
      const before = await registry.register('row', schema(optional('ma50', { tidemark: { op: 'mean' } })))
      expect(await problemOf(registry.register('row', schema(optional('ma50', { tidemark: { op: 'ema' } }))))).toMatch(
        /^Glue took the new schema of row for its version 1, /,
      )
      expect(await registry.list('row')).toEqual([before])
    })

    it('whose attributes Glue does not keep is refused', async () => {
      await aws.faults({ canonical: 'parsing', strip: true })
      expect(await problemOf(storeForTest().open().registry.register('row', second))).toContain('another definition')
    })

    it('is held to the compatibility that its schema has in Glue, whatever the config says', async () => {
      const store = storeForTest()
      const loose = store.open({ compatibility: 'NONE' }).registry
      await loose.register('row', first)
      const strict = store.open({ compatibility: 'FULL_ALL' }).registry
      expect(await strict.reasonsAgainst('row', incompatible)).toEqual([])
      expect(await strict.reasonsAgainst('other', '{"type":"nonsense"}')).not.toEqual([])
      expect((await strict.register('row', incompatible)).number).toBe(2)
      const glue = openGlue('eu-west-1')
      await (
        await glueMaking(store.name, 'fixed', 'AVRO', 'DISABLED')
      )(first)
      await (
        await glueMaking(store.name, 'foreign', 'JSON', 'NONE')
      )('{"$schema":"http://json-schema.org/draft-07/schema#"}')
      glue.close()
      expect(await strict.reasonsAgainst('fixed', second)).toEqual([expect.stringContaining('DISABLED')])
      expect(await problemOf(strict.register('foreign', second))).toContain('is JSON, not Avro')
      expect(await strict.list('foreign')).toEqual([])
    })

    const glueMaking = async (registry: string, name: string, DataFormat: 'AVRO' | 'JSON', Compatibility: 'DISABLED' | 'NONE') => {
      const glue = openGlue('eu-west-1')
      return async (SchemaDefinition: string) => {
        await glue.ask('createSchema', {
          RegistryId: { RegistryName: registry },
          SchemaName: name,
          DataFormat,
          Compatibility,
          SchemaDefinition,
        })
        glue.close()
      }
    }

    it('is looked for without changing anything', async () => {
      const { registry } = storeForTest().open()
      await registry.register('row', first)
      await aws.faults({})
      expect(await registry.reasonsAgainst('row', incompatible)).toEqual([expect.stringContaining('needed')])
      expect(await registry.reasonsAgainst('row', second)).toEqual([])
      expect(await registry.reasonsAgainst('row', schema({ ...optional('long'), doc: 'x'.repeat(170_000) }))).toEqual([
        expect.stringContaining('170000'),
      ])
      expect(Object.keys(await aws.calls()).filter((call) => /Create|Register|Put|Remove/.test(call))).toEqual([])
    })

    it('makes its registry when it is missing, and says so once', async () => {
      const store = storeForTest()
      const { registry, notes } = store.open()
      await registry.register('row', first)
      await registry.register('other', first)
      expect(notes).toEqual([`made the registry ${store.name} in Glue, eu-west-1`])
    })
  })

  describe('while Glue is away', () => {
    it('what was read once is known: a process starts, finds and lists; what is new is refused', async () => {
      const store = storeForTest()
      const cachePath = `${store.folder}/shared.db`
      const before = store.open({ cachePath }).registry
      const one = await before.register('row', first)
      const two = await before.register('row', second)
      await before.label(two.id, { live: 'yes' })
      const listed = await before.list('row')
      expect(await before.subjects()).toEqual(['row'])

      await aws.faults({ down: true })
      const { registry, notes } = store.open({ cachePath })
      expect(await registry.find(one.id)).toEqual(one)
      expect(await registry.list('row')).toEqual(listed)
      expect(await registry.subjects()).toEqual(['row'])
      expect(await registry.register('row', second)).toEqual({ ...two, labels: { live: 'yes' } })
      expect(await problemOf(registry.register('row', third))).toMatch(/^Glue does not answer in eu-west-1/)
      expect(await problemOf(registry.label(one.id, { live: 'no' }))).toMatch(/^Glue does not answer/)
      expect(await problemOf(registry.list('never asked for'))).toMatch(/^Glue does not answer/)
      expect(await problemOf(registry.find('00000000-0000-4000-8000-000000000000'))).toMatch(/^Glue does not answer/)
      expect(notes).toEqual([expect.stringMatching(/^Glue does not answer in eu-west-1 .*: going on with what it said before$/)])
      expect(await problemOf(store.open().registry.subjects())).toMatch(/Check the network/)
    })

    it('nobody waits for it at every question, and when it is back that is said', async () => {
      let nowMs = 0
      const { registry, notes } = storeForTest().open({}, { nowMs: () => nowMs })
      await registry.register('row', first)
      const listed = await registry.list('row')
      await aws.faults({ down: true })
      expect(await registry.list('row')).toEqual(listed)
      await aws.faults({})
      expect(await registry.list('row')).toEqual(listed)
      expect(await aws.calls()).toEqual({})
      nowMs += 60_000
      expect(await registry.list('row')).toEqual(listed)
      expect(await aws.calls()).not.toEqual({})
      expect(notes.slice(1)).toEqual([expect.stringContaining('going on'), 'Glue answers again'])
    })

    it('a message of a schema that nobody here has met waits for it, and is not taken for dead', async () => {
      const store = storeForTest()
      const schema = inflowSchema(rejectedLoan)
      const wider = { ...schema, fields: [...schema.fields, { name: 'more', type: ['null', 'string'], default: null }] }
      const reader = await inflowReader(store.open({}, { nowMs: () => 0 }).registry, rejectedLoan, ['risk_score'])
      const { id } = await store.open().registry.register(schema.name, JSON.stringify(wider))
      const loan = {
        seq: 1,
        amount_requested: 1,
        application_date: 0,
        loan_title: null,
        risk_score: 693,
        debt_to_income_ratio: null,
        zip_code: null,
        state: null,
        employment_length: null,
        policy_code: null,
        more: 'x',
      }
      const bytes = frame(id, encodeObject(wider, loan))
      const fetched = { offset: 0, next: 1, batch: { bytes, ends: Uint32Array.of(bytes.length) } }
      await aws.faults({ down: true })
      expect(await problemOf(reader.read(fetched, Infinity))).toMatch(/^Glue does not answer/)
      await aws.faults({})
      expect(await reader.read(fetched, Infinity)).toMatchObject({ dead: [], rows: Int32Array.of(0) })
    })

    it('another registry of the same cache is not answered for', async () => {
      const store = storeForTest()
      const cachePath = `${store.folder}/shared.db`
      await store.open({ cachePath }).registry.register('row', first)
      await aws.faults({ down: true })
      await problemOf(store.open({ cachePath, region: 'us-east-1' }).registry.list('row'))
      await problemOf(store.open({ cachePath, registry: 'another' }).registry.list('row'))
    })
  })

  describe('when Glue turns requests away', () => {
    it('goes on asking while there are too many, and somebody else is changing the same thing', async () => {
      await aws.faults({
        errors: [always('ThrottlingException', { times: 9 }), { type: 'ConcurrentModificationException', action: 'CreateRegistry' }],
      })
      expect((await storeForTest().open().registry.register('row', first)).number).toBe(1)
    })

    it('says so when that does not end', async () => {
      await aws.faults({ errors: [always('ThrottlingException')] })
      expect(await problemOf(storeForTest().open({}, { pace: 0.001 }).registry.list('row'))).toMatch(
        /^Glue turned this process away for long: too many requests/,
      )
    }, 30_000)

    it.each([
      ['ExpiredTokenException', 'The security token included in the request is expired', /^the AWS credentials have expired\. Renew them/],
      [
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
        /^AWS does not accept these credentials\. /,
      ],
      [
        'InvalidSignatureException',
        "Credential should be scoped to a valid region, not 'eu-west-1'. ",
        /^Glue is not in the region eu-west-1\. Correct the region of the registry/,
      ],
      [
        'InvalidSignatureException',
        'Signature expired: 20261121T100000Z is now earlier than 20261121T110000Z',
        /clock is wrong\. Set the clock/,
      ],
      [
        'AccessDeniedException',
        'User: arn:aws:iam::123456789012:user/x is not authorized to perform: glue:ListSchemaVersions',
        /^AWS does not let these credentials .*glue:ListSchemaVersions.*docs\/aws\.md\.$/,
      ],
      ['InternalServiceException', 'oops', /^Glue fails in eu-west-1 \(InternalServiceException: oops\)/],
    ])('%s (%s) is told in one line', async (type, message, told) => {
      await aws.faults({ errors: [always(type, { message, ...(type.startsWith('Internal') && { status: 500 }) })] })
      const said = await problemOf(storeForTest().open().registry.list('row'))
      expect(said).toMatch(told)
      expect(said).not.toContain('\n')
    })

    it('says nothing secret, whatever the message holds', async () => {
      await aws.faults({
        errors: [always('AccessDeniedException', { message: 'key AKIAIOSFODNN7EXAMPLE token=abc123 https://x/?X-Amz-Signature=beef&a' })],
      })
      const said = await problemOf(storeForTest().open().registry.list('row'))
      for (const secret of ['IOSFODNN7', 'abc123', 'beef']) expect(said).not.toContain(secret)
    })

    it('says that there are no credentials', async () => {
      const { registry } = storeForTest().open()
      const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret } = process.env
      delete process.env['AWS_ACCESS_KEY_ID']
      delete process.env['AWS_SECRET_ACCESS_KEY']
      try {
        expect(await problemOf(registry.list('row'))).toMatch(/^no AWS credentials were found\. Set AWS_PROFILE/)
      } finally {
        Object.assign(process.env, { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret })
      }
    })
  })

  describe('labels', () => {
    it('of any text come back as they were, in letters that Glue takes', () => {
      fc.assert(
        fc.property(
          fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed()),
          (text) => {
            expect(toStored(text)).toMatch(/^[a-zA-Z0-9+=._/@-]+$/)
            expect(fromStored(toStored(text))).toBe(text)
          },
        ),
        { numRuns: 300 },
      )
    })

    it('that are changed have one value, also where another program added a second', async () => {
      const store = storeForTest()
      const { registry } = store.open()
      const { id } = await registry.register('row', first)
      await registry.label(id, { live: 'yes' })
      const glue = openGlue('eu-west-1')
      await glue.ask('putSchemaVersionMetadata', {
        SchemaVersionId: id,
        MetadataKeyValue: { MetadataKey: 'live', MetadataValue: 'perhaps' },
      })
      await registry.label(id, { live: 'no' })
      const { MetadataInfoMap } = await glue.ask('querySchemaVersionMetadata', { SchemaVersionId: id })
      glue.close()
      expect(MetadataInfoMap).toEqual({ live: { MetadataValue: 'no', CreatedTime: expect.any(String), OtherMetadataValueList: [] } })
    })
  })

  describe('the Data Catalog', () => {
    const tableOf = async (database: string, name: string) => {
      const glue = openGlue('eu-west-1')
      try {
        const found = await glue.ask('getTable', { DatabaseName: database, Name: name }, 'missing')
        return found === 'missing' ? undefined : found.Table
      } finally {
        glue.close()
      }
    }

    it('shows a set as a table with the schema of the newest version that is computed', async () => {
      const store = storeForTest()
      const { registry, notes } = store.open()
      const one = await registry.register('loan_risk', first)
      const two = await registry.register('loan_risk', second)
      await registry.label(one.id, { set: 'loan_risk', version: '0', live: 'yes' })
      expect(await tableOf(store.name, 'loan_risk')).toMatchObject({
        Parameters: { 'tidemark.version': '0' },
        StorageDescriptor: { SchemaReference: { SchemaVersionId: one.id } },
      })
      await registry.label(two.id, { set: 'loan_risk', version: '1', live: 'yes' })
      expect((await tableOf(store.name, 'loan_risk'))!.StorageDescriptor!.SchemaReference).toEqual({ SchemaVersionId: two.id })
      await registry.label(two.id, { live: 'no' })
      expect((await tableOf(store.name, 'loan_risk'))!.StorageDescriptor!.SchemaReference).toEqual({ SchemaVersionId: one.id })
      expect(notes).toHaveLength(1)
    })

    it('is not needed: what goes wrong there is a note, and the label is set', async () => {
      const store = storeForTest()
      const { registry, notes } = store.open()
      const { id } = await registry.register('loan_risk', first)
      await aws.faults({ errors: [always('AccessDeniedException', { action: 'GetTable' })] })
      await registry.label(id, { live: 'yes' })
      expect((await registry.find(id))!.labels).toEqual({ live: 'yes' })
      expect(notes.slice(1)).toEqual([
        expect.stringMatching(/^the feature set loan_risk could not be shown in the Glue Data Catalog: AWS does not let/),
      ])
    })

    it('leaves a table alone that is not one of ours, and nothing is made when it is turned off', async () => {
      const store = storeForTest()
      const glue = openGlue('eu-west-1')
      await glue.ask('createDatabase', { DatabaseInput: { Name: store.name } })
      await glue.ask('createTable', { DatabaseName: store.name, TableInput: { Name: 'loan_risk', Parameters: { of: 'somebody' } } })
      glue.close()
      const { registry, notes } = store.open()
      const { id } = await registry.register('loan_risk', first)
      await registry.label(id, { live: 'yes' })
      expect(await tableOf(store.name, 'loan_risk')).toMatchObject({ Parameters: { of: 'somebody' } })
      expect(notes.at(-1)).toContain("is not one of Tidemark's")
      await aws.faults({})
      await store.open({ catalogDatabase: false }).registry.label(id, { live: 'no' })
      expect(Object.keys(await aws.calls()).filter((call) => /Table|Database/.test(call))).toEqual([])
    })
  })
})
