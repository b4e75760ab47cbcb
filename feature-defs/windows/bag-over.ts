/** What is read off the values of a window, over all of its kinds. */
import type { Field } from '../../schemas/record.ts'
import { gatheredBag } from '../facts/gathered-bag.ts'
import { overLast } from '../facts/over-last.ts'
import { overWindow } from '../facts/over-span.ts'
import type { Standing } from '../facts/standing.ts'
import { bucketsBag } from './buckets-bag.ts'
import { overTime } from './over-time.ts'
import { rowsBag, type ReadBag } from './rows-bag.ts'

export const bagOver = <Params>(read: (params: Params, field: Field) => ReadBag) => ({
  last: (records: number, params: Params, field: Field) => ({
    ...rowsBag(read(params, field), records),
    standing: () => overLast(gatheredBag(read(params, field)), records) as Standing,
  }),
  ...overTime(
    (reach, params: Params, field) => bucketsBag(read(params, field), reach),
    (span, params, field) => overWindow(gatheredBag(read(params, field)), span),
  ),
})
