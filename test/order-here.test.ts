/** Facts come the same whether they are put into order where they are or by tables on disk, which join what is small in memory or not. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { factMaker } from '../ingest/facts-of.ts'
import type { Ordered } from '../ingest/order-here.ts'
import { orderFacts } from '../ingest/order.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import type { Tables } from '../utilities/tables.ts'
import { columnsOf, rowsOf, type PlainRow } from './plain-columns.ts'
import { glance, sale, shopFacts, shopTables } from './shop-facts.ts'

const few = fc.integer({ min: 0, max: 4 })
const day = fc.option(fc.integer({ min: 0, max: 3 }))
const shop = fc.record({
  accounts: fc.array(fc.record({ account_id: few.map((n) => `A${n}`), name: fc.constantFrom('x', 'y') }), { maxLength: 4 }),
  skus: fc.array(fc.record({ item_id: few.map((n) => `I${n}`), price: fc.integer({ min: 1, max: 9_999 }) }), { maxLength: 4 }),
  invoices: fc.array(fc.record({ invoice_id: few, account_id: few.map((n) => `A${n}`), issued: day, paid: day }), { maxLength: 6 }),
  lines: fc.array(fc.record({ invoice_id: few, item_id: few.map((n) => `I${n}`), quantity: fc.integer({ min: 1, max: 9 }), day }), {
    maxLength: 40,
  }),
})

const told = ({ count, changes, known }: Ordered) => [
  Array.from({ length: Math.ceil(count / 7) }, (_, i) =>
    changes(i * 7, Math.min(count, i * 7 + 7)).map((one) => ({ rows: rowsOf(one.changes), unfit: one.unfit })),
  ),
  known(0, count),
]

/** Every table is small beside any list, or none is. */
const [always, never] = [0, Infinity].map((leastListed) => ({ times: 0.001, most: 100, leastListed }))

it('facts that are few are in the order of those that are many, with the same that is said of them', async () => {
  const both = [always, never].map((small) => openSqliteTables(':memory:', small)) as [Tables, Tables]
  const oneAfterTheOther = fc.asyncProperty(fc.array(shop, { minLength: 1, maxLength: 4 }), async (steps) => {
    for (const tables of both) {
      tables.renew(shopTables)
      tables.settle({ commit: 0, token: '' })
    }
    for (const [step, all] of steps.entries()) {
      for (const { name, fields } of shopTables) {
        const rows = all[name as keyof typeof all] as readonly PlainRow[]
        const { count, byName } = columnsOf(fields, rows)
        const known = { kind: 'long', values: BigInt64Array.from(rows, (_, i) => BigInt(step * 100 + i)) } as const
        const staged = { count, byName: new Map([...byName, ['_known', known] as const]) }
        for (const tables of both)
          if (step % 2 === 1 && name === 'accounts') tables.stageGone(name, staged)
          else tables.stage(name, staged)
      }
      for (const facts of [[sale], [glance], [sale, { ...sale, name: 'sale_again' }], shopFacts.slice(0, 1)]) {
        for (const before of [true, false]) {
          const all: unknown[] = []
          for (const tables of both) {
            const versions = facts.map((fact) => ({ fact, maker: factMaker(fact, tables) }))
            all.push(told(await orderFacts(tables, versions, { before, found: () => {}, atOnce: 3 })))
            all.push(told(await orderFacts(tables, versions, { before, found: () => {}, mostHere: 0 })))
            if (before) all.push(told(await orderFacts(tables, versions, { before, mostHere: 0 })))
          }
          for (const one of all.slice(1)) expect(one).toEqual(all[0])
        }
      }
      for (const tables of both) tables.settle({ commit: step + 1, token: '' })
    }
  })
  await fc.assert(oneAfterTheOther, { numRuns: 60 }).finally(() => both.forEach((tables) => tables.close()))
})
