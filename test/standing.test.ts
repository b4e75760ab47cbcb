/** `<fact>` in the warehouse: the facts that stand, group by group, whoever is killed; and the proof that they are those of the tables. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { featureSet, sum } from '../feature-defs/language.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { endGroups, factMessages, type FactMessages } from '../ingest/messages.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { beginAnew } from '../sink/begin-anew.ts'
import { repairFacts } from '../sink/repair-facts.ts'
import { sink } from '../sink/sink.ts'
import { cutGroups, type Part } from '../streams/cut-groups.ts'
import { streamOf } from '../streams/stream.ts'
import { verifyFact } from '../use-cases/verify-fact.ts'
import { memoryDatabase, openMemoryWarehouse } from '../utilities/memory/warehouse.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import { noDay, noFlag, type Column, type Columns } from '../utilities/values/columns.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { layoutOf } from '../versions/layout.ts'
import { textColumn } from './contracts/keyed-rows.ts'
import { versionRecord } from './contracts/loan-rows.ts'
import { factStore } from './fact-store.ts'
import { Killed } from './faults.ts'
import { randomFrom } from './seeded.ts'
import { dates, shopOf } from './small-shop.ts'
import { sale, shopTables, type Row } from './shop-facts.ts'

const { definition } = featureSet(
  { name: 'account_sales', of: sale, per: 'account_id' },
  { owing: sum('amount', { all: true, when: 'unpaid' }) },
)
const signal = new AbortController().signal
const stream = streamOf(sale)

async function storeOf(partitions: number) {
  const store = factStore([sale], { per: 'account_id', partitions })
  const database = memoryDatabase()
  const warehouse = openMemoryWarehouse(database)
  const { registry } = store.ports()
  await registry.register(definition.set, JSON.stringify(rowSchema(definition)))
  const records = [versionRecord(0, { set: definition.set })]
  await warehouse.arrange(layoutOf([definition], records), records)
  const ports = (of: Warehouse = warehouse) => ({ ...store.ports(), warehouse: of })
  return {
    store,
    database,
    warehouse,
    ports,
    sink: (of?: Warehouse) => sink(ports(of), { partitionsFor: () => partitions, follow: false, signal, report: () => {}, note: () => {} }),
    verify: (atOnce?: number) =>
      verifyFact(
        { ...ports(), tables: openSqliteTables(':memory:') },
        { fact: 'sale', signal, report: () => {}, ...(atOnce && { atOnce }) },
      ),
  }
}

const fieldsOf = Object.keys(sale.fields)
/** Texts of what stands, by key. */
async function shown(warehouse: Warehouse): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const part of warehouse.facts('sale')) {
    const cells = ['_key', ...fieldsOf].map((name) => textsOf(part.byName.get(name)!))
    for (let row = 0; row < part.count; row++)
      found.set(
        cells[0]!(row)!,
        cells
          .slice(1)
          .map((at) => at(row))
          .join('|'),
      )
  }
  return found
}
const textOf = (row: Row) =>
  fieldsOf
    .map((name) => {
      const value = row[name]!
      if (value === null) return null
      if (dates.has(name)) return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
      return name === 'amount' ? (Number(value) / 100).toFixed(2) : String(value)
    })
    .join('|')
const expected = (facts: ReadonlyMap<string, Row>) =>
  new Map([...facts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => [key, textOf(row)]))

/** The fact leaves. */
function goneOf(key: string, row: Row): Columns {
  const fields = (side: 'before' | 'after'): [string, Column][] =>
    Object.entries(sale.fields).map(([name, field]) => {
      const value = side === 'after' ? null : row[name]!
      const whole = (value === null ? NaN : Number(value)) as number
      if (field.kind === 'text') return [`${side}.${name}`, textColumn([value as string | null])]
      if (field.kind === 'date') return [`${side}.${name}`, { kind: 'date', days: Int32Array.of(value === null ? noDay : whole) }]
      if (field.kind === 'flag') return [`${side}.${name}`, { kind: 'flag', values: Uint8Array.of(value === null ? noFlag : whole) }]
      return [
        `${side}.${name}`,
        field.kind === 'decimal'
          ? { kind: 'decimal', scale: 2, values: Float64Array.of(whole) }
          : { kind: 'integer', values: Float64Array.of(whole) },
      ]
    })
  return {
    count: 1,
    byName: new Map<string, Column>([
      ['_seq', { kind: 'int', values: Float64Array.of(0) }],
      ['change', textColumn(['removed'])],
      ['key', textColumn([key])],
      ['before', { kind: 'flag', values: Uint8Array.of(1) }],
      ['after', { kind: 'flag', values: Uint8Array.of(0) }],
      ...fields('before'),
      ...fields('after'),
    ]),
  }
}

/** Dies before or after the n-th write. */
function dying(warehouse: Warehouse, at: number, after: boolean, wrote: (next: number, reader: string) => void): Warehouse {
  let writes = 0
  return {
    ...warehouse,
    async writeFacts(...words) {
      const isLast = ++writes === at
      if (isLast && !after) throw new Killed('before a write')
      await warehouse.writeFacts(...words)
      wrote(words[2]!.next, words[2]!.reader)
      if (isLast) throw new Killed('after a write')
    },
  }
}

