/** Lives of tables by chance, and of the facts that follow them: every load is compared with what plain JavaScript makes of the rows. */
import { expect } from 'vitest'
import type { FactSchema } from '../schemas/fact.ts'
import type { Table } from '../schemas/record.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import { partitionOf } from '../utilities/values/partition.ts'
import { factStore, standingAfter, type FactStore, type Message } from './fact-store.ts'
import { randomFrom } from './seeded.ts'
import { keyOf, modelOf, shopFacts, shopTables, type Row, type Shop } from './shop-facts.ts'

/** One life: files of tables, one after the other. */
function shopOf(random: () => number) {
  const below = (n: number) => Math.floor(random() * n)
  const orNull = <T>(value: T, share = 0.15): T | null => (random() < share ? null : value)
  const [a, i, s] = [1 + below(4), 1 + below(5), 1 + below(4)]
  const rows: { readonly [table: string]: () => Row } = {
    accounts: () => ({ account_id: `A${below(a)}`, name: orNull(`n${below(3)}`) }),
    skus: () => ({ item_id: `I${below(s)}`, price: orNull(below(3000)) }),
    invoices: () => ({
      invoice_id: below(i),
      account_id: orNull(`A${below(a)}`),
      issued: orNull(18_000 + below(4)),
      paid: orNull(18_002 + below(4), 0.5),
    }),
    lines: () => ({ invoice_id: below(i), item_id: `I${below(s)}`, quantity: orNull(below(6)), day: orNull(18_000 + below(3)) }),
  }
  const shop: Record<string, Map<string, Row>> = Object.fromEntries(shopTables.map(({ name }) => [name, new Map<string, Row>()]))
  return {
    shop: shop as Shop,
    below,
    /** Changes some rows of the table, adds some, takes some away; of a part, only what it has. */
    change(table: Table, partial: boolean): string {
      const stood = shop[table.name]!
      const file = new Map(partial || random() < 0.1 ? [] : stood)
      if (!partial) for (const key of stood.keys()) if (random() < 0.15) file.delete(key)
      for (let n = below(8); n > 0; n--) {
        const row = rows[table.name]!()
        file.set(keyOf(table, row), row)
      }
      shop[table.name] = partial ? new Map([...stood, ...file]) : file
      const shuffled = [...file.values()].map((row) => ({ row, by: random() })).sort((one, other) => one.by - other.by)
      return csvOf(
        table,
        shuffled.map(({ row }) => row),
      )
    },
  }
}

const day = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10)

function csvOf({ fields }: Table, rows: readonly Row[]): string {
  const names = Object.keys(fields)
  const cell = (name: string, value: Row[string] | undefined) => {
    const { kind } = fields[name]!
    if (value === null) return ''
    return kind === 'date' ? day(Number(value)) : kind === 'decimal' ? (Number(value) / 100).toFixed(2) : String(value)
  }
  return [names.join(','), ...rows.map((row) => names.map((name) => cell(name, row[name])).join(','))].join('\n') + '\n'
}

const sorted = (facts: ReadonlyMap<string, Row>) => [...facts].sort(([one], [other]) => (one < other ? -1 : 1))

/** Of all partitions. */
const bySeq = async (store: FactStore, fact: FactSchema) => [...(await store.messages(fact))].sort((one, other) => one.seq - other.seq)

/** Messages lie where their key belongs; a fact that moves leaves one key, and comes to the other with the next number. */
function checkPlaces(messages: readonly Message[], partitions: number): readonly Message[] {
  for (const [i, { partition, change, before, after, groupEnd }] of messages.entries()) {
    expect(partition).toBe(partitionOf(String((after ?? before)!['name'] ?? ''), partitions))
    if (change === 'changed') expect(before!['name']).toBe(after!['name'])
    if (!messages.slice(i + 1).some((one) => one.partition === partition)) expect(groupEnd).toBe(true)
  }
  return messages.flatMap((message, i) => {
    const [previous, next] = [messages[i - 1], messages[i + 1]]
    if (message.change === 'added' && previous?.change === 'removed' && previous.key === message.key) return []
    const moves = message.change === 'removed' && next?.change === 'added' && next.key === message.key
    return moves ? [{ ...message, change: 'changed', after: next.after }] : [message]
  })
}

