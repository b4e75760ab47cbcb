/** Which partition a record belongs to, and which feature sets can run on how many. */
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import { pick, type Columns } from '../utilities/values/columns.ts'
import type { Log } from '../utilities/log.ts'
import { partitionOf } from '../utilities/values/partition.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import { fromBytes, loadAllPositions, partitionsApplied, toBytes, type Routing } from './position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { keysOf, keyWords, samePer, type Per } from '../feature-defs/keys.ts'
import { streamedSets } from './known-versions.ts'
import { checkTopics, keepTopics } from './store.ts'
import { ownerOf, producedName, streamOf, type Stream } from './stream.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry }

/**
 * Makes the topics of a stream that are missing, inflow with so many partitions, and says how many it has: outflow has one for each of
 * them. None takes the place of one that is gone.
 */
export async function ensureTopics(ports: Ports, stream: Stream, wanted: number): Promise<number> {
  const { log } = ports
  await checkTopics(ports)
  const partitions = (await partitionsOf(ports, stream)) || wanted
  await log.create(stream.inflow, partitions)
  await log.create(stream.outflow, partitions)
  await log.create(stream.dead, 1)
  await keepTopics(ports, [stream])
  return partitions
}

/** How many inflow has; 0 when it is not there, which is refused where a set goes on from a place in it. */
async function partitionsOf({ log, checkpoints, registry }: Ports, stream: Stream): Promise<number> {
  const found = await log.partitions(stream.inflow)
  if (found > 0) return found
  const positions = await loadAllPositions(checkpoints, await streamedSets(registry, stream))
  const beyond = positions.find(({ position }) => position.offset > 0)
  if (beyond) throw notThere(stream, beyond.set, beyond.position.offset)
  return 0
}

/** As in a store from before there were several streams. */
const notThere = ({ name, inflow }: Stream, set: string, offset: number) =>
  new Problem(
    `${set} goes on at offset ${offset} of ${inflow}, and there is no such topic: it was deleted, or this store is from before each ` +
      `record had a stream of its own, when ${name} came in through inflow`,
    `To go on with a new one, rows and state staying as they are: tidemark reset ${inflow} --as-it-is`,
  )

/** How the records of a set are spread; a Problem when it cannot run on inflow as it is. */
export async function routingFor(ports: Ports, definition: Definition, wanted: number): Promise<Routing> {
  const { set, per, batchOnly, record } = definition
  const { checkpoints } = ports
  const stream = streamOf(record)
  const { inflow } = stream
  // What no consumer runs has nothing to do with inflow.
  if (batchOnly) return { per: null, partitions: 1 }
  const partitions = (await partitionsOf(ports, stream)) || wanted
  if (partitions > 1 && per === null) {
    throw new Problem(`${set} has no key, so its records are one stream, and ${inflow} has ${partitions} partitions`, `Give it ${keyOrOne}`)
  }
  const applied = await partitionsApplied(checkpoints, ownerOf(definition))
  if (applied > 0 && applied !== partitions) {
    throw new Problem(
      `${set} was applied on ${counted(applied)} of ${inflow}, which has ${counted(partitions)} now: keys have moved from one to another`,
      'Start over with an inflow that keeps its partitions: another topicPrefix or data directory, produce there, and apply the set.',
    )
  }
  if (partitions === 1) return { per, partitions }
  const keyedBy = await loadKeyedBy(checkpoints, stream)
  if (keyedBy !== undefined && !samePer(keyedBy, per)) {
    throw new Problem(
      `${set} is per ${keyWords(per)}, and the ${partitions} partitions of ${inflow} are keyed by ${keyWords(keyedBy, 'no field')}`,
      `Use an inflow of one partition, or one that was produced by ${keyWords(per)}.`,
    )
  }
  return { per, partitions }
}

/**
 * The key by whose values each `one` that comes in finds its partition, null where it has none; refused where several partitions need
 * exactly one.
 */
export function keyToSpreadBy({ inflow }: Stream, partitions: number, pers: readonly Per[], one: string): Per {
  const [per = null] = pers
  if (partitions > 1 && pers.length > 1)
    throw new Problem(
      `${inflow} has ${partitions} partitions, and the sets over it have several keys`,
      'Use an inflow of one partition: log.partitions 1, with another topicPrefix or data directory.',
    )
  if (partitions > 1 && per === null)
    throw new Problem(
      `${inflow} has ${partitions} partitions, and no key says which of them a ${one} belongs to`,
      `Give the set ${keyOrOne}`,
    )
  return per
}

/** What to do about records without a key on several partitions. */
export const keyOrOne =
  `a key (per: 'FIELD') in the definitions, or use an inflow of one partition: log.partitions 1, ` +
  'with another topicPrefix or data directory.'

const counted = (partitions: number) => `${partitions} partition${partitions === 1 ? '' : 's'}`

/** The keys are there where they had to be made. */
export type Share = { readonly partition: number; readonly records: Columns; readonly keys?: readonly string[] }

/** The rows of each partition, in order. Without a key, or with one partition, all of them are in the first. */
export function spread(records: Columns, { per, partitions }: Routing): readonly Share[] {
  if (per === null || partitions === 1) return [{ partition: 0, records }]
  const keys = keysOf(records, per)
  const known = new Map<string, number>()
  const rows = Array.from({ length: partitions }, () => new Int32Array(records.count))
  const counts = new Int32Array(partitions)
  for (const [row, key] of keys.entries()) {
    let partition = known.get(key)
    if (partition === undefined) known.set(key, (partition = partitionOf(key, partitions)))
    rows[partition]![counts[partition]!++] = row
  }
  return rows.flatMap((some, partition): readonly Share[] => {
    const own = some.subarray(0, counts[partition])
    return own.length === 0 ? [] : [{ partition, records: pick(records, own), keys: Array.from(own, (row) => keys[row]!) }]
  })
}

/** The keys of records as messages carry them; none without a key. */
export const messageKeys = (records: Columns, per: Per): readonly string[] | undefined => (per === null ? undefined : keysOf(records, per))

/** What inflow's records are spread by; null for nothing, undefined when `produce` has not written any. */
async function loadKeyedBy(checkpoints: Checkpoints, stream: Stream): Promise<Per | undefined> {
  const saved = (await checkpoints.load(producedName(stream))).get('keyed-by')
  return saved && fromBytes<Per>(saved)
}

export const saveKeyedBy = (stream: Stream, per: Per): Save => ({ name: producedName(stream), key: 'keyed-by', value: toBytes(per) })
