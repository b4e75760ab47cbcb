/** A store of tables and facts in memory: loads from texts, which may be cut at any write, and what its streams say. */
import { decoder } from '../schemas/avro/decode.ts'
import { incompatibilities } from '../schemas/avro/compatibility.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { toObject } from '../schemas/avro/generic.ts'
import { readFrame } from '../schemas/wire.ts'
import type { FactSchema } from '../schemas/fact.ts'
import type { Table } from '../schemas/record.ts'
import { load, type LoadOptions, type Loaded } from '../ingest/load.ts'
import type { NeededFact } from '../ingest/needed.ts'
import { streamOf } from '../streams/stream.ts'
import { openMemoryCheckpoints } from '../utilities/memory/checkpoints.ts'
import { openMemoryLog } from '../utilities/memory/log.ts'
import { memorySchemas, openMemoryRegistry } from '../utilities/memory/registry.ts'
import { memoryStore } from '../utilities/memory/store.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import { storedSource } from '../utilities/files/stored.ts'
import type { Reject, RejectsFile } from '../utilities/files/rejects.ts'
import type { Source } from '../utilities/source.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Tables } from '../utilities/tables.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { Per } from '../feature-defs/keys.ts'
import { Killed } from './faults.ts'
import { plainAt } from './plain-columns.ts'
import type { Row } from './shop-facts.ts'

export type Message = {
  readonly partition: number
  readonly seq: number
  readonly known: bigint
  readonly change: string
  readonly key: string | null
  readonly before: Row | null
  readonly after: Row | null
  readonly groupEnd: boolean
  readonly tick: number | null
}

export type FactStore = ReturnType<typeof factStore>

/** The n-th write, of the log or of the tables, is the first that is not done. */
export type Cut = { readonly write: number }

type StoreOptions = {
  readonly per?: Per
  readonly partitions?: number
  /** Where the log is, if not in memory. */
  readonly on?: { readonly log: Log; readonly checkpoints: Checkpoints }
}

export function factStore(facts: readonly FactSchema[], { per = null, partitions = 1, on }: StoreOptions = {}) {
  const [store, schemas] = [memoryStore(), memorySchemas()]
  const { log, checkpoints } = on ?? { log: openMemoryLog(store), checkpoints: openMemoryCheckpoints(store) }
  const registry = openMemoryRegistry(schemas, incompatibilities('BACKWARD'))
  let tables = openSqliteTables(':memory:')
  let now = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n
  const needing = (all: readonly FactSchema[]) => all.map((fact): NeededFact => ({ fact, stream: streamOf(fact), pers: [per] }))
  let needed = needing(facts)
  const rejected: Reject[] = []
  const ports = () => ({ log, checkpoints, registry, tables, clock: () => (now += 1_000_000_000n) })

  const options = (all: readonly Table[], texts: { readonly [table: string]: string }): LoadOptions => ({
    facts: needed,
    tables: all,
    files: Object.entries(texts).map(([name, text]) => {
      return { table: all.find((table) => table.name === name)!, source: textSource(name, text), rejects: keptIn(rejected) }
    }),
    partitions: () => partitions,
    partial: false,
    strict: false,
    known: undefined,
    signal: new AbortController().signal,
    agree: async () => true,
    report: () => {},
  })

  return {
    ports,
    rejected,
    rejects: keptIn(rejected),
    setFacts(all: readonly FactSchema[]) {
      needed = needing(all)
    },
    options,
    /** All that is kept, but for the tables on disk. */
    async everything() {
      return { checkpoints: structuredClone(store.checkpoints), topics: await log.topics(), schemas: [...schemas.schemas.keys()] }
    },
    async entries(name: string) {
      const found = new Map<string, Uint8Array>()
      for await (const some of checkpoints.entries(name)) for (const [key, value] of some) found.set(key, value)
      return found
    },
    /** The tables on disk are gone, or others take their place. */
    replaceTables(other: Tables = openSqliteTables(':memory:')) {
      tables = other
    },
    async load(
      all: readonly Table[],
      texts: { readonly [table: string]: string },
      asked: Partial<LoadOptions> & { readonly cut?: Cut } = {},
    ): Promise<Loaded | 'cut'> {
      rejected.length = 0
      const { cut, ...given } = asked
      try {
        return await load(cut ? cutAt(ports(), cut) : ports(), { ...options(all, texts), ...given })
      } catch (error) {
        if (error instanceof Killed) return 'cut'
        throw error
      }
    },
    async messages(fact: FactSchema): Promise<readonly Message[]> {
      const { inflow } = streamOf(fact)
      const all: Message[] = []
      for (let partition = 0; partition < (await log.partitions(inflow)); partition++)
        for await (const { batch } of log.read(inflow, { partition, from: 0 }))
          all.push(...messagesOf(fact, decoder(inflowSchema(fact))(batch, 0, batch.ends.length).columns, partition))
      return all
    },
    /** The reasons of dead letters. */
    async dead(fact: FactSchema): Promise<readonly string[]> {
      const reasons: string[] = []
      const topic = streamOf(fact).dead
      if ((await log.partitions(topic)) === 0) return reasons
      for await (const { batch } of log.read(topic, { partition: 0, from: 0 }))
        for (let i = 0, start = 0; i < batch.ends.length; start = batch.ends[i++]!) {
          const frame = readFrame(batch.bytes, start, batch.ends[i]!)
          if (!frame.ok) throw new Error(frame.reason)
          const schema = JSON.parse((await registry.find(frame.id))!.definition) as Parameters<typeof toObject>[0]
          reasons.push(String(toObject(schema, frame.payload)['reason']))
        }
      return reasons
    },
  }
}

