/** Users' own invoices through Kafka, Glue and Redshift: the figures are those of one machine, to the last digit. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, it } from 'vitest'
import { tellInvoices } from '../invoices.ts'
import { limitMs } from '../loan-folders.ts'
import { seed } from '../seeded.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForCloud, startCloud, type Cloud } from './cloud.ts'

function invoiceTests() {
  let cloud: Cloud
  beforeAll(async () => void (cloud = await startCloud()), 600_000)
  afterAll(() => cloud?.stop())

  it(
    'invoices of every kind of field give in the cloud what is computed in whole numbers',
    async () => {
      const { folder } = cloud.folder()
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { readonly log: object }
      await tellInvoices(folder, { ...config, log: { ...config.log, partitions: 3 } }, seed)
    },
    2 * limitMs,
  )
}

unlessMissing(missingForCloud(), invoiceTests)
