/** Events look up what their records refer to once, wait for it as long as they are told to, and are there once, complete or dead. */
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { count, ema, featureSet } from '../feature-defs/language.ts'
import { openEvents, eventsOf, waitingName, type Events, type EventsOfStream } from '../ingest/events.ts'
import type { Arrived } from '../ingest/waiting-entry.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { everyYear } from '../schemas/csv/selection.ts'
import { fact } from '../schemas/fact.ts'
import { date, integer, record, text, timestamp } from '../schemas/record.ts'
import type { EventSchema } from '../schemas/event.ts'
import type { RecordSchema, Table } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { saveHeld } from '../streams/held.ts'
import { registerInflow } from '../streams/inflow.ts'
import { saveKeyedBy } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { openMemoryCheckpoints } from '../utilities/memory/checkpoints.ts'
import { openMemoryLog } from '../utilities/memory/log.ts'
import { memoryStore } from '../utilities/memory/store.ts'
import type { Save } from '../utilities/checkpoints.ts'
import type { Tables } from '../utilities/tables.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import type { Column } from '../utilities/values/columns.ts'
import { storeInMemory } from './driver/in-memory.ts'
import { enriched, payment } from './enriched.ts'
import { mustBeDone } from './memory-steps.ts'
import { columnsOf, rowsOf, type PlainRow } from './plain-columns.ts'
import { accounts, invoices, skus } from './sale-lines.ts'
import { isLong } from './seeded.ts'

const joinedTables = [invoices, accounts, skus]

function openTables(tables: readonly Table[] = joinedTables): Tables {
  const opened = openSqliteTables(':memory:')
  opened.renew(tables)
  opened.settle({ commit: 0, token: '' })
  return opened
}

function tablesWith(tables?: readonly Table[]): Tables {
  const opened = openTables(tables)
  onTestFinished(() => opened.close())
  return opened
}

const arrived = (of: RecordSchema, rows: readonly PlainRow[], first = 0): Arrived => {
  const values = rows.map((_, i) => Buffer.from(`message ${first + i}`))
  let end = 0
  const ends = Int32Array.from(values, ({ length }) => (end += length))
  return {
    records: columnsOf(of.fields, rows),
    known: BigInt64Array.from(rows, (_, i) => BigInt(first + i)),
    topic: 'payments',
    partition: 3,
    messages: {
      offsets: Float64Array.from(rows, (_, i) => first + i),
      values: { bytes: Buffer.concat(values), ends, starts: ends.map((stop, i) => stop - values[i]!.length) },
    },
    of: Int32Array.from(rows.keys()),
  }
}

const pay = (row: PlainRow): PlainRow => {
  const amount = row['amount'] === undefined ? 1000 : row['amount']
  return { paid_at: 7, amount, twice: amount === null ? null : Number(amount) * 2, ...row }
}

/** Some rows put, some gone, and what waited is looked at again. */
function change(
  tables: Tables,
  events: EventsOfStream,
  { name, fields, key }: Table,
  rows: readonly PlainRow[],
  gone: readonly PlainRow[] = [],
) {
  if (rows.length > 0) tables.stage(name, columnsOf(fields, rows))
  const keys = Object.fromEntries(key.map((own) => [own, fields[own]!]))
  if (gone.length > 0) tables.stageGone(name, columnsOf(keys, gone))
  for (const some of [rows, gone]) if (some.length > 0) events.changed(name, columnsOf(keys, some))
}

const plain = ({ columns }: Pick<Events, 'columns'>) => rowsOf(columns).map(({ _seq: _, ...row }) => row)
const reasons = ({ dead }: Pick<Events, 'dead'>) => dead.map(({ reason }) => reason)
const stored = (saved: Map<string, Uint8Array>, saves: readonly Save[]) => {
  for (const { key, value } of saves)
    if (value) saved.set(key, value)
    else saved.delete(key)
}