/** What stands when these messages have been followed. */
export function standingAfter(messages: readonly Message[]): Map<string, Row> {
  const facts = new Map<string, Row>()
  for (const { change, key, before, after } of messages) {
    if (change === 'tick') continue
    const stood = facts.get(key!)
    if (JSON.stringify(stood ?? null) !== JSON.stringify(before)) throw new Error(`${change} of ${key}: it was ${JSON.stringify(stood)}`)
    if (JSON.stringify(before) === JSON.stringify(after)) throw new Error(`${change} of ${key} changes nothing`)
    if (after) facts.set(key!, after)
    else facts.delete(key!)
  }
  return facts
}

export function messagesOf({ fields }: FactSchema, { count, byName }: Columns, partition: number): Message[] {
  const at = (name: string, row: number) => plainAt(byName.get(name)!, row) as Row[string]
  const side = (name: string, row: number): Row | null =>
    at(name, row) ? Object.fromEntries(Object.keys(fields).map((own) => [own, at(`${name}.${own}`, row)])) : null
  return Array.from({ length: count }, (_, row) => ({
    partition,
    seq: Number(at('_seq', row)),
    known: (byName.get('known') as { readonly values: BigInt64Array }).values[row]!,
    change: String(at('change', row)),
    key: at('key', row) as string | null,
    before: side('before', row),
    after: side('after', row),
    groupEnd: at('group_end', row) === true,
    tick: at('tick', row) as number | null,
  }))
}

function textSource(place: string, text: string): Source {
  const bytes = Buffer.from(text)
  return storedSource({
    place,
    name: place,
    start: async () => bytes.subarray(0, 4),
    size: async () => bytes.length,
    async *read(_, from) {
      yield bytes.subarray(from)
    },
    explained: (cause) => cause,
  })
}

const keptIn = (rejected: Reject[]): RejectsFile => ({
  path: 'rejects',
  keep: async () => 0,
  append: async (some) => void rejected.push(...some),
})

/** Whoever is killed does nothing any more. */
export function cutAt<P extends ReturnType<FactStore['ports']>>(ports: P, { write }: Cut): P {
  let writes = 0
  const count = () => {
    if (++writes >= write) throw new Killed(`cut before write ${write}`)
  }
  const { log, tables } = ports
  const settle: Tables['settle'] = (mark) => (count(), tables.settle(mark))
  const seal: Tables['seal'] = (mark) => (count(), tables.seal(mark))
  return {
    ...ports,
    tables: { ...tables, settle, seal },
    log: {
      ...log,
      async writer(name: string) {
        const writer = await log.writer(name)
        return { ...writer, commit: (work: Parameters<typeof writer.commit>[0]) => (count(), writer.commit(work)) }
      },
    },
  }
}
