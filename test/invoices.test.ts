/** Users' own invoices with no server at all. */
import { expect, it } from 'vitest'
import { freshFolder, warehouseOf } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'
import { tellInvoices } from './invoices.ts'
import { expectedFeatures, madeInvoices } from './invoice-records.ts'
import { readRows } from './oracle/compare.ts'
import { seed } from './seeded.ts'

it(
  'invoices with moments, decimals, numbers beyond 2^53, flags and a key of two fields give what is computed in whole numbers',
  async () => {
    const folder = freshFolder()
    await tellInvoices(folder, {}, seed)
    // SQL users sum and compare.
    const cents = expectedFeatures(madeInvoices(400, seed).invoices).map(({ high }) => BigInt(high!.replace('.', '') || '0'))
    const [[total, above]] = readRows(
      warehouseOf(folder),
      'SELECT round(sum(high), 2), count(*) FILTER (WHERE high > 1000000) FROM invoice_items',
    ) as [[number, number]]
    expect(Math.round(total * 100)).toBe(Number(cents.reduce((sum, one) => sum + one, 0n)))
    expect(Number(above)).toBe(cents.filter((one) => one > 100_000_000n).length)
  },
  limitMs,
)
