/**
 * A store in memory whose inflow holds messages of a fact, as ingest writes them: the commands of its sets run on it, and may be cut short.
 */
import { expect } from 'vitest'
import type { Ports } from '../config/wire.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { keyFields, keysOf, type Per } from '../feature-defs/keys.ts'
import { featureType } from '../feature-defs/known-operators.ts'
import { values } from '../feature-defs/takes.ts'
import { textsIn, type Value as HeldValue } from '../feature-defs/values.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { registerInflow } from '../streams/inflow.ts'
import { saveHeld } from '../streams/held.ts'
import { saveKeyedBy } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { columnOf, type Columns } from '../utilities/values/columns.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import { partitionOf } from '../utilities/values/partition.ts'
import { valuesIn, type Value } from './exact.ts'
import { columnsOfFacts, type FactMessage } from './fact-messages.ts'
import { modelOf, type RowExpected } from './fact-model.ts'

/** The partition of each message; null for a tick, which all have. */
function placesOf(fact: FactSchema, per: Per, messages: readonly FactMessage[], partitions: number): readonly (number | null)[] {
  if (per === null || partitions === 1) return messages.map(({ tick }) => (tick === null ? 0 : null))
  const all = columnsOfFacts(
    fact,
    messages.map((one) => (one.tick === null ? { ...one, after: one.after ?? one.before } : one)),
  )
  const sides = new Map(keyFields(per).map((name) => [name, all.byName.get(`after.${name}`)!]))
  const keys = keysOf({ count: all.count, byName: sides }, per)
  return messages.map(({ tick }, i) => (tick === null ? partitionOf(keys[i]!, partitions) : null))
}

export type Writing = { readonly fact: FactSchema; readonly per: Per; readonly partitions: number }

/** What was written so far is known by it. */
export function writerOf({ fact, per, partitions }: Writing) {
  let [rows, last] = [0, 0]
  return async ({ log, registry }: Pick<Ports, 'log' | 'registry'>, messages: readonly FactMessage[], commits: readonly number[] = []) => {
    const stream = streamOf(fact)
    const { id } = await registerInflow(registry, fact)
    const encode = encoder(inflowSchema(fact), id)
    const places = placesOf(fact, per, messages, partitions)
    const writer = await log.writer('ingest')
    let from = 0
    for (const to of [...commits, messages.length]) {
      const append = Array.from({ length: partitions }, (_, partition) => {
        const own = Int32Array.from(messages.keys()).filter((i) => i >= from && i < to && (places[i] === partition || places[i] === null))
        const parts = Array.from(own, (i) => messages[i]!)
        // The last of a group in this partition ends it here.
        const ended = parts.map((one, i) => {
          const next = own[i + 1] ?? to
          return { ...one, groupEnd: messages.slice(own[i]!, next).some(({ groupEnd }) => groupEnd) }
        })
        return { topic: stream.inflow, partition, batch: encode(columnsOfFacts(fact, ended)) }
      }).filter(({ batch }) => batch.ends.length > 0)
      rows += to - from
      last = messages[to - 1]?.seq ?? last
      const take = {
        source: { name: 'tables', size: 0, sha256: 'tables' },
        base: 0,
        years: [0, 9999] as const,
        after: 0,
        firstSeq: 1,
        lastSeq: last,
        rows,
        rejected: 0,
      }
      await writer.commit({ append, save: [saveHeld(stream, [take as never]), saveKeyedBy(stream, per)] })
      from = to
    }
    await writer.close()
  }
}

/** A row of the warehouse in plain words. */
export async function rowsStored({ warehouse }: Pick<Ports, 'warehouse'>, definition: Definition): Promise<readonly RowExpected[]> {
  const { set, version, record, per, features } = definition
  const rows: RowExpected[] = []
  for await (const batch of warehouse.rows(set, version, { first: 0, last: Number.MAX_SAFE_INTEGER })) {
    const keys = per === null ? undefined : keysOf(batch, per)
    const changes = textsIn(columnOf(batch, '_change', 'text'))
    const known = columnOf(batch, '_known_ts', 'long').values
    const held = (name: string, row: number): HeldValue => values(batch.byName.get(name) as FeatureColumn)[row]!
    const found = features.map((feature) => featureIn(definition, feature, batch))
    for (let row = 0; row < batch.count; row++)
      rows.push({
        seq: columnOf(batch, '_seq', 'int').values[row]!,
        change: changes[row] as string,
        known: known[row]!,
        key: keys?.[row] ?? '',
        fields: Object.fromEntries(Object.keys(record.fields).map((name) => [name, held(name, row)])),
        features: found.map((some) => some[row]!),
      })
  }
  return rows
}

function featureIn({ record }: Definition, feature: Definition['features'][number], batch: Columns): readonly Value[] {
  expect(batch.byName.get(feature.name)?.kind).toBe(featureType(record, feature).kind)
  return valuesIn(batch.byName.get(feature.name) as FeatureColumn)
}

/** The numbers of a partition whose rows a version has made: those behind `after`, up to `until`. */
export type Owner = { readonly after: number; readonly until: number }

/** What the rows of a version must be that it has made of these messages, by partition. */
export function rowsOwned(definition: Definition, messages: readonly FactMessage[], owners: readonly Owner[]): readonly RowExpected[] {
  const model = modelOf(definition)
  const { fields } = definition.record
  return messages
    .flatMap((message) => model(message))
    .filter(({ seq, key }) => {
      const { after, until } = owners[owners.length === 1 ? 0 : partitionOf(key, owners.length)]!
      return seq > after && seq <= until
    })
    .map((row) => ({ ...row, fields: Object.fromEntries(Object.keys(fields).map((name) => [name, row.fields[name] ?? NaN])) }))
}
