/**
 * A database in memory whose changes go into topics as Debezium writes them: commits, snapshots, changes that come again after a crash.
 * What it sends has the form of messages that were captured of a real one; those are read in tests of their own.
 */
import type { MemoryFeed } from '../utilities/memory/feed.ts'
import { partitionOf } from '../utilities/values/partition.ts'
import { keyOf, shopTables, type Row, type Shop } from './shop-facts.ts'

export type Change =
  | { readonly table: string; readonly row: Row }
  | { readonly table: string; readonly gone: string }
  | { readonly emptied: string }

type Options = { readonly partitions?: number; readonly transactions?: boolean; readonly prefix?: string }

export const topicOf = (table: string, prefix = 'shop') => `${prefix}.public.${table}`
export const transactionTopic = 'shop.transaction'

const money = new Set(['price'])
const asSent = (row: Row) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, money.has(name) && value !== null ? (Number(value) / 100).toFixed(2) : value]),
  )

type Sent = {
  readonly topic: string
  readonly partition: number
  readonly key: string | undefined
  readonly value: string | undefined
  readonly time: number
}

export function databaseOf(feed: MemoryFeed, { partitions = 1, transactions = true, prefix = 'shop' }: Options = {}) {
  const tables: Record<string, Map<string, Row>> = Object.fromEntries(shopTables.map(({ name }) => [name, new Map<string, Row>()]))
  let [lsn, commit, transaction, time, run] = [1_000, null as number | null, 700, Date.UTC(2026, 0, 2), 1]
  /** All that was sent of changes, in order, so that it can come again. */
  const log: { sent: Sent[]; resend: () => Sent[] }[] = []
  for (const { name } of shopTables) feed.make(topicOf(name, prefix), partitions)
  if (transactions) feed.make(transactionTopic, 1)

  const tableOf = (name: string) => shopTables.find((one) => one.name === name)!
  const give = (all: readonly Sent[]) => {
    for (const { topic, partition, key, value, time: at } of all) {
      const header = { '__debezium.context.runId': `run-${run}` }
      feed.append(topic, partition, [
        { ...(key !== undefined && { key }), ...(value !== undefined && { value }), time: at, headers: header },
      ])
    }
  }
  const keyText = (table: string, row: Row) => JSON.stringify(Object.fromEntries(tableOf(table).key.map((name) => [name, row[name]])))
  const event = (table: string, op: string, row: Row | null, source: object): Sent => ({
    topic: topicOf(table, prefix),
    partition: row ? partitionOf(keyText(table, row), partitions) : 0,
    key: row ? keyText(table, row) : undefined,
    value: JSON.stringify({
      before: op === 'd' ? asSent(row!) : null,
      after: row && op !== 'd' ? asSent(row) : null,
      source: { version: '3.6.1.Final', connector: 'postgresql', name: prefix, db: 'shop', schema: 'public', table, ...source },
      op,
      ts_ms: time,
    }),
    time,
  })
  const tombstone = ({ topic, partition, key, time: at }: Sent): Sent => ({ topic, partition, key, value: undefined, time: at })

  return {
    tables: tables as Shop,
    feed,
    /** All or nothing. Returns what was sent, or what would have been, had the connector not lost it. */
    commit(changes: readonly Change[], { isLost = false } = {}): readonly Sent[] {
      time += 1_000
      const id = ++transaction
      const before = commit
      const counts = new Map<string, number>()
      const made: (() => Sent)[] = []
      for (const change of changes) {
        const name = 'emptied' in change ? change.emptied : change.table
        const at = (lsn += 8)
        const source = (sequence: number | null) => ({
          snapshot: 'false',
          txId: id,
          lsn: at,
          sequence: JSON.stringify([sequence === null ? null : String(sequence), String(at)]),
        })
        const send = (op: string, row: Row | null) => {
          const order = [...counts.values()].reduce((sum, one) => sum + one, 0) + 1
          counts.set(`public.${name}`, (counts.get(`public.${name}`) ?? 0) + 1)
          made.push(() => {
            const sent = event(name, op, row, source(commit))
            const value = transactions
              ? { ...JSON.parse(sent.value!), transaction: { id: `${id}:${at}`, total_order: order } }
              : JSON.parse(sent.value!)
            return { ...sent, value: JSON.stringify(value) }
          })
        }
        if ('emptied' in change) {
          tables[name]!.clear()
          send('t', null)
        } else if ('gone' in change) {
          const row = tables[name]!.get(change.gone)
          if (!row) continue
          tables[name]!.delete(change.gone)
          send('d', row)
          const deleted = made.at(-1)!
          made.push(() => tombstone(deleted()))
        } else {
          const key = keyOf(tableOf(name), change.row)
          const isNew = !tables[name]!.has(key)
          tables[name]!.set(key, change.row)
          send(isNew ? 'c' : 'u', change.row)
        }
      }
      const end = (lsn += 8)
      const hasEnd = transactions && changes.every((one) => !('emptied' in one))
      const data = [...counts].map(([data_collection, event_count]) => ({ data_collection, event_count }))
      const ended = (): Sent => ({
        topic: transactionTopic,
        partition: 0,
        key: undefined,
        value: JSON.stringify({ status: 'END', id: `${id}:${end}`, event_count: made.length, data_collections: data, ts_ms: time }),
        time,
      })
      commit = before
      const first = made.map((make) => make())
      const all = [...first, ...(hasEnd ? [ended()] : [])]
      // What comes again after a crash has another last commit beside it.
      log.push({ sent: all, resend: () => ((commit = (before ?? 0) + 1), [...made.map((make) => make()), ...(hasEnd ? [ended()] : [])]) })
      commit = end
      if (!isLost) give(all)
      return all
    },
    /** The connector is started again and sends its last transactions once more. */
    crash(last: number) {
      run++
      const now = commit
      for (const { resend } of log.slice(-last)) give(resend())
      commit = now
    },
    /** A whole snapshot: of a new slot or, with so many transactions that come again behind it, of an old one. */
    snapshot({ again = 0 } = {}) {
      run++
      const id = ++transaction
      const at = (lsn += 8)
      const all = shopTables.flatMap(({ name }) => [...tables[name]!.values()].map((row) => ({ name, row })))
      give(
        all.map(({ name, row }, i) => {
          const [isFirst, isLast] = [all[i - 1]?.name !== name, all[i + 1]?.name !== name]
          const marker =
            i === 0
              ? 'first'
              : i === all.length - 1
                ? 'last'
                : isLast
                  ? 'last_in_data_collection'
                  : isFirst
                    ? 'first_in_data_collection'
                    : 'true'
          return event(name, 'r', row, { snapshot: marker, txId: id, lsn: at, sequence: JSON.stringify([null, String(at)]) })
        }),
      )
      if (again > 0) for (const { resend } of log.slice(-again)) give(resend())
      log.length = 0
    },
  }
}
