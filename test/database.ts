/**
 * A database in memory whose changes go into topics as Debezium writes them: commits, snapshots, changes that come again after a crash.
 * What it sends has the form of messages that were captured of a real one; those are read in tests of their own.
 */
import type { MemoryFeed } from '../utilities/memory/feed.ts'
import { partitionOf } from '../utilities/values/partition.ts'
import { keyOf, shopTables, type Row, type Shop } from './shop-facts.ts'

export type Change =
  /** `unsent`: large values that the update does not touch, and that are not sent. */
  | { readonly table: string; readonly row: Row; readonly unsent?: readonly string[] }
  /** Its key changes: it is gone under the one and comes under the other, at one place. */
  | { readonly table: string; readonly moved: string; readonly row: Row; readonly unsent?: readonly string[] }
  | { readonly table: string; readonly gone: string }
  | { readonly emptied: string }

type Options = {
  readonly partitions?: number
  readonly transactions?: boolean
  readonly prefix?: string
  /** Places are in binlogs, of which another is begun every now and then, and transactions have GTIDs. */
  readonly mysql?: boolean
}

export const topicOf = (table: string, prefix = 'shop') => `${prefix}.public.${table}`
export const transactionTopic = 'shop.transaction'

const money = new Set(['price'])
const nowhere = { txId: null, lsn: null, sequence: '[null,null]' }
const placeholder = '__debezium_unavailable_value'
const asSent = (row: Row, unsent: readonly string[] = []) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (unsent.includes(name)) return [name, placeholder]
      return [name, money.has(name) && value !== null ? (Number(value) / 100).toFixed(2) : value]
    }),
  )

type Sent = {
  readonly topic: string
  readonly partition: number
  readonly key: string | undefined
  readonly value: string | undefined
  readonly time: number
}

/** How many changes each table has had in a transaction. */
type Counts = Map<string, number>
const sumOf = (counts: Counts) => [...counts.values()].reduce((sum, one) => sum + one, 0)

/** Makes a message, counted. */
type Step = (counts: Counts) => Sent

/** Behind so many messages of a transaction; `anew`: it says once more that it begins, and counts from there. */
export type Kill = { readonly behind: number; readonly anew: boolean }

type CommitOptions = { readonly isLost?: boolean; readonly isEndLost?: boolean; readonly kills?: readonly Kill[] }