const begun = (event: EventSchema = enriched, options = {}) => {
  const tables = tablesWith()
  const saved = new Map<string, Uint8Array>()
  return { tables, saved, events: eventsOf({ event, stream: streamOf(event) }, tables, saved, options) }
}

describe('an event', () => {
  it('has the columns of its record and of what it refers to, also by way of a row before, as they are when it comes', () => {
    const { tables, events } = begun()
    change(tables, events, invoices, [{ invoice_id: 1, account_id: 'A' }])
    change(tables, events, accounts, [{ account_id: 'A', company_name: 'Acme' }])
    change(tables, events, skus, [{ item_id: 'I', item_name: 'pen', item_retail_price: 300 }])
    tables.settle({ commit: 1, token: '' })
    // What is staged counts.
    change(tables, events, accounts, [{ account_id: 'A', company_name: 'Acme & Co' }])
    const made = events.take(
      arrived(payment, [pay({ invoice_id: 1, item_id: 'I' }), pay({ invoice_id: 1, item_id: null, amount: null })]),
      0,
    )
    expect(plain(made)).toEqual([
      { paid_at: 7, invoice_id: 1, company_name: 'Acme & Co', item_name: 'pen', doubled: 2000, share: 33333 },
      { paid_at: 7, invoice_id: 1, company_name: 'Acme & Co', item_name: null, doubled: null, share: null },
    ])
    expect([...made.columns.byName.keys()]).toEqual([...Object.keys(enriched.fields), '_seq'])
    expect([made.known, made.dead, made.saves]).toEqual([BigInt64Array.of(0n, 1n), [], []])
  })

  it('is looked up by keys of several columns, of every kind', () => {
    const days = table('days', { key: ['day', 'no'] }, { day: date(), no: integer(), name: text({ bytes: 9 }) })
    const visit = record('visit', 'at', { at: timestamp({ nullable: false }), day: date(), no: integer() })
    const named = fact(
      'named',
      { of: visit, join: { day: [days, ['day', 'no']] } },
      { at: timestamp({ nullable: false }), name: text({ bytes: 9, from: 'day.name' }) },
    )
    const tables = tablesWith([days])
    const events = eventsOf({ event: named, stream: streamOf(named) }, tables, new Map())
    change(tables, events, days, [
      { day: 5, no: 1, name: 'a' },
      { day: 5, no: 2n ** 62n + 1n, name: 'b' },
    ])
    const asked = [
      [5, 2n ** 62n + 1n],
      [5, 1],
      [5, 1],
      [6, 1],
      [5, null],
    ] as const
    const made = events.take(
      arrived(
        visit,
        asked.map(([day, no]) => ({ at: 1, day, no })),
      ),
      0,
    )
    expect(plain(made).map(({ name }) => name)).toEqual(['b', 'a', 'a'])
    expect(reasons(made)).toEqual([
      'day: there was no row 6,1 of days, so that there is no named of this visit',
      'day: day or no is null, so that there is no named of this visit',
    ])
  })

  it('without joins is its record with other fields', () => {
    const other = fact('other', { of: payment }, { paid_at: timestamp({ nullable: false }), more: integer({ sql: 'invoice_id + 1' }) })
    const events = eventsOf({ event: other, stream: streamOf(other) }, tablesWith(), new Map())
    expect(plain(events.take(arrived(payment, [pay({ invoice_id: 8 }), pay({ invoice_id: null })]), 0))).toEqual([
      { paid_at: 7, more: 9 },
      { paid_at: 7, more: null },
    ])
  })

  it('is dead by its field where that does not fit, with where its record came from and its bytes', () => {
    const { tables, events } = begun()
    change(tables, events, invoices, [{ invoice_id: 1, account_id: 'A' }])
    change(tables, events, accounts, [{ account_id: 'A', company_name: 'Acme' }])
    change(tables, events, skus, [{ item_id: 'I', item_name: 'pencils', item_retail_price: 300 }])
    const made = events.take(
      arrived(payment, [pay({ invoice_id: 1 }), pay({ invoice_id: 1, item_id: 'I' }), pay({ invoice_id: 1 })], 40),
      0,
    )
    expect([made.columns.count, events.count()]).toEqual([2, 0])
    expect(made.dead).toEqual([
      {
        topic: 'payments',
        partition: 3,
        offset: 41,
        bytes: new Uint8Array(Buffer.from('message 41')),
        reason: 'item_name: longer than 6 bytes, so that there is no enriched of this payment',
      },
    ])
  })
})

