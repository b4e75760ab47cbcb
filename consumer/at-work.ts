/** The live versions of a set at work on a partition: grouped by the record that they read, since one reading serves them all. */
import type { Registry } from '../utilities/registry.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Batch, Log } from '../utilities/log.ts'
import type { Models } from '../utilities/models.ts'
import { encoder, splicer } from '../schemas/avro/encode.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import { isFact } from '../schemas/fact.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { fieldsRead } from '../feature-defs/inputs.ts'
import { keysOf } from '../feature-defs/keys.ts'
import type { Made, Maker } from '../feature-defs/made.ts'
import { makerOf } from '../feature-defs/maker.ts'
import { openModels } from '../feature-defs/models/score-rows.ts'
import { mostAdded } from '../feature-defs/row-schema.ts'
import { recordedIn } from '../streams/held.ts'
import type { Dead } from '../streams/dead.ts'
import { dueIn } from '../streams/dues.ts'
import { inflowReader, type InflowReader } from '../streams/inflow.ts'
import type { NewRecords } from '../streams/intake.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { running, withMade, withUnread, type Position, type Run } from '../streams/position.ts'
import { rowsOf } from '../streams/rows.ts'
import { layersOf, lookupState, type Layers } from '../streams/state.ts'
import { streamOf, type Stream } from '../streams/stream.ts'
import { Problem } from '../utilities/values/problem.ts'

/** The live versions over the same record: one reading of the inflow serves them all. */
export type Group = { readonly reader: InflowReader; readonly atWork: readonly VersionAtWork[] }

/** One live version at work: what makes its rows, and how these become messages. */
type VersionAtWork = {
  readonly definition: Definition
  readonly layers: Layers
  readonly maker: Maker
  readonly messagesOf: MessagesOf
}

type MessagesOf = (taken: NewRecords, made: Made, computedNs: bigint) => Batch

export async function openGroups(
  { registry, checkpoints, models }: { readonly registry: Registry; readonly checkpoints: Checkpoints; readonly models: Models },
  set: string,
  partition: number,
  position: Position,
): Promise<Group[]> {
  const known = await knownVersions(registry, set)
  const live = running(position).map((run) => ({
    ...known.find(({ definition }) => definition.version === run.version)!,
    layers: layersOf(run),
  }))
  if (live.length === 0) throw new Problem(`no version of ${set} is applied`, `Run: tidemark apply ${set}@0`)

  // One that cannot compute says so now, and not when a record comes.
  for (const { definition } of live) await openModels(definition, models)

  const byRecord = Map.groupBy(live, ({ definition }) => JSON.stringify(definition.record))
  return Promise.all(
    [...byRecord.values()].map(async (alike) => ({
      reader: await inflowReader(
        registry,
        alike[0]!.definition.record,
        [...new Set(alike.flatMap(({ definition }) => fieldsOfRows(definition)))],
        recordedIn(checkpoints, streamOf(alike[0]!.definition.record)),
      ),
      atWork: await Promise.all(
        alike.map(async ({ definition, schema, registered, layers }) => ({
          definition,
          layers,
          maker: makerOf(definition, {
            from: await lookupState(checkpoints, { set, partition }, layers),
            findDue: dueIn(checkpoints, { set, partition }, layers),
            tick: position.tick ?? null,
            models,
          }),
          messagesOf: messagesWith(definition, schema, registered.id),
        })),
      ),
    })),
  )
}

/** What must be read: rows over facts are not the messages with something added. */
const fieldsOfRows = (definition: Definition) =>
  isFact(definition.record) ? Object.keys(definition.record.fields) : fieldsRead(definition)

function messagesWith(definition: Definition, schema: AvroSchema, id: string): MessagesOf {
  const { record, per, version } = definition
  if (!isFact(record)) {
    const splice = splicer(schema, id)
    return ({ batch, rows }, { values }, computedNs) => splice(batch, rows, values, computedNs, version)
  }
  const encode = encoder(schema, id)
  return (_, { records, values }, computedNs) => {
    const messages = encode(rowsOf(definition, records, values, computedNs))
    return per === null ? messages : { ...messages, keys: keysOf(records, per) }
  }
}

/** All are over records of one name. */
export const streamAtWork = (groups: readonly Group[]): Stream => streamOf(groups[0]!.atWork[0]!.definition.record)

export const overFacts = (groups: readonly Group[]): boolean => isFact(groups[0]!.atWork[0]!.definition.record)

/** How large a record may be for its row to fit into outflow, whichever of the versions computes it. */
export async function mostBytes(log: Log, groups: readonly Group[]): Promise<number> {
  const added = Math.max(...groups.flatMap(({ atWork }) => atWork.map(({ definition }) => mostAdded(definition))))
  return Math.max(0, (await log.largestMessage(streamAtWork(groups).outflow)) - added)
}

/** Records of one version that another cannot read are dead letters which name it. */
export const unreadBySome = (groups: readonly Group[], taken: readonly NewRecords[]): Dead[] =>
  groups.flatMap(({ atWork }, i) =>
    taken[i]!.unread.flatMap((dead) =>
      atWork.map(({ definition }) => ({ ...dead, reason: `${label(definition)} cannot read it: ${dead.reason}` })),
    ),
  )

/** With what the versions could not read of the batch and, over facts, what they made of it. */
export function runsAfter(
  groups: readonly Group[],
  runs: readonly Run[],
  taken: readonly NewRecords[],
  madeBy: ReadonlyMap<number, number>,
): readonly Run[] {
  const read = withUnread(runs, unreadBy(groups, taken))
  return overFacts(groups) ? withMade(read, madeBy) : read
}

/** How many of the records that were taken a version could not read. */
const unreadBy =
  (groups: readonly Group[], taken: readonly NewRecords[]) =>
  (version: number): number => {
    const group = groups.findIndex(({ atWork }) => atWork.some(({ definition }) => definition.version === version))
    return taken[group]?.unread.length ?? 0
  }
