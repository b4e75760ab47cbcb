/**
 * The warehouse in Redshift keeps the warehouse contract, over an emulator of the Data API (see data-api.ts for what that cannot prove).
 */
import { afterAll, beforeAll } from 'vitest'
import { warehouseContract } from '../contracts/warehouse-contract.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { redshiftStore } from './redshift-stores.ts'

let api: TestDataApi

beforeAll(async () => {
  api = await startDataApi()
  Object.assign(process.env, api.env)
})
afterAll(() => api.stop())

const fresh = async () => {
  const store = redshiftStore(api)
  return { warehouse: async () => (await store.open()).warehouse, dispose: async () => {} }
}
// A statement takes its time here.
const runs = 6
warehouseContract('redshift', fresh, {}, runs)