describe('the facts that stand', () => {
  it.each([1, 3])(
    'are those that the tables make, wherever the sink is killed, and no write ends in a group: %i partitions',
    async (partitions) => {
      for (let seed = 1; seed <= 8; seed++) {
        const { store, warehouse, sink, verify } = await storeOf(partitions)
        const shop = shopOf(seed)
        const random = randomFrom(seed + 1000)
        const ends: (readonly [string, number])[] = []
        for (let day = 0; day < 5; day++) {
          await store.load(shopTables, shop.change(), { atOnce: 1 + Math.floor(random() * 12) })
          for (let killed = true; killed;) {
            const dies = dying(warehouse, random() < 0.7 ? 1 + Math.floor(random() * 3) : Infinity, random() < 0.5, (next, reader) =>
              ends.push([reader, next]),
            )
            killed = await sink(dies).then(
              () => false,
              (error: unknown) => {
                if (!(error instanceof Killed)) throw error
                return true
              },
            )
          }
          expect(await shown(warehouse), `seed ${seed}, day ${day}`).toEqual(expected(shop.facts()))
          expect(await verify(3)).toMatchObject({ equal: true, facts: shop.facts().size, notSunk: 0 })
        }
        const messages = await store.messages(sale)
        const groupEnds = new Set(
          messages.filter(({ groupEnd }) => groupEnd).map((one) => `sink/${stream.inflow}/${one.partition} ${one.seq}`),
        )
        for (const [reader, next] of ends) {
          const own = messages.filter(({ partition }) => reader.endsWith(`/${partition}`))
          expect(groupEnds).toContain(`${reader} ${own[next - 1]!.seq}`)
        }
      }
    },
  )

  it('are forgotten with the log that told of them', async () => {
    const { store, warehouse, sink, ports, verify } = await storeOf(1)
    const shop = shopOf(1)
    await store.load(shopTables, shop.some())
    await sink()
    expect((await shown(warehouse)).size).toBeGreaterThan(0)
    const anew = await storeOf(1)
    await beginAnew({ log: anew.ports().log, warehouse }, definition)
    expect([await shown(warehouse), await warehouse.progress(`sink/${stream.inflow}/0`)]).toEqual([new Map(), 0])
    // The same log goes on as if they had never been brought.
    expect(await verify()).toMatchObject({ equal: true, notSunk: shop.facts().size })
    await sink()
    expect(await shown(warehouse)).toEqual(expected(shop.facts()))
    await beginAnew(ports(), definition)
    expect(await shown(warehouse)).toEqual(expected(shop.facts()))
  })
})

