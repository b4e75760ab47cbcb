/** The shop with no server: its first load, and a price list of which every price is another, through to the warehouse. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, start, type Finished, type Running } from './child.ts'
import { readRows } from '../test/oracle/compare.ts'
import { inScratch } from './scratch.ts'
import { differingTotals, totalsOf, totalsText, type ShopData } from './shop-data.ts'

export type ShopRun = { readonly [step in 'load' | 'up' | 'changes']: Omit<Finished, 'stdout'> }

export const shopDefinitions = join(import.meta.dirname, 'shop-definitions.ts')

type Store = {
  readonly command: (words: string) => Promise<Finished>
  readonly service: (words: string) => Running
  readonly warehouse: string
}

/** A new store, to which the set is applied. */
const withStore = <T>({ sources }: ShopData, work: (store: Store) => Promise<T>): Promise<T> =>
  inScratch(async ({ dir }) => {
    const configFile = join(dir, 'shop.json')
    writeFileSync(configFile, JSON.stringify({ dataDir: join(dir, 'tidemark'), features: shopDefinitions, sources }))
    const args = (words: string) => [...words.split(' '), '--config', configFile, '--yes']
    const command = (words: string) => run('tidemark.js', args(words))
    await command('apply account_totals@0')
    return work({ command, service: (words) => start('tidemark.js', args(words)), warehouse: join(dir, 'tidemark', 'warehouse.db') })
  })

export const measureShop = (data: ShopData): Promise<ShopRun> =>
  withStore(data, async ({ command, service, warehouse }) => {
    const load = await command('load --at 2024-06-30')
    const up = await command('up --until-caught-up')
    checkTotals(warehouse, data, false)
    const running = service('up')
    try {
      await running.said('from record')
      const beganMs = performance.now()
      const loaded = await command(`load skus --file ${data.otherPrices} --at 2024-07-01`)
      await allChanged(warehouse, data, running)
      const seconds = (performance.now() - beganMs) / 1000
      const { cpuSeconds, peakBytes } = await running.stop()
      checkTotals(warehouse, data, true)
      const peak = Math.max(peakBytes, loaded.peakBytes)
      return { load, up, changes: { seconds, cpuSeconds: cpuSeconds + loaded.cpuSeconds, peakBytes: peak } }
    } finally {
      await running.stop().catch(() => undefined)
    }
  })

const lookMs = 100

/** Waits until the warehouse has a row for each fact of another price; ends as well, with its error, when the service does. */
async function allChanged(warehouse: string, { repriced }: ShopData, service: Running): Promise<void> {
  const changed = () => Number(readRows(warehouse, `SELECT count(*) FROM account_totals_rows WHERE _change = 'changed'`)[0]![0])
  while (changed() < repriced) await Promise.race([sleep(lookMs), service.finished.then(() => Promise.reject(new Error('up has ended')))])
}

export const measureMemory = (data: ShopData): Promise<{ readonly [part in 'load' | 'consume']: Finished }> =>
  withStore(data, async ({ command }) => ({
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
