/** `load` as a process: killed and stopped at any moment and given again, it ends as if it had never been. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decoder } from '../schemas/avro/decode.ts'
import { inflowSchema, recordOf, type AvroSchema } from '../schemas/avro/schema.ts'
import type { FactSchema } from '../schemas/fact.ts'
import type { Registered } from '../utilities/registry.ts'
import { openEmbeddedLog } from '../utilities/sqlite/log.ts'
import { openEmbeddedRegistry } from '../utilities/sqlite/registry.ts'
import { done, freshFolder, json, start, tidemark, until } from './cli-run.ts'
import { messagesOf, standingAfter, type Message } from './fact-store.ts'
import { chance, seed } from './seeded.ts'
import type { Row } from './shop-facts.ts'

const definitions = `import { date, decimal, fact, featureSet, flag, integer, sum, table, text } from 'tidemark'
const skus = table('skus', { key: 'item_id' }, { item_id: text({ bytes: 9 }), price: decimal({ digits: 9, scale: 2 }) })
const invoices = table('invoices', { key: 'invoice_id' }, {
  invoice_id: integer(), account_id: text({ bytes: 9 }), issued: date(), paid: date(),
})
const lines = table('lines', { key: ['invoice_id', 'item_id'] }, {
  invoice_id: integer(), item_id: text({ bytes: 9 }), quantity: integer(),
})
const sold = fact('sold', { of: lines, at: 'issued', join: { invoice: [invoices, 'invoice_id'], sku: [skus, 'item_id'] } }, {
  account_id: text({ bytes: 9, from: 'invoice.account_id' }),
  issued: date({ from: 'invoice.issued', nullable: false }),
  amount: decimal({ digits: 12, scale: 2, sql: 'quantity * sku.price' }),
  unpaid: flag({ sql: 'invoice.paid is null' }),
})
export const v0 = featureSet({ name: 'owing', of: sold, per: 'account_id' }, { owes: sum('amount', { all: true, when: 'unpaid' }) })
`

const config = JSON.stringify({
  features: 'defs.ts',
  sources: Object.fromEntries(['skus', 'invoices', 'lines'].map((name) => [name, { file: `${name}.csv` }])),
})

const day = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10)

/** What the files of a day say, and the facts of it by key. */
function writeDay(folder: string, invoiceCount: number, today: number): ReadonlyMap<string, Row> {
  const facts = new Map<string, Row>()
  const price = (item: number) => 100 + item * 7 + (item === 3 ? today : 0)
  const csv: Record<string, string[]> = {
    skus: ['item_id,price'],
    invoices: ['invoice_id,account_id,issued,paid'],
    lines: ['invoice_id,item_id,quantity'],
  }
  for (let item = 0; item < 50; item++) csv['skus']!.push(`I${item},${(price(item) / 100).toFixed(2)}`)
  // Each day some invoices are gone, others are new, and more are paid.
  for (let invoice = today * 50; invoice < invoiceCount + today * 50; invoice++) {
    const issued = 18_000 + ((invoice * 31) % 700)
    const paid = invoice % 5 <= today ? issued + 20 : null
    csv['invoices']!.push(`${invoice},A${invoice % 300},${day(issued)},${paid === null ? '' : day(paid)}`)
    for (let line = 0; line < 3; line++) {
      const [item, quantity] = [(invoice + line * 7) % 50, 1 + ((invoice + line) % 4)]
      csv['lines']!.push(`${invoice},I${item},${quantity}`)
      facts.set(`${invoice},I${item}`, { account_id: `A${invoice % 300}`, issued, amount: quantity * price(item), unpaid: paid === null })
    }
  }
  for (const [name, rows] of Object.entries(csv)) writeFileSync(join(folder, `${name}.csv`), rows.join('\n') + '\n')
  return facts
}

const logOf = (folder: string) => openEmbeddedLog(join(folder, '.tidemark', 'log.db'), { readOnly: true })

/** How many messages there are; the file of the log may be about to be made. */
async function written(folder: string): Promise<number> {
  if (!existsSync(join(folder, '.tidemark', 'registry.db'))) return 0
  const log = logOf(folder)
  const topics = await log.topics().finally(() => log.close())
  return topics.find(({ topic }) => topic === 'inflow.sold')?.partitions[0]!.next ?? 0
}

async function messages(folder: string): Promise<readonly Message[]> {
  const log = logOf(folder)
  const registry = openEmbeddedRegistry(join(folder, '.tidemark', 'registry.db'), () => [], { readOnly: true })
  try {
    const [{ definition }] = (await registry.list('sold')) as [Registered]
    const sold = recordOf(JSON.parse(definition) as AvroSchema) as FactSchema
    const decode = decoder(inflowSchema(sold))
    const all: Message[] = []
    for await (const { batch } of log.read('inflow.sold', { partition: 0, from: 0 }))
      all.push(...messagesOf(sold, decode(batch, 0, batch.ends.length).columns, 0))
    return all
  } finally {
    await Promise.all([log.close(), registry.close()])
  }
}

