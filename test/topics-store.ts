/** A store in memory that reads topics of a database, and may be cut at any write. */
import type { EventSchema } from '../schemas/event.ts'
import type { FactSchema } from '../schemas/fact.ts'
import type { RecordSchema, Table } from '../schemas/record.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import { transactionDecoder } from '../schemas/foreign/transactions.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { ingest, type IngestOptions } from '../ingest/ingest.ts'
import type { IngestPlace } from '../ingest/place.ts'
import type { TopicSource } from '../ingest/topic-source.ts'
import type { Needs } from '../ingest/turn.ts'
import { streamOf } from '../streams/stream.ts'
import type { Per } from '../feature-defs/keys.ts'
import type { Feed } from '../utilities/feed.ts'
import { cutAt, factStore, type Cut } from './fact-store.ts'
import { Killed } from './faults.ts'

type Asked = Partial<
  Pick<IngestOptions, 'acceptGap' | 'acceptSnapshot' | 'holdMs' | 'holdMessages' | 'signal' | 'follow' | 'report' | 'factsAtOnce'>
> & {
  readonly cut?: Cut
}

type StoreAsked = {
  readonly facts: readonly FactSchema[]
  readonly tables: readonly Table[]
  readonly records?: readonly RecordSchema[]
  readonly events?: readonly EventSchema[]
  readonly per?: Per
  readonly partitions?: number
  /** Another store, whose log it goes on with. */
  readonly on?: Pick<ReturnType<typeof factStore>, 'ports'>
}

export const tableSource = (
  table: Table,
  topic: string,
  more: Partial<ForeignSource> & { readonly transactions?: string; readonly noSnapshot?: boolean } = {},
): TopicSource => {
  const { transactions, noSnapshot = false, ...written } = more
  const { format = 'debezium' } = written
  return {
    name: table.name,
    topic,
    of: { table },
    decode: foreignDecoder({ name: table.name, fields: table.fields, key: table.key, format, ...written }, undefined),
    isOfDatabase: format === 'debezium',
    noSnapshot,
    isFleeting: false,
    transactions,
  }
}

export function topicsStore(
  feed: Feed,
  sourcesOf: () => readonly TopicSource[],
  { facts, tables, records = [], events = [], per = null, partitions = 1, on }: StoreAsked,
) {
  const store = factStore(facts, { per, partitions })
  const notes: string[] = []
  const needs: Needs = {
    facts: facts.map((fact) => ({ fact, stream: streamOf(fact), pers: [per] })),
    tables,
    records: records.map((record) => ({ record, pers: [per] })),
    events: events.map((event) => ({ event, stream: streamOf(event), pers: [per] })),
  }
  return {
    ...store,
    notes,
    async ingest({ cut, ...asked }: Asked = {}): Promise<IngestPlace | 'cut'> {
      const own = (on ?? store).ports()
      const ports = { ...(cut ? cutAt(own, cut) : own), feed, lease: async () => ({ close: async () => {} }) }
      const sources = sourcesOf()
      const transactions = [...new Set(sources.flatMap((one) => one.transactions ?? []))].map((topic) => ({
        topic,
        decode: transactionDecoder({ name: topic, fields: {}, key: null, format: 'debezium' }, undefined),
      }))
      try {
        return await ingest(ports, {
          topics: () => ({ sources, transactions }),
          holdMs: 200,
          holdMessages: 100_000,
          acceptGap: [],
          acceptSnapshot: [],
          follow: false,
          signal: new AbortController().signal,
          report: () => {},
          note: (text) => notes.push(text),
          passed: () => {},
          partitions: () => partitions,
          needs: async () => needs,
          ...asked,
        })
      } catch (error) {
        if (error instanceof Killed) return 'cut'
        throw error
      }
    },
  }
}
