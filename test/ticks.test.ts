/** Dates that come by the clock: which has come last in a zone, and which streams of facts are told. */
import { expect, it } from 'vitest'
import { featureSet, sum } from '../feature-defs/language.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { dateAt } from '../ingest/dates.ts'
import { loadPlace } from '../ingest/place.ts'
import type { Ticked } from '../ingest/tick.ts'
import { tickByTheClock, tickOnce } from '../use-cases/ticks.ts'
import { dayIn } from '../utilities/values/timestamp.ts'
import { Problem } from '../utilities/values/problem.ts'
import { memoryDatabase, openMemoryWarehouse } from '../utilities/memory/warehouse.ts'
import { factStore } from './fact-store.ts'
import { sale, shopTables } from './shop-facts.ts'

const at = (text: string) => Date.parse(text)
const day = (text: string) => dayIn(at(text) * 1000)

it('tells the day of a zone', () => {
  const [late, everyDay] = [at('2026-03-28T23:30:00Z'), { every: 'day', zone: 'UTC' } as const]
  expect(dateAt(late, everyDay, 'date')).toBe(day('2026-03-28T00:00Z'))
  expect(dateAt(late, { ...everyDay, zone: 'Europe/Berlin' }, 'date')).toBe(day('2026-03-29T00:00Z'))
  expect(dateAt(at('2026-03-28T03:00:00Z'), { ...everyDay, zone: 'America/New_York' }, 'date')).toBe(day('2026-03-27T00:00Z'))
})

it('tells its last midnight and its last full hour, also where clocks are put forward or back', () => {
  const moment = (now: string, every: 'day' | 'hour', zone: string) =>
    new Date(dateAt(at(now), { every, zone }, 'timestamp') / 1000).toISOString()
  expect(moment('2026-06-01T12:34:56Z', 'day', 'UTC')).toBe('2026-06-01T00:00:00.000Z')
  expect(moment('2026-06-01T12:34:56Z', 'hour', 'UTC')).toBe('2026-06-01T12:00:00.000Z')
  // Summer begins at 01:00 UTC of the 29th of March, and ends at 01:00 UTC of the 25th of October.
  expect(moment('2026-03-29T12:00:00Z', 'day', 'Europe/Berlin')).toBe('2026-03-28T23:00:00.000Z')
  expect(moment('2026-03-30T12:00:00Z', 'day', 'Europe/Berlin')).toBe('2026-03-29T22:00:00.000Z')
  expect(moment('2026-10-25T12:00:00Z', 'day', 'Europe/Berlin')).toBe('2026-10-24T22:00:00.000Z')
  // An hour that comes twice, a zone half an hour off, and one that has no midnight on that day.
  expect(moment('2026-10-25T00:10:00Z', 'hour', 'Europe/Berlin')).toBe('2026-10-25T00:00:00.000Z')
  expect(moment('2026-10-25T01:10:00Z', 'hour', 'Europe/Berlin')).toBe('2026-10-25T01:00:00.000Z')
  expect(moment('2026-06-01T12:34:00Z', 'hour', 'Asia/Kolkata')).toBe('2026-06-01T12:30:00.000Z')
  expect(moment('2026-04-24T12:00:00Z', 'day', 'Africa/Cairo')).toBe('2026-04-23T22:00:00.000Z')
})

it('never goes back as the clock goes on', () => {
  for (const zone of ['Europe/Berlin', 'Africa/Cairo', 'Australia/Lord_Howe'])
    for (const every of ['day', 'hour'] as const)
      for (const start of [
        '2026-03-27T00:00Z',
        '2026-04-03T00:00Z',
        '2026-04-23T00:00Z',
        '2026-10-02T00:00Z',
        '2026-10-24T00:00Z',
        '2026-10-30T00:00Z',
      ]) {
        let before = -Infinity
        for (let now = at(start); now < at(start) + 2 * 86_400_000; now += 1_800_000) {
          const date = dateAt(now, { every, zone }, 'timestamp')
          expect(date).toBeLessThanOrEqual(now * 1000)
          expect(date).toBeGreaterThanOrEqual(before)
          expect(now * 1000 - date).toBeLessThan(every === 'hour' ? 7_200_000_000 : 90_000_000_000)
          before = date
        }
      }
})

const texts = {
  accounts: 'account_id,name\nA1,Ada\n',
  skus: 'item_id,price\nI1,10.00\n',
  invoices: 'invoice_id,account_id,issued,paid\n1,A1,2026-01-03,\n',
  lines: 'invoice_id,item_id,quantity,day\n1,I1,1,\n',
}

/** Where a set over the fact is applied, and the clock can be set. */
async function opened() {
  const store = factStore([sale])
  const { definition } = featureSet({ name: 'owing', of: sale, per: 'account_id' }, { owes: sum('amount', { all: true, when: 'unpaid' }) })
  await store.ports().registry.register('owing', JSON.stringify(rowSchema(definition)))
  const told: Ticked[] = []
  let [now, leases] = ['', 0]
  const ports = () => ({
    ...store.ports(),
    warehouse: openMemoryWarehouse(memoryDatabase()),
    clock: () => BigInt(at(now)) * 1_000_000n,
    lease: async () => (leases++, { close: async () => void leases-- }),
  })
  const options = {
    ticks: {},
    partitions: () => 1,
    signal: new AbortController().signal,
    report: (one: Ticked) => told.push(one),
    note: () => {},
  }
  const look = async (time: string) => {
    now = time
    await tickOnce(ports(), options)
    expect(leases).toBe(0)
    return told.splice(0).map(({ stream, at: date }) => `${stream} ${date}`)
  }
  return { store, ports, options, look }
}

it('are told once each to streams that hold facts', async () => {
  const { store, look } = await opened()
  expect(await look('2026-01-04T10:00Z')).toEqual([])
  await store.load(shopTables, texts)
  expect(await look('2026-01-04T10:00Z')).toEqual(['sale 2026-01-04'])
  expect(await look('2026-01-04T23:59Z')).toEqual([])
  expect(await look('2026-01-02T00:00Z')).toEqual([])
  expect(await look('2026-01-07T00:00Z')).toEqual(['sale 2026-01-07'])
  expect((await store.messages(sale)).map(({ change }) => change)).toEqual(['added', 'tick', 'tick'])
})

it('wait while a load is under way', async () => {
  const { store, look } = await opened()
  await store.load(shopTables, texts)
  const isUnderWay = async () => (await loadPlace(store.ports().checkpoints)).load !== null
  const changed = { accounts: 'account_id,name\nA1,Eve\n', skus: 'item_id,price\nI1,11.00\n' }
  for (let write = 1; !(await isUnderWay()); write++)
    expect(await store.load(shopTables, changed, { cut: { write }, atOnce: 1 })).toBe('cut')
  expect(await look('2026-01-04T10:00Z')).toEqual([])
  await store.load(shopTables, {})
  expect(await look('2026-01-04T10:00Z')).toEqual(['sale 2026-01-04'])
})

it('are tried again where something is in the way, which is said once', async () => {
  const { store, ports, options } = await opened()
  await store.load(shopTables, texts)
  const stop = new AbortController()
  const said: string[] = []
  const away = { ...ports(), clock: () => BigInt(at('2026-01-04T10:00Z')) * 1_000_000n }
  const broken = { ...away, log: { ...away.log, writer: async () => Promise.reject(new Problem('the log is away', 'Wait.')) } }
  const ended = tickByTheClock(broken, { ...options, signal: stop.signal, note: (text) => (said.push(text), stop.abort()) })
  await ended
  expect(said).toEqual(['ticks wait: the log is away'])
})
