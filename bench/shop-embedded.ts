/** The shop with no server: its first load, and a price list of which every price is another, through to the warehouse. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, type Finished } from './child.ts'
import { readRows } from '../test/oracle/compare.ts'
import { inScratch } from './scratch.ts'
import { differingTotals, totalsOf, totalsText, type ShopData } from './shop-data.ts'

export type ShopRun = { readonly [step in 'load' | 'up' | 'changes' | 'upChanges']: Finished }

export const shopDefinitions = join(import.meta.dirname, 'shop-definitions.ts')

/** `work` is given what runs a command on a new store, to which the set is applied. */
const withStore = <T>(
  { sources }: ShopData,
  work: (command: (words: string) => Promise<Finished>, warehouse: string) => Promise<T>,
): Promise<T> =>
  inScratch(async ({ dir }) => {
    const configFile = join(dir, 'shop.json')
    writeFileSync(configFile, JSON.stringify({ dataDir: join(dir, 'tidemark'), features: shopDefinitions, sources }))
    const command = (words: string) => run('tidemark.js', [...words.split(' '), '--config', configFile, '--yes'])
    await command('apply account_totals@0')
    return work(command, join(dir, 'tidemark', 'warehouse.db'))
  })

export const measureShop = (data: ShopData): Promise<ShopRun> =>
  withStore(data, async (command, warehouse) => {
    const load = await command('load --at 2024-06-30')
    const up = await command('up --until-caught-up')
    checkTotals(warehouse, data, false)
    const changes = await command(`load skus --file ${data.otherPrices} --at 2024-07-01`)
    const upChanges = await command('up --until-caught-up')
    checkTotals(warehouse, data, true)
    return { load, up, changes, upChanges }
  })

export const measureMemory = (data: ShopData): Promise<{ readonly [part in 'load' | 'consume']: Finished }> =>
  withStore(data, async (command) => ({
    load: await command('load --at 2024-06-30'),
    consume: await command('consume --until-caught-up'),
  }))

/** What has been measured must have been right. */
export function checkTotals(warehouse: string, data: ShopData, isDearer: boolean): void {
  const rows = readRows(
    warehouse,
    'SELECT account_id, owing, late_share, invoices, items, largest FROM account_totals_latest WHERE items > 0',
  )
  const found = new Map(
    rows.map(([id, ...cells]) => {
      const [owing, lateShare, invoices, items, largest] = cells as [number | null, number | null, number, number, number | null]
      return [String(id), totalsText({ owing, lateShare, invoices, items, largest })]
    }),
  )
  const wrong = differingTotals(found, totalsOf(data, isDearer))
  if (wrong.length > 0) throw new Error(`the warehouse is not as it should be: ${wrong.join('; ')}`)
}