const sorted = (facts: ReadonlyMap<string, Row>) => [...facts].sort(([one], [other]) => (one < other ? -1 : 1))

function shop(): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'defs.ts'), definitions)
  writeFileSync(join(folder, 'tidemark.json'), config)
  return folder
}

describe('load', { timeout: 300_000 }, () => {
  it('killed at any moment, and its tables lost, and given again, writes every change once', async () => {
    console.log(`kills at the moments of TIDEMARK_SEED=${seed}`)
    const folder = shop()
    const invoiceCount = 14_000
    for (const today of [0, 1]) {
      const facts = writeDay(folder, invoiceCount, today)
      const before = await written(folder)
      let amidst = 0
      for (let kills = 0; kills < 12 && amidst < 2; kills++) {
        const running = start(folder, 'load --yes')
        // Every other time when facts have just been written, else at any time.
        const isWriting = async () => (await written(folder)) > before
        if (kills % 2 === 1) await until(async () => running.hasEnded() || (await isWriting()), 10)
        await new Promise((next) => setTimeout(next, chance() * (kills % 2 === 1 ? 50 : 1500)))
        running.signal('SIGKILL')
        if ((await running.ended).code === null && (await isWriting())) amidst++
        if (running.out() !== '') break
        if (chance() < 0.3) rmSync(join(folder, '.tidemark', 'tables.db'), { force: true })
      }
      await done(folder, 'load --yes')
      const all = await messages(folder)
      expect(sorted(standingAfter(all))).toEqual(sorted(facts))
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1))
      expect(await done(folder, 'load --yes')).toContain('nothing new')
    }
  })

  it('told to stop ends with what it has in hand, says how to go on, and is named until it has', async () => {
    const folder = shop()
    const facts = writeDay(folder, 16_000, 0)
    const running = start(folder, 'load')
    await until(async () => running.hasEnded() || (await written(folder)) > 0, 2)
    running.signal('SIGINT')
    const { code, out } = await running.ended
    expect([code, out]).toEqual([0, expect.stringMatching(/interrupted: run it again to go on/)])
    expect(await tidemark(folder, 'tick sold --at 2026-01-01')).toMatchObject({ code: 1, err: expect.stringMatching(/under way/) })
    const dry = await tidemark(folder, 'load --dry-run')
    expect([dry.code, dry.err]).toEqual([1, expect.stringMatching(/is not done/)])
    expect(await json(folder, 'load')).toMatchObject({ ended: 'done', facts: { sold: { added: 48_000 } } })
    expect(sorted(standingAfter(await messages(folder)))).toEqual(sorted(facts))
    expect(await done(folder, 'tick sold --at 2026-01-01')).toBe('sold: 2026-01-01 has come')
  })

  it('is refused in one line where it cannot be what was meant', async () => {
    const folder = shop()
    writeDay(folder, 10, 0)
    const refused = async (words: string) => (await tidemark(folder, words)).err
    expect(await refused('load nothing')).toMatch(/there is no table nothing. The definitions have .*lines/)
    expect(await refused('load --file lines.csv')).toMatch(/--file is of one table/)
    expect(await refused('load --at yesterday')).toMatch(/--at yesterday is not a date or a time/)
    expect(await refused('tick sold')).toMatch(/--at is missing/)
    expect(await refused('tick sold --at 2026-02-30')).toMatch(/is not a date/)
    expect(await refused('tick bought --at 2026-01-01')).toMatch(/there is no stream of facts bought. Name one of sold/)
    expect(await refused('produce')).toMatch(/sold is a fact/)
    const topics = Object.fromEntries(['skus', 'invoices', 'lines'].map((name) => [name, { topic: `their.${name}`, format: 'json' }]))
    writeFileSync(join(folder, 'topics.json'), JSON.stringify({ features: 'defs.ts', sources: topics }))
    expect(await refused('load --config topics.json')).toMatch(/no table has a file: each comes from a topic. Run: tidemark ingest/)
    expect(await refused('load lines --config topics.json')).toMatch(/lines comes from the topic their.lines. Run: tidemark ingest/)
    await done(folder, 'load')
    writeFileSync(join(folder, 'lines.csv'), 'invoice_id,item_id,quantity\n')
    expect(await tidemark(folder, 'load lines')).toMatchObject({ code: 2, err: expect.stringMatching(/lacks 30 of the 30 rows of lines/) })
    expect(await done(folder, 'load lines --yes')).toMatch(/lines: 0 rows read: .*30 left/)
  })
})