describe('a record that waits', () => {
  const acme = { account_id: 'A', company_name: 'Acme' }
  const one = { invoice_id: 1, account_id: 'A' }
  const names = (made: Pick<Events, 'columns'>) => plain(made).map(({ invoice_id, company_name }) => `${invoice_id} ${company_name}`)

  it('is complete when the last of what it looks for comes, and others pass it', () => {
    const { tables, events, saved } = begun()
    const take = (rows: readonly PlainRow[], nowMs: number, first = 0) => {
      const made = events.take(arrived(payment, rows, first), nowMs)
      stored(saved, made.saves)
      return made
    }
    change(tables, events, invoices, [{ invoice_id: 2, account_id: 'B' }])
    change(tables, events, accounts, [{ account_id: 'B', company_name: 'Best' }])
    const first = take([pay({ invoice_id: 1 }), pay({ invoice_id: 2 }), pay({ invoice_id: 1 })], 1000)
    expect([names(first), events.count(), saved.size, events.nextMs()]).toEqual([['2 Best'], 2, 2, 2000])
    expect(events.again(1001)).toMatchObject({ columns: { count: 0 }, saves: [], dead: [], more: false })
    change(tables, events, invoices, [one])
    expect([events.nextMs(), names(events.again(1100)), events.count()]).toEqual([0, [], 2])
    // What it looks for now is the account, which is waited for no longer.
    expect(events.nextMs()).toBe(1500)
    change(tables, events, accounts, [acme])
    expect(names(take([pay({ invoice_id: 1 })], 1200, 3))).toEqual(['1 Acme'])
    const last = events.again(1200)
    stored(saved, last.saves)
    expect([names(last), [...last.known], events.count(), saved.size]).toEqual([['1 Acme', '1 Acme'], [0n, 2n], 0, 0])
    expect(events.nextMs()).toBe(Infinity)
  })

  it('is looked at again where a row by which it looked for another one changes', () => {
    const { tables, events } = begun()
    change(tables, events, invoices, [one])
    change(tables, events, accounts, [{ account_id: 'B', company_name: 'Best' }])
    expect(events.take(arrived(payment, [pay({ invoice_id: 1 })]), 0).columns.count).toBe(0)
    tables.settle({ commit: 1, token: '' })
    change(tables, events, invoices, [{ invoice_id: 1, account_id: 'B' }])
    expect(names(events.again(1))).toEqual(['1 Best'])
  })

  it('is looked at again where tables changed without a word', () => {
    const { tables, events } = begun()
    events.take(arrived(payment, [pay({ invoice_id: 1 }), pay({ invoice_id: 2 })]), 0)
    for (const [{ name, fields }, row] of [
      [invoices, one],
      [accounts, acme],
    ] as const)
      tables.stage(name, columnsOf(fields, [row]))
    expect(names(events.again(1))).toEqual([])
    events.allChanged()
    expect([events.nextMs(), names(events.again(1)), events.count()]).toEqual([0, ['1 Acme'], 1])
  })

  it('dies by the name of what did not come in time, and one that needs it not has nulls', () => {
    const { tables, events } = begun()
    change(tables, events, invoices, [one, { invoice_id: 2, account_id: null }, { invoice_id: 3, account_id: 'C' }])
    change(tables, events, accounts, [acme])
    const rows = [
      { invoice_id: 9 },
      { invoice_id: 1, item_id: 'I' },
      { invoice_id: 2 },
      { invoice_id: 3, item_id: 'I' },
      { invoice_id: null },
    ]
    const made = events.take(arrived(payment, rows.map(pay)), 0)
    expect([made.columns.count, events.count(), reasons(made)]).toEqual([
      0,
      4,
      ['invoice: invoice_id is null, so that there is no enriched of this payment'],
    ])
    expect([names(events.again(199)), events.nextMs()]).toEqual([[], 200])
    expect([names(events.again(200)), events.nextMs()]).toEqual([['1 Acme'], 500])
    const later = events.again(700)
    expect([names(later), later.saves.map(({ value }) => value), reasons(later)]).toEqual([
      [],
      [null, null],
      [
        'account: invoice.account_id is null, so that there is no enriched of this payment',
        'account: within 500 ms there came no row C of accounts, so that there is no enriched of this payment',
      ],
    ])
    const last = events.again(1000)
    expect(last.dead).toEqual([
      {
        topic: 'payments',
        partition: 3,
        offset: 0,
        bytes: new Uint8Array(Buffer.from('message 0')),
        reason: 'invoice: within 1000 ms there came no row 9 of invoices, so that there is no enriched of this payment',
      },
    ])
    expect([events.count(), events.nextMs()]).toEqual([0, Infinity])
  })

  it('is there again after a restart, with all that was told of it', async () => {
    const store = memoryStore()
    const [log, checkpoints] = [openMemoryLog(store), openMemoryCheckpoints(store)]
    const of = { event: enriched, stream: streamOf(enriched) }
    const tables = tablesWith()
    const writer = await log.writer('ingest')
    const wide = pay({ invoice_id: 2n ** 62n + 1n, item_id: 'ü', amount: 123n, paid_at: -5, note: 'not kept' })
    const first = (await openEvents(checkpoints, of, tables)).take(arrived(payment, [pay({ invoice_id: 1 }), wide], 7), 5000)
    await writer.commit({ save: first.saves })
    expect((await checkpoints.load(waitingName(of.stream))).size).toBe(2)

    const again = await openEvents(checkpoints, of, tables)
    expect([again.count(), again.nextMs()]).toEqual([2, 0])
    expect([again.again(5999).columns.count, again.nextMs()]).toEqual([0, 6000])
    change(tables, again, invoices, [{ invoice_id: 2n ** 62n + 1n, account_id: 'A' }])
    change(tables, again, accounts, [acme])
    change(tables, again, skus, [{ item_id: 'ü', item_name: 'brush', item_retail_price: 246 }])
    const last = again.again(6000)
    expect(plain(last)).toEqual([
      { paid_at: -5, invoice_id: 2n ** 62n + 1n, company_name: 'Acme', item_name: 'brush', doubled: 246, share: 5000 },
    ])
    expect([last.known, last.dead.map(({ offset, bytes }) => [offset, String(Buffer.from(bytes))])]).toEqual([
      BigInt64Array.of(8n),
      [[7, 'message 7']],
    ])
    await writer.commit({ save: last.saves })
    expect((await openEvents(checkpoints, of, tables)).count()).toBe(0)
    await writer.close()
  })

  it('is read after a restart where its record has grown, and is dead where it cannot be read', () => {
    const { events, saved, tables } = begun()
    stored(saved, events.take(arrived(payment, [pay({ invoice_id: 1 })]), 0).saves)
    saved.set('2', Uint8Array.of(3, 0, 1))
    const grown = { ...enriched, event: { ...enriched.event, of: payment.add({ aside: integer() }) } }
    const again = eventsOf({ event: grown, stream: streamOf(grown) }, tables, saved)
    change(tables, again, invoices, [one])
    change(tables, again, accounts, [acme])
    const made = again.again(1)
    expect([names(made), made.saves.map(({ key }) => key)]).toEqual([['1 Acme'], ['1', '2']])
    expect(made.dead).toEqual([
      {
        topic: null,
        partition: 0,
        offset: -1,
        bytes: Uint8Array.of(3, 0, 1),
        reason: expect.stringMatching(/^a record that waited cannot be read/),
      },
    ])
  })

  it('makes room for newer ones where too many wait, or too large ones: the oldest are dead, or have nulls', () => {
    const { tables, events, saved } = begun(enriched, { most: 3 })
    change(tables, events, invoices, [one])
    change(tables, events, accounts, [acme])
    stored(saved, events.take(arrived(payment, [pay({ invoice_id: 1, item_id: 'I' }), pay({ invoice_id: 5 })]), 0).saves)
    const made = events.take(
      arrived(
        payment,
        [5, 1, 6, 7, 8].map((invoice_id) => pay({ invoice_id })),
        2,
      ),
      1,
    )
    stored(saved, made.saves)
    const why = 'invoice: within 1000 ms there came no row 5 of invoices, so that there is no enriched of this payment'
    expect(names(made)).toEqual(['1 Acme', '1 Acme'])
    expect([...made.known]).toEqual([0n, 3n])
    expect(made.dead.map(({ offset, reason }) => [offset, reason])).toEqual([
      [1, `${why}: too many wait, and it has waited longest`],
      [2, `${why}: too many wait, and it has waited longest`],
    ])
    expect([events.count(), [...saved.keys()]]).toEqual([3, ['4', '5', '6']])

    const small = begun(enriched, { mostBytes: 200 })
    small.events.take(
      arrived(
        payment,
        [1, 2, 3, 4, 5, 6].map((invoice_id) => pay({ invoice_id })),
      ),
      0,
    )
    expect(small.events.count()).toBeGreaterThan(1)
    expect(small.events.count()).toBeLessThan(6)
    const long = begun(enriched, { largest: 60 })
    expect(reasons(long.events.take(arrived(payment, [pay({ invoice_id: 1, item_id: 'I'.repeat(40) })]), 0))).toEqual([
      expect.stringMatching(/^it has \d+ bytes, and one that has to wait 60 at most, so that there is no enriched of this payment$/),
    ])
    expect(long.events.count()).toBe(0)
  })

  it('is looked at some at a time', () => {
    const { tables, events } = begun(enriched, { atOnce: 2 })
    events.take(
      arrived(
        payment,
        [1, 1, 1].map((invoice_id) => pay({ invoice_id })),
      ),
      0,
    )
    change(tables, events, invoices, [one])
    change(tables, events, accounts, [acme])
    const some = [events.again(1), events.again(1), events.again(1)]
    expect(some.map((made) => [made.columns.count, made.more])).toEqual([
      [2, true],
      [1, false],
      [0, false],
    ])
  })
})

