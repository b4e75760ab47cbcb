/** The registry contract against Glue as the emulator has it: at once, with delays, and with pages of two. */
import { afterAll, beforeAll, describe } from 'vitest'
import { registryContract } from '../contracts/registry-contract.ts'
import { glueStore, underAws } from './glue-stores.ts'
import { missingForMoto, startMoto, type Faults, type TestAws } from './moto.ts'
import { skipWithout } from '../unless-missing.ts'

const skip = skipWithout(missingForMoto())

describe.skipIf(skip)('the Glue registry', () => {
  let aws: TestAws
  let back: () => void
  beforeAll(async () => {
    aws = await startMoto()
    back = underAws(aws)
  }, 600_000)
  afterAll(async () => {
    back?.()
    await aws?.stop()
  })

  const fresh = (faults: Faults) => async () => {
    await aws.reset()
    await aws.faults(faults)
    const store = glueStore()
    return { registry: async () => store.open().registry, dispose: async () => store.dispose() }
  }
  registryContract('Glue', fresh({}))
  registryContract(
    'Glue, whose definitions lose their attributes when they are compared, two results to an answer',
    fresh({ canonical: 'parsing', page: 2 }),
  )
  registryContract('Glue, where new versions are checked for a while and are seen late', fresh({ pendingMs: 60, lagMs: 40 }))
})