/** What a load has written since. */
async function newMessages(store: FactStore, fact: FactSchema, seen: Map<string, number>): Promise<readonly Message[]> {
  const all = await bySeq(store, fact)
  const some = all.slice(seen.get(fact.name) ?? 0)
  seen.set(fact.name, all.length)
  return some
}

/** Those that leave, then by date, then by key: field by field, numbers by size. */
function checkOrder(fact: FactSchema, messages: readonly Message[]): void {
  const places = messages.map(({ before, after }) => {
    const row = (after ?? before)!
    return [after ? 1 : 0, row[fact.at]!, ...fact.fact.of.key.map((name) => row[name]!)]
  })
  const less = (one: Row[string], other: Row[string]) => (one === other ? 0 : one! < other! ? -1 : 1)
  const inOrder = [...places].sort((one, other) => one.map((value, i) => less(value, other[i]!)).find((by) => by !== 0) ?? 0)
  expect(places).toEqual(inOrder)
}

type Life = {
  readonly cuts: boolean
  /** Changes and facts in a commit. */
  readonly atOnce: number
  readonly partitions?: number
  readonly on?: { readonly log: Log; readonly checkpoints: Checkpoints }
}

/**
 * Loads by chance, each compared with plain JavaScript; what stands in the end. `on` is where the log and its checkpoints are, if not in
 * memory.
 */
export async function live(seed: number, { cuts, atOnce, partitions = 1, on }: Life): Promise<readonly (readonly [string, Row])[][]> {
  const random = randomFrom(seed)
  // Where it is cut is chance of its own: files are the same in every life of a seed.
  const chance = randomFrom(seed * 31 + 7)
  const { change, below, shop } = shopOf(random)
  // Every fact has a name, and moves with it.
  const store = factStore(shopFacts, { ...(partitions > 1 && { per: 'name', partitions }), ...(on && { on }) })
  const seen = new Map<string, number>()
  const unfit = new Map<string, ReadonlyMap<string, string>>()
  const told = new Map(shopFacts.map(({ name }): [string, string[]] => [name, []]))
  for (let n = 2 + below(3); n > 0; n--) {
    const partial = random() < 0.3
    const chosen = shopTables.filter(() => random() < 0.6)
    const texts = Object.fromEntries(chosen.map((table) => [table.name, change(table, partial)]))
    if (cuts) {
      for (
        let write = 1 + Math.floor(chance() * 4);
        (await store.load(shopTables, texts, { partial, atOnce, cut: { write } })) === 'cut';
        write++
      )
        if (chance() < 0.3) store.replaceTables()
    } else await store.load(shopTables, texts, { partial, atOnce })
    for (const fact of shopFacts) {
      const model = modelOf[fact.name]!(shop)
      const made = await newMessages(store, fact, seen)
      expect(sorted(standingAfter(await bySeq(store, fact))), `${fact.name} of seed ${seed}`).toEqual(sorted(model.facts))
      checkOrder(fact, partitions > 1 ? checkPlaces(made, partitions) : made)
      expect(made.map(({ seq }) => seq)).toEqual(made.map((_, i) => made[0]!.seq + i))
      const before = unfit.get(fact.name)
      // Each is told when it comes to be so, and not again.
      for (const [key, column] of model.unfit) if (before?.get(key) !== column) told.get(fact.name)!.push(`${column}: … ${key}`)
      const reasons = (await store.dead(fact)).map((reason) => `${/^\w+: /.exec(reason)![0]}… ${/of (\S+) of \w+$/.exec(reason)![1]}`)
      expect([...reasons].sort()).toEqual([...told.get(fact.name)!].sort())
      unfit.set(fact.name, model.unfit)
    }
  }
  return Promise.all(shopFacts.map(async (fact) => sorted(standingAfter(await bySeq(store, fact)))))
}