type Step = {
  readonly passMs: number
  readonly invoices: readonly (readonly [number, string | null | undefined])[]
  readonly accounts: readonly (readonly [string, boolean])[]
  readonly skus: readonly (readonly [string, boolean])[]
  readonly payments: readonly (readonly [number | null, string | null])[]
  readonly restart: boolean
}

const account = fc.constantFrom('A', 'B')
const step: fc.Arbitrary<Step> = fc.record({
  passMs: fc.constantFrom(0, 10, 190, 200, 300, 500),
  // Without an account the invoice goes.
  invoices: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('A', 'B', null, undefined)), { maxLength: 2 }),
  accounts: fc.array(fc.tuple(account, fc.boolean()), { maxLength: 2 }),
  skus: fc.array(fc.tuple(fc.constantFrom('I', 'J'), fc.boolean()), { maxLength: 1 }),
  payments: fc.array(fc.tuple(fc.constantFrom(1, 2, 3, null), fc.constantFrom('I', 'J', null)), { maxLength: 4 }),
  restart: fc.boolean(),
})

/** All that waits is looked at after every step, by maps. */
function bruteForce(steps: readonly Step[]) {
  const bills = new Map<number, string | null>()
  const [firms, goods] = [new Map<string, string>(), new Map<string, string>()]
  let waiting: { readonly number: number; readonly came: number; readonly invoice: number | null; readonly item: string | null }[] = []
  let [now, number] = [0, 0]
  return steps.map((one, at) => {
    now += one.passMs
    for (const [id, of] of one.invoices)
      if (of === undefined) bills.delete(id)
      else bills.set(id, of)
    for (const [id, is] of one.accounts)
      if (is) firms.set(id, `${id}${at}`)
      else firms.delete(id)
    for (const [id, is] of one.skus)
      if (is) goods.set(id, `${id}${at}`)
      else goods.delete(id)
    const complete: string[] = []
    const dead: string[] = []
    const all = [...waiting, ...one.payments.map(([invoice, item]) => ({ number: number++, came: now, invoice, item }))]
    waiting = all.filter(({ number: own, came, invoice, item }) => {
      const age = now - came
      const bill = invoice === null ? undefined : bills.get(invoice)
      const firm = typeof bill === 'string' ? firms.get(bill) : undefined
      const good = item === null ? undefined : goods.get(item)
      const lacks = bill === undefined ? (invoice === null || age >= 1000 ? 'invoice' : undefined) : undefined
      const lacksFirm = bill !== undefined && firm === undefined && age >= 500 ? 'account' : undefined
      if (lacks ?? lacksFirm) dead.push(`${own} ${lacks ?? lacksFirm}`)
      else if (firm !== undefined && (good !== undefined || item === null || age >= 200)) complete.push(`${own} ${firm} ${good ?? null}`)
      else return true
      return false
    })
    return { complete, dead: dead.sort(), waiting: waiting.length }
  })
}

