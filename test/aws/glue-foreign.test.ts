/** Schemas that others registered in Glue: found by the id that their messages carry, in whatever registry they lie. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openGlueSchemas } from '../../utilities/glue/foreign-schemas.ts'
import { skipWithout } from '../unless-missing.ts'
import { storeForTest, underAws } from './glue-stores.ts'
import { missingForMoto, startMoto, type TestAws } from './moto.ts'

const definition = (name: string) => JSON.stringify({ type: 'record', name, fields: [{ name: 'id', type: 'long' }] })

describe.skipIf(skipWithout(missingForMoto()))('a schema of others in Glue', () => {
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
  const open = (nowMs = () => 0) => {
    const schemas = openGlueSchemas('eu-west-1', { pace: 0.02, nowMs })
    onTestFinished(schemas.close)
    return schemas
  }

  it('is found in whatever registry of the region it lies, and asked for once', async () => {
    const [one, other] = [storeForTest().open().registry, storeForTest().open().registry]
    const [key, value] = [
      await one.register('accounts-key', definition('Key')),
      await other.register('accounts-value', definition('Value')),
    ]
    const schemas = open()
    expect([await schemas.find(key.id), await schemas.find(value.id)]).toEqual([definition('Key'), definition('Value')])
    await aws.faults({})
    expect(await schemas.find(key.id)).toBe(definition('Key'))
    expect(await aws.calls()).toEqual({})
  })

  it('is found when Glue sees it, and not before', async () => {
    await aws.faults({ lagMs: 10 })
    const { id } = await storeForTest().open().registry.register('accounts-value', definition('Value'))
    expect(await open().find(id)).toBe(definition('Value'))
  })

  it('that is not there is believed not to be for half a minute', async () => {
    let now = 0
    const schemas = open(() => now)
    const id = randomUUID()
    expect(await schemas.find(id)).toBeUndefined()
    await aws.faults({})
    now = 29_999
    expect(await schemas.find(id)).toBeUndefined()
    expect(await aws.calls()).toEqual({})
    now = 30_000
    expect(await schemas.find(id)).toBeUndefined()
    expect(await aws.calls()).toHaveProperty('glue:GetSchemaVersion')
  })

  it('is a problem while Glue is away, and is found when it is back', async () => {
    const { id } = await storeForTest().open().registry.register('accounts-value', definition('Value'))
    const schemas = open()
    await aws.faults({ down: true })
    await expect(schemas.find(id)).rejects.toThrow('Glue does not answer in eu-west-1')
    await aws.faults({})
    expect(await schemas.find(id)).toBe(definition('Value'))
  })
})
