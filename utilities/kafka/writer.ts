/** The writer: one commit is one transaction of Kafka, messages and checkpoint entries together. */
import { Problem } from '../values/problem.ts'
import type { KafkaParts } from './parts.ts'
import type { Packed } from './wire/produce.ts'
import { packSaves, partitionOfName, topicOf, type CheckpointTopic, type CheckpointTopics } from './saves.ts'
import { placeOf, sendAll, type Parcel, type Progress } from './send.ts'
import { alter, aroundBatch, aroundMessage, endsOf } from './topics.ts'
import { addOffset, addPartitions, checkHeld, endTransaction, takeIdentity, type TopicPartition } from './transaction.ts'
import type { Save } from '../checkpoints.ts'
import { Fenced, type Append, type GroupOffset, type Writer } from '../log.ts'

type Work = Parameters<Writer['commit']>[0]

/** As few requests as topics take by default, and small enough that the broker works on one while the next is being encoded. */
const parcelBytes = 900 * 1024

export async function openWriter(parts: KafkaParts, checkpoints: CheckpointTopics, name: string): Promise<Writer> {
  const identity = await takeIdentity(parts, name)
  const progress = new Map<string, Progress>()
  let closed = false
  /** Why nothing more can be committed with this identity. */
  let ended: Error | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function commit({ append = [], save = [], taken }: Work): Promise<readonly number[]> {
    if (closed) throw new TypeError(`the writer ${name} is closed`)
    if (ended) throw ended
    // Everything that can be refused is refused before the transaction begins.
    const appends = await Promise.all(append.map((one) => checked(parts, one)))
    // All of them are waited for together: one that is refused while another is still looked at must not go unheard.
    const parcels = (await Promise.all([Promise.all(appends.map((one, i) => cutUp(one, i))), saved(save)])).flat(2)
    try {
      if (parcels.length === 0) await checkHeld(parts, identity)
      else await transact(parcels, taken)
    } catch (error) {
      if (error instanceof Fenced) ended = error
      throw error
    }
    return Promise.all(
      appends.map(
        async ({ topic, partition }, i) =>
          parcels.find(({ append }) => append === i)?.offset ?? (await endsOf(parts, topic, [partition]))[0]!.next,
      ),
    )
  }

  async function transact(parcels: readonly Parcel[], taken: GroupOffset | undefined): Promise<void> {
    await addPartitions(parts, identity, uniquePlaces(parcels))
    try {
      const works = [sendAll(parts, identity, progress, parcels), ...(taken ? [addOffset(parts, identity, taken)] : [])]
      // Both have ended before the transaction does, whatever became of the other.
      await Promise.allSettled(works)
      await Promise.all(works)
    } catch (error) {
      // Nothing of it ever becomes visible. What the broker has taken of it is not known, and with it what it would take for sent again.
      ended = error as Error
      if (!(error instanceof Fenced))
        await endTransaction(parts, identity, 'abort').catch((failure: unknown) => failure instanceof Fenced && (ended = failure))
      throw ended
    }
    try {
      await endTransaction(parts, identity, 'commit')
    } catch (error) {
      ended = error instanceof Fenced ? error : outcomeUnknown(name, error)
      throw ended
    }
  }

  async function saved(save: Work['save'] = []): Promise<Parcel[][]> {
    const byTopic = [...Map.groupBy(save, ({ name }) => topicOf(name))]
    return (await Promise.all(byTopic.map(async ([topic, saves]) => savedIn(await checkpoints(topic), saves)))).flat()
  }

  async function savedIn({ topic, partitions }: CheckpointTopic, save: readonly Save[]): Promise<Parcel[][]> {
    const known = new Map<string, number>()
    const partitionOf = (name: string): number => {
      const partition = known.get(name) ?? partitionOfName(name, partitions)
      known.set(name, partition)
      return partition
    }
    const byPartition = Map.groupBy(save, ({ name }) => partitionOf(name))
    return Promise.all([...byPartition].map(([partition, saves]) => cutUp({ topic, partition, batch: packSaves(saves) })))
  }

  /** Record batches of a size that the topic takes, in order. */
  async function cutUp({ topic, partition, batch }: TopicPartition & { readonly batch: Packed }, append?: number): Promise<Parcel[]> {
    const limit = await parts.sizeLimit(topic)
    const room = Math.min(parcelBytes, limit) - aroundBatch
    const parcels: Parcel[] = []
    const { ends } = batch
    for (let first = 0, last = 0; first < ends.length; first = last) {
      let size = sizeOf(batch, last++)
      const mayNotFit = size > limit - aroundBatch && parts.compression === 'none'
      if (mayNotFit && exactSizeOf(batch, first) > limit - aroundBatch) throw tooLarge(parts, topic, size, limit)
      while (last < ends.length && size + sizeOf(batch, last) <= room) size += sizeOf(batch, last++)
      parcels.push({ topic, partition, messages: batch, first, last, ...(append !== undefined && { append }) })
    }
    return parcels
  }

  return {
    // One after the other, in the order of the calls.
    commit: (work) =>
      (last = last.then(
        () => commit(work),
        () => commit(work),
      )) as Promise<readonly number[]>,
    async close() {
      closed = true
    },
  }
}

async function checked({ cluster, prefix }: KafkaParts, { topic, partition, batch }: Append): Promise<Append> {
  const count = batch.ends.length
  if (batch.keys && batch.keys.length !== count) throw new TypeError(`topic ${topic}: ${count} messages with ${batch.keys.length} keys`)
  const end = batch.ends[count - 1] ?? 0
  if (end > batch.bytes.length) throw new TypeError(`topic ${topic}: messages end at ${end} of ${batch.bytes.length} bytes`)
  await cluster.patiently(() => cluster.leaderOf(prefix + topic, partition))
  return { topic: prefix + topic, partition, batch }
}

/** At most. */
const sizeOf = (batch: Packed, i: number): number => valueBytes(batch, i) + (batch.keys ? 3 * batch.keys[i]!.length : 0) + aroundMessage
const exactSizeOf = (batch: Packed, i: number): number =>
  valueBytes(batch, i) + (batch.keys ? Buffer.byteLength(batch.keys[i]!) : 0) + aroundMessage
const valueBytes = ({ ends }: Packed, i: number) => ends[i]! - (i === 0 ? 0 : ends[i - 1]!)

const tooLarge = ({ cluster }: KafkaParts, topic: string, size: number, limit: number) =>
  new Problem(
    `a message of ${size} bytes is larger than topic ${topic} takes (${limit} bytes)`,
    `Raise what it takes: ${alter(cluster, topic, 'max.message.bytes', String(size + aroundBatch))}`,
  )

const uniquePlaces = (parcels: readonly Parcel[]): TopicPartition[] => [
  ...new Map(parcels.map(({ topic, partition }) => [placeOf({ topic, partition }), { topic, partition }])).values(),
]

const outcomeUnknown = (name: string, cause: unknown) =>
  new Problem(
    `Kafka stopped answering while it was to commit for ${name}, which may have happened or not`,
    'Run it again: it goes on from what was kept.',
    { cause },
  )