function ofEngine(tables: Tables, steps: readonly Step[]) {
  const saved = new Map<string, Uint8Array>()
  const begin = () => eventsOf({ event: enriched, stream: streamOf(enriched) }, tables, saved)
  let events = begin()
  let [now, number] = [0, 0]
  return steps.map((one, at) => {
    now += one.passMs
    const word = (id: string) => `${id}${at}`
    const parted = (table: Table, rows: ReadonlyMap<unknown, PlainRow | null>) => {
      const [key] = table.key
      const put = [...rows.values()].filter((row) => row !== null)
      change(
        tables,
        events,
        table,
        put,
        [...rows].flatMap(([id, row]) => (row === null ? [{ [key!]: id as string }] : [])),
      )
    }
    parted(invoices, new Map(one.invoices.map(([id, of]) => [id, of === undefined ? null : { invoice_id: id, account_id: of }])))
    parted(accounts, new Map(one.accounts.map(([id, is]) => [id, is ? { account_id: id, company_name: word(id) } : null])))
    parted(skus, new Map(one.skus.map(([id, is]) => [id, is ? { item_id: id, item_name: word(id), item_retail_price: 1 } : null])))
    const rows = one.payments.map(([invoice_id, item_id]) => pay({ invoice_id, item_id }))
    const parts = [events.again(now), events.take(arrived(payment, rows, number), now)]
    number += rows.length
    for (const { saves } of parts) stored(saved, saves)
    tables.settle({ commit: at + 1, token: '' })
    const complete = parts.flatMap((part) =>
      plain(part).map(({ company_name, item_name }, row) => `${part.known[row]} ${company_name} ${item_name}`),
    )
    const dead = parts.flatMap((part) => part.dead.map(({ offset, reason }) => `${offset} ${reason.split(':')[0]}`)).sort()
    const waiting = events.count()
    expect(saved.size).toBe(waiting)
    if (one.restart) events = begin()
    return { complete, dead, waiting }
  })
}

