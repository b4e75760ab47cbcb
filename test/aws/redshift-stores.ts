/** Redshift warehouses for tests, over the emulators of the Data API and of S3: each store is a schema of its own. */
import { openRedshiftWarehouse, type RedshiftOptions, type RedshiftTuning } from '../../utilities/redshift/warehouse.ts'
import type { Warehouse } from '../../utilities/warehouse.ts'
import type { TestDataApi } from './data-api.ts'

const limits = { pauseMs: 2, longestPauseMs: 20, firstMs: 300, shortMs: 2_000, outageMs: 20_000 }
let schemas = 0

export type TestWarehouse = { readonly warehouse: Warehouse; readonly notes: string[] }

/** One schema; each call of `open` is one more handle on it. */
export function redshiftStore({ region, workgroup, database }: TestDataApi) {
  const schema = `features_${++schemas}`
  return {
    schema,
    async open(more: Partial<RedshiftOptions> = {}, tuning: RedshiftTuning = {}): Promise<TestWarehouse> {
      const notes: string[] = []
      const options = { region, workgroup, database, schema, ...more }
      return {
        notes,
        warehouse: await openRedshiftWarehouse(options, (text) => notes.push(text), { ...tuning, limits: { ...limits, ...tuning.limits } }),
      }
    },
  }
}