describe('verify of a fact', () => {
  it('leaves out what the sink has still to bring, and counts it', async () => {
    const { store, sink, verify } = await storeOf(3)
    const shop = shopOf(5)
    await store.load(shopTables, shop.some())
    await sink()
    await store.load(shopTables, shop.change())
    const proof = await verify()
    expect(proof).toMatchObject({ equal: true, facts: shop.facts().size })
    expect(proof!.notSunk).toBeGreaterThan(0)
  })

  it('names what somebody changed in the warehouse, put there or took away', async () => {
    const { store, sink, verify, database } = await storeOf(1)
    const shop = shopOf(2)
    await store.load(shopTables, shop.some())
    await sink()
    const [one, two] = [...shop.facts().keys()].sort()
    database.exec(`UPDATE tidemark_standing_sale SET name = 'other' WHERE _key = '${one}'`)
    database.exec(`DELETE FROM tidemark_standing_sale WHERE _key = '${two}'`)
    database.exec(`INSERT INTO tidemark_standing_sale (_key, issued, _seq, _known_ts) VALUES ('9,I9', '2020-01-01', 1, 1)`)
    const { name } = shop.facts().get(one!)!
    const proof = await verify()
    expect(proof).toMatchObject({ equal: false, differences: 3 })
    expect([...proof!.first].sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual(
      [
        { key: one!, column: 'name', tables: JSON.stringify(name), inflow: JSON.stringify(name), table: '"other"' },
        { key: two!, column: 'fact', tables: 'a fact', inflow: 'a fact', table: 'no fact' },
        { key: '9,I9', column: 'fact', tables: 'no fact', inflow: 'no fact', table: 'a fact' },
      ].sort((a, b) => (a.key < b.key ? -1 : 1)),
    )
  })

  it('is equal again when the facts were made again', async () => {
    const { store, sink, verify, database, ports } = await storeOf(3)
    const shop = shopOf(6)
    await store.load(shopTables, shop.some())
    await store.load(shopTables, shop.some())
    await sink()
    const [one, two] = [...shop.facts().keys()].sort()
    database.exec(`UPDATE tidemark_standing_sale SET name = 'other', amount = 1 WHERE _key = '${one}'`)
    database.exec(`DELETE FROM tidemark_standing_sale WHERE _key = '${two}'`)
    database.exec(`INSERT INTO tidemark_standing_sale (_key, issued, _seq, _known_ts) VALUES ('9,I9', '2020-01-01', 1, 1)`)
    expect(await verify()).toMatchObject({ equal: false })
    expect(await repairFacts(ports(), sale, signal)).toEqual({ fact: 'sale', facts: shop.facts().size, removed: 1 })
    expect(await verify()).toMatchObject({ equal: true, notSunk: 0 })
  })

  it('names what inflow tells and the tables do not make', async () => {
    const { store, sink, verify, ports } = await storeOf(1)
    const shop = shopOf(3)
    await store.load(shopTables, shop.change())
    const { log, registry } = ports()
    const { id } = await registry.register(sale.name, JSON.stringify(inflowSchema(sale)))
    // A number that is recorded, or it would be a stranger's.
    const last = Math.max(...(await store.messages(sale)).map(({ seq }) => seq))
    const { key, row } = { key: [...shop.facts().keys()][0]!, row: [...shop.facts().values()][0]! }
    const make = factMessages([{ fact: sale, id, per: 'account_id', onePer: true, partitions: 1 }])
    const writer = await log.writer('stranger')
    const [{ appends }] = make([goneOf(key, row)], { seq: last - 1, known: () => 1n }) as [FactMessages]
    endGroups(appends)
    await writer.commit({ append: appends })
    await sink()
    const proof = await verify()
    expect(proof).toMatchObject({ equal: false, differences: 1 })
    expect(proof!.first).toEqual([{ key, column: 'fact', tables: 'a fact', inflow: 'no fact', table: 'no fact' }])
  })

  it('is refused while a load is under way, and for a name that is no fact', async () => {
    const { store, verify, ports } = await storeOf(1)
    const shop = shopOf(4)
    await store.load(shopTables, shop.change(), { atOnce: 2, cut: { write: 8 } })
    await expect(verify()).rejects.toThrow(/a load of .* is under way.*tidemark load/s)
    const asked = { fact: 'account_sales', signal, report: () => {} }
    await expect(verifyFact({ ...ports(), tables: openSqliteTables(':memory:') }, asked)).rejects.toThrow(/SET@VERSION.*or a fact: sale/s)
  })
})

describe('whole groups', () => {
  const flags = (values: readonly boolean[]) => Uint8Array.from(values, Number)
  const part = (lane: string, offsets: readonly number[], ends: readonly boolean[]): Part<string> => ({
    lane,
    columns: {
      count: offsets.length,
      byName: new Map([
        ['_seq', { kind: 'int', values: Float64Array.from(offsets) }],
        ['group_end', { kind: 'flag', values: flags(ends) }],
      ]),
    },
    offsets: Float64Array.from(offsets),
  })

  it('whose end never comes are not waited for for ever', () => {
    const groups = cutGroups<string>(3)
    expect(groups.take([part('a', [0, 1], [true, false])], 2)?.next).toBe(1)
    expect(groups.take([part('b', [2], [false])], 3)).toBeUndefined()
    expect(groups.take([part('b', [3], [false])], 4)).toMatchObject({ next: 4, parts: [{ lane: 'a' }, { lane: 'b' }, { lane: 'b' }] })
    expect(groups.take([part('b', [4], [true])], 5)?.next).toBe(5)
  })

  it('are cut where every lane has come to an end, lose nothing and keep the order, however they are read', () => {
    const message = fc.record({ lane: fc.constantFrom('a', 'b', 'c'), end: fc.boolean(), cut: fc.boolean() })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        const groups = cutGroups<string>()
        const out: string[] = []
        let place = 0
        const take = (complete: ReturnType<typeof groups.rest>) => {
          if (!complete) return
          for (const { lane, offsets } of complete.parts) for (const offset of offsets) out.push(`${lane} ${offset}`)
          expect(complete.next).toBeGreaterThan(place)
          place = complete.next
          const before = messages.slice(0, complete.next)
          for (const lane of ['a', 'b', 'c']) expect(before.findLast((one) => one.lane === lane)?.end ?? true).toBe(true)
        }
        for (let from = 0; from < messages.length;) {
          let to = from + 1
          while (to < messages.length && !messages[to - 1]!.cut) to++
          const some = messages.slice(from, to).map((one, i) => ({ ...one, offset: from + i }))
          const parts = [...Map.groupBy(some, ({ lane }) => lane)].map(([lane, own]) =>
            part(
              lane,
              own.map(({ offset }) => offset),
              own.map(({ end }) => end),
            ),
          )
          take(groups.take(parts, to))
          from = to
        }
        const rest = groups.rest()
        for (const { lane, offsets } of rest?.parts ?? []) for (const offset of offsets) out.push(`${lane} ${offset}`)
        const byLane = (texts: readonly string[]) => ['a', 'b', 'c'].map((lane) => texts.filter((one) => one.startsWith(lane)))
        expect(byLane(out)).toEqual(byLane(messages.map(({ lane }, offset) => `${lane} ${offset}`)))
      }),
    )
  })
})
