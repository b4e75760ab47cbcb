/** What is read off the values of a window, over all of its kinds. */
import type { Field } from '../../schemas/record.ts'
import { bucketsBag } from './buckets-bag.ts'
import { overTime } from './over-time.ts'
import { rowsBag, type ReadBag } from './rows-bag.ts'

export const bagOver = <Params>(read: (params: Params, field: Field) => ReadBag) => ({
  last: (records: number, params: Params, field: Field) => rowsBag(read(params, field), records),
  ...overTime((reach, params: Params, field) => bucketsBag(read(params, field), reach)),
})