describe('events and rows in any order', () => {
  it('give what a look at all that waits gives, whenever it is begun again', () =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const tables = openTables()
        try {
          expect(ofEngine(tables, steps)).toEqual(bruteForce(steps))
        } finally {
          tables.close()
        }
      }),
      { numRuns: isLong ? 2000 : 300 },
    ))
})

describe('a set over events', () => {
  const v0 = featureSet({ name: 'paid', of: enriched, per: 'company_name' }, { m: ema('doubled', { span: 3, round: 2 }) })
  const v1 = v0.add({ n: count('invoice_id', { last: 2 }) })

  it('is computed of the records that inflow has, in the order in which they were complete, and verify proves it', async () => {
    const chain = [v0, v1].map(({ definition }) => definition)
    const store = storeInMemory({ set: 'paid', per: 'company_name', chain, text: '' }, 1, '')
    const { log, checkpoints, registry, warehouse } = store.open()
    const stream = streamOf(enriched)
    const { tables } = begun()
    let last = 0
    // As ingest does: what is complete, what waits and where it is are in one commit.
    const ingest = async (work: (events: EventsOfStream) => readonly Events[]) => {
      const events = await openEvents(checkpoints, { event: enriched, stream }, tables)
      const { id } = await registerInflow(registry, enriched)
      const encode = encoder(inflowSchema(enriched), id)
      const writer = await log.writer('ingest')
      for (const { columns, saves } of work(events)) {
        const seq: Column = { kind: 'int', values: Float64Array.from({ length: columns.count }, () => ++last) }
        const batch = encode({ count: columns.count, byName: new Map([...columns.byName, ['_seq', seq]]) })
        const take = { source: { name: 'topics', size: 0, sha256: '' }, base: 0, years: everyYear, after: 0, firstSeq: 1, lastSeq: last }
        await writer.commit({
          append: columns.count > 0 ? [{ topic: stream.inflow, partition: 0, batch }] : [],
          save: [...saves, saveHeld(stream, [{ ...take, rows: last, rejected: 0 }]), saveKeyedBy(stream, 'company_name')],
        })
      }
      await writer.close()
    }
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'forward-only' })
    await ingest((events) => {
      change(
        tables,
        events,
        invoices,
        [1, 2].map((id) => ({ invoice_id: id, account_id: `A${id}` })),
      )
      change(tables, events, accounts, [{ account_id: 'A1', company_name: 'Acme' }])
      return [
        events.take(
          arrived(
            payment,
            [2, 1, 2, 1].map((invoice_id, i) => pay({ invoice_id, amount: i })),
          ),
          0,
        ),
      ]
    })
    await mustBeDone(store, { do: 'consume' }, { do: 'sink' })
    await ingest((events) => {
      change(tables, events, accounts, [{ account_id: 'A2', company_name: 'Best' }])
      return [
        events.again(1),
        events.take(
          arrived(
            payment,
            [1, 2].map((invoice_id) => pay({ invoice_id, amount: 9 })),
            4,
          ),
          1,
        ),
      ]
    })
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'backfill' }, { do: 'consume' }, { do: 'sink' })
    for (const version of [0, 1])
      expect(await store.run({ do: 'verify', version })).toMatchObject({ ended: 'done', said: { equal: true, named: [] } })
    const rows: PlainRow[] = []
    for await (const batch of warehouse.rows('paid', 1, { first: 0, last: 99 })) rows.push(...rowsOf(batch))
    expect(rows.map(({ _seq, company_name, doubled, n }) => [_seq, company_name, doubled, n])).toEqual([
      [1, 'Acme', 2, 1],
      [2, 'Acme', 6, 2],
      [3, 'Best', 0, 1],
      [4, 'Best', 4, 2],
      [5, 'Acme', 18, 2],
      [6, 'Best', 18, 2],
    ])
    await store.close()
  })
})