export function databaseOf(feed: MemoryFeed, { partitions = 1, transactions = true, prefix = 'shop', mysql = false }: Options = {}) {
  const tables: Record<string, Map<string, Row>> = Object.fromEntries(shopTables.map(({ name }) => [name, new Map<string, Row>()]))
  let [lsn, commit, transaction, time, run] = [1_000, null as number | null, 700, Date.UTC(2026, 0, 2), 1]
  let server = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
  /** All that was sent of changes, in order, so that it can come again. */
  const log: (() => readonly Sent[])[] = []
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
  const event = (table: string, op: string, row: Row | null, source: object, unsent?: readonly string[]): Sent => ({
    topic: topicOf(table, prefix),
    partition: row ? partitionOf(keyText(table, row), partitions) : 0,
    key: row ? keyText(table, row) : undefined,
    value: JSON.stringify({
      before: op === 'd' ? asSent(row!) : null,
      after: row && op !== 'd' ? asSent(row, unsent) : null,
      source: { version: '3.6.1.Final', connector: 'postgresql', name: prefix, db: 'shop', schema: 'public', table, ...source },
      op,
      ts_ms: time,
    }),
    time,
  })
  /** Rows of a commit are at one place of a binlog, one behind the other. */
  const binlogAt = (at: number, row: number) => ({ file: `binlog.${999_998 + Math.floor(at / 400)}`, pos: at % 400, row })
  const gtidOf = (id: number) => `${server}:${id}`
  const idOf = (id: number, at: number) => (mysql ? gtidOf(id) : `${id}:${at}`)
  const tombstone = ({ topic, partition, key, time: at }: Sent): Sent => ({ topic, partition, key, value: undefined, time: at })

  return {
    tables: tables as Shop,
    feed,
    /**
     * All or nothing. Returns what was sent, or what would have been, had the connector not lost it. It may be killed amid the transaction,
     * once or more often, each time behind so many of its messages, and goes on when it is back, or just before it tells its end.
     */
    commit(changes: readonly Change[], { isLost = false, isEndLost = false, kills = [] }: CommitOptions = {}): readonly Sent[] {
      time += 1_000
      const id = ++transaction
      const before = commit
      const steps: Step[] = []
      const begin = lsn + 8
      for (const change of changes) {
        const name = 'emptied' in change ? change.emptied : change.table
        const at = (lsn += 8)
        const source = (sequence: number | null) =>
          mysql
            ? { snapshot: 'false', gtid: gtidOf(id), ...binlogAt(begin, (at - begin) / 8) }
            : {
                snapshot: 'false',
                txId: id,
                lsn: at,
                sequence: JSON.stringify([sequence === null ? null : String(sequence), String(at)]),
              }
        const send = (op: string, row: Row | null, unsent?: readonly string[]) => {
          steps.push((counts) => {
            const sent = event(name, op, row, source(commit), unsent)
            const order = counts.get(`public.${name}`) ?? 0
            counts.set(`public.${name}`, order + 1)
            const transaction = { id: idOf(id, at), total_order: sumOf(counts), data_collection_order: order + 1 }
            return { ...sent, value: JSON.stringify({ ...JSON.parse(sent.value!), ...(transactions && { transaction }) }) }
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
          const deleted = steps.at(-1)!
          steps.push(() => tombstone(deleted(new Map())))
        } else {
          const key = keyOf(tableOf(name), change.row)
          const isNew = !tables[name]!.has(key)
          if ('moved' in change) {
            const old = tables[name]!.get(change.moved)
            if (!old || !isNew) continue
            send('d', old)
          }
          const before = tables[name]!.get('moved' in change ? change.moved : key)
          if ('moved' in change) tables[name]!.delete(change.moved)
          tables[name]!.set(key, change.row)
          const unsent = 'unsent' in change ? change.unsent?.filter((one) => before && before[one] === change.row[one]) : []
          send(isNew ? 'c' : 'u', change.row, unsent)
        }
      }
      const end = (lsn += 8)
      const hasEnd = !isEndLost && changes.every((one) => !('emptied' in one))
      const mark = (what: object): readonly Sent[] =>
        transactions
          ? [{ topic: transactionTopic, partition: 0, key: undefined, value: JSON.stringify({ ...what, ts_ms: time }), time }]
          : []
      const began = () => mark({ status: 'BEGIN', id: idOf(id, begin), event_count: null, data_collections: null })
      const ended = (counts: Counts) => {
        const data = [...counts].map(([data_collection, event_count]) => ({ data_collection, event_count }))
        return mark({ status: 'END', id: idOf(id, end), event_count: sumOf(counts), data_collections: data })
      }
      /** Each time that it is back it goes on, or begins anew what it counts, and says so. */
      const runs = (ends: readonly Kill[]) => {
        let counts: Counts = new Map()
        let from = 0
        return [...ends, { behind: steps.length, anew: false }].map(({ behind }, i) => {
          const isAnew = i === 0 || ends[i - 1]!.anew
          if (isAnew) counts = new Map()
          const sent = steps.slice(from, behind).map((step) => step(counts))
          from = Math.max(from, behind)
          return [...(isAnew ? began() : []), ...sent, ...(i === ends.length && hasEnd ? ended(counts) : [])]
        })
      }
      commit = before
      const all = runs(kills.toSorted((a, b) => a.behind - b.behind))
      // What comes again after a crash has another last commit beside it.
      log.push(() => ((commit = (before ?? 0) + 1), runs([]).flat()))
      commit = end
      for (const [i, sent] of isLost ? [] : all.entries()) {
        if (i > 0) run++
        give(sent)
      }
      return all.flat()
    },
    /** Another server goes on, whose binlogs are numbered from the first on; or another database does, of an earlier time. */
    failOver(to = '24bc7850-2c16-11e6-a073-0242ac110002') {
      server = to
      lsn = 0
    },
    /** The connector is started again and sends its last transactions once more. */
    crash(last: number) {
      run++
      const now = commit
      for (const resend of log.slice(Math.max(0, log.length - last))) give(resend())
      commit = now
    },
    /** Rows again between the changes, which stand nowhere among them. */
    incremental(name: string) {
      for (const row of tables[name]!.values())
        give([event(name, 'r', row, { snapshot: 'incremental', ...(mysql ? { file: '', pos: 0, row: 0 } : nowhere) })])
    },
    /**
     * A whole snapshot: of a new slot or, with so many transactions that come again behind it, of an old one. It may break off after so
     * many rows, be of some tables only, or be asked for by a signal while changes are streaming.
     */
    snapshot({ again = 0, rows = Infinity, isAsked = false, only = shopTables.map(({ name }) => name) as readonly string[] } = {}) {
      if (!isAsked) run++
      time += 1_000
      const id = ++transaction
      const at = (lsn += 8)
      const all = shopTables
        .filter(({ name }) => only.includes(name))
        .flatMap(({ name }) => [...tables[name]!.values()].map((row) => ({ name, row })))
      give(
        all
          .map(({ name, row }, i) => {
            const [isFirst, isLast] = [all[i - 1]?.name !== name, all[i + 1]?.name !== name]
            const marker =
              i === all.length - 1
                ? 'last'
                : i === 0
                  ? 'first'
                  : isLast
                    ? 'last_in_data_collection'
                    : isFirst
                      ? 'first_in_data_collection'
                      : 'true'
            const place = mysql ? binlogAt(at, 0) : { txId: id, lsn: at, sequence: JSON.stringify([null, String(at)]) }
            return event(name, 'r', row, { snapshot: marker, ...place })
          })
          .slice(0, rows),
      )
      if (again > 0) for (const resend of log.slice(Math.max(0, log.length - again))) give(resend())
      if (!isAsked && rows === Infinity) log.length = 0
    },
  }
}
