/** A set that goes over to a later version of its fact beside a consumer that stays, as processes, on whatever log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { done, freshFolder, json, start, tidemark, until } from './cli-run.ts'
import { chance } from './seeded.ts'

const definitions = `import { date, decimal, distinct, fact, featureSet, flag, integer, max, sum, table, text } from 'tidemark'
const skus = table('skus', { key: 'item_id' }, { item_id: text({ bytes: 9 }), price: decimal({ digits: 9, scale: 2 }) })
const invoices = table('invoices', { key: 'invoice_id' }, {
  invoice_id: integer(), account_id: text({ bytes: 9 }), issued: date(), paid: date(),
})
const lines = table('lines', { key: ['invoice_id', 'item_id'] }, {
  invoice_id: integer(), item_id: text({ bytes: 9 }), quantity: integer(),
})
const sold = fact('sold', { of: lines, at: 'issued', join: { invoice: [invoices, 'invoice_id'], sku: [skus, 'item_id'] } }, {
  invoice_id: integer(),
  account_id: text({ bytes: 9, from: 'invoice.account_id' }),
  issued: date({ from: 'invoice.issued', nullable: false }),
  amount: decimal({ digits: 12, scale: 2, sql: 'quantity * sku.price' }),
  unpaid: flag({ sql: 'invoice.paid is null' }),
})
const sold2 = sold.add({ price: decimal({ digits: 9, scale: 2, from: 'sku.price' }) }).replace({
  unpaid: flag({ sql: 'invoice.paid is null or invoice.paid - invoice.issued > 40' }),
})
const features = { owes: sum('amount', { all: true, when: 'unpaid' }), recent: distinct('invoice_id', { days: 90 }) }
export const v0 = featureSet({ name: 'owing', of: sold, per: 'account_id' }, features)
export const v1 = v0.over(sold2)
export const v2 = v1.add({ dearest: max('price', { all: true }) })
export const apart = featureSet({ name: 'apart', of: sold2, per: 'account_id' }, { ...features, dearest: max('price', { all: true }) })
`
const sources = Object.fromEntries(['skus', 'invoices', 'lines'].map((name) => [name, { file: `${name}.csv` }]))

/** Up ticks by the clock: facts of the days before. */
const base = Math.floor(Date.now() / 86_400_000) - 200
const day = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10)

/** Each day some prices are others, some invoices are gone, others are new, and more are paid. */
function writeDay(folder: string, today: number): void {
  const csv = { skus: ['item_id,price'], invoices: ['invoice_id,account_id,issued,paid'], lines: ['invoice_id,item_id,quantity'] }
  for (let item = 0; item < 30; item++) csv.skus.push(`I${item},${(100 + item * 7 + (item % 9 === today ? today : 0)) / 100}`)
  for (let invoice = today * 20; invoice < 400 + today * 20; invoice++) {
    const issued = base + ((invoice * 31) % 200)
    const paid = invoice % 7 <= today ? day(issued + 20 + (invoice % 40)) : ''
    csv.invoices.push(`${invoice},A${invoice % 40},${day(issued)},${paid}`)
    for (let line = 0; line < 3; line++) csv.lines.push(`${invoice},I${(invoice + line * 7) % 30},${1 + ((invoice + line) % 4)}`)
  }
  for (const [name, rows] of Object.entries(csv)) writeFileSync(join(folder, `${name}.csv`), `${rows.join('\n')}\n`)
}

function storeWith(log: object): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'defs.ts'), definitions)
  writeFileSync(join(folder, 'tidemark.json'), JSON.stringify({ features: 'defs.ts', sources, log }))
  return folder
}

const rowsOf = async (folder: string, sql: string) => (await json(folder, `query '${sql}'`)) as readonly object[]

/** What it comes to must be what a store has that had the last version from the start, on the other log. */
export async function goOverAndBack(log: object, otherLog: object): Promise<void> {
  const folder = storeWith(log)
  writeDay(folder, 0)
  await done(folder, 'apply owing@0 --yes')
  await done(folder, 'load')
  const up = start(folder, 'up')
  await until(() => up.out().includes('owing@0') || up.err().includes('owing@0'))
  const killed = start(folder, 'apply owing@1 --yes')
  await Promise.race([killed.ended, new Promise((resolve) => setTimeout(resolve, 200 + chance() * 900))])
  killed.signal('SIGKILL')
  await killed.ended
  writeDay(folder, 1)
  await done(folder, 'load')
  await done(folder, 'apply owing@1 --yes')
  await done(folder, 'rollback owing --yes')
  writeDay(folder, 2)
  await done(folder, 'load')
  await done(folder, 'promote owing@1 --yes')
  await done(folder, 'apply owing@2 --yes')
  up.signal('SIGTERM')
  expect((await up.ended).code).toBe(0)
  await done(folder, `tick sold --at ${day(base + 203)}`)
  await done(folder, 'up --until-caught-up')
  for (const version of [0, 1, 2]) expect((await tidemark(folder, `verify owing@${version}`)).out).toMatch(/computed again and equal/)
  expect((await tidemark(folder, 'verify sold')).out).toMatch(/of 2 versions, .* are equal/)
  expect((await tidemark(folder, 'doctor')).code).toBe(0)
  expect(await rowsOf(folder, 'select _seq from owing group by _seq having count(distinct _version) > 1')).toEqual([])

  const other = storeWith(otherLog)
  writeDay(other, 2)
  await done(other, 'apply apart@0 --yes')
  await done(other, 'load')
  await done(other, `tick sold --at ${day(base + 203)}`)
  await done(other, 'up --until-caught-up')
  const there = 'account_id in (select account_id from sold_v2)'
  const newest = (set: string) => `select account_id, owes, recent, dearest from ${set}_latest where ${there} order by account_id`
  expect(await rowsOf(folder, newest('owing'))).toEqual(await rowsOf(other, newest('apart')))
}
