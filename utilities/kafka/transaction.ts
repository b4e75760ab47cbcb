/** The steps of a transaction as Kafka's protocol has them, each safe to repeat when no answer came. */
import type { KafkaParts } from './parts.ts'
import { check, code, isRefusal, Refusal } from './client/trouble.ts'
import { Fenced, type GroupOffset } from '../log.ts'

export type Identity = { readonly name: string; readonly transactionalId: string; readonly id: bigint; readonly epoch: number }

/** Takes the name: whoever held it before is fenced from now on, and what it had under way is undone. */
export async function takeIdentity({ cluster, prefix, transactionTimeoutMs }: KafkaParts, name: string): Promise<Identity> {
  const transactionalId = prefix + name
  return cluster.patiently(async () => {
    const request = { transactionalId, transactionTimeout: transactionTimeoutMs }
    const { errorCode, producerId, producerEpoch } = await cluster.coordinator('transaction', transactionalId, (link) =>
      link.ask('InitProducerId', request),
    )
    check(errorCode, `the writer ${name}`)
    return { name, transactionalId, id: BigInt(producerId), epoch: producerEpoch }
  })
}

export type TopicPartition = { readonly topic: string; readonly partition: number }

/** Tells the coordinator where the transaction writes; saying it twice is saying it once. */
export async function addPartitions(
  { cluster }: KafkaParts,
  { name, transactionalId, id, epoch }: Identity,
  places: readonly TopicPartition[],
): Promise<void> {
  const byTopic = Map.groupBy(places, ({ topic }) => topic)
  const topics = [...byTopic].map(([topic, ones]) => ({ topic, partitions: ones.map(({ partition }) => partition) }))
  await cluster.patiently(async () => {
    // The coordinator may not have heard of a new topic yet; one that is gone is a Problem here.
    for (const { topic, partition } of places) await cluster.leaderOf(topic, partition)
    const request = { transactionalId, producerId: String(id), producerEpoch: epoch, topics }
    const { errors } = await cluster.coordinator('transaction', transactionalId, (link) => link.ask('AddPartitionsToTxn', request))
    const codes = errors.flatMap(({ topic, partitionErrors }) =>
      partitionErrors.map(({ partition, errorCode }) => ({ place: `topic ${topic}, partition ${partition}`, errorCode })),
    )
    // Of several, some say only that another one failed.
    const failed =
      codes.find(({ errorCode }) => errorCode !== 0 && errorCode !== operationNotAttempted) ??
      codes.find(({ errorCode }) => errorCode !== 0)
    if (failed) throw asFenced(new Refusal(failed.errorCode, failed.place), name)
  })
}

const operationNotAttempted = 55

/**
 * Keeps how far the group has come, as part of the transaction. Only the transaction's own fencing guards it: whoever writes holds the
 * partition's name.
 */
export async function addOffset(
  { cluster, prefix }: KafkaParts,
  { name, transactionalId, id, epoch }: Identity,
  { group, topic, partition, next }: GroupOffset,
): Promise<void> {
  const who = { transactionalId, producerId: String(id), producerEpoch: epoch, groupId: prefix + group }
  const checked = (errorCode: number, about: string) => {
    if (errorCode !== 0) throw asFenced(new Refusal(errorCode, about), name)
  }
  await cluster.patiently(async () => {
    const { errorCode } = await cluster.coordinator('transaction', transactionalId, (link) => link.ask('AddOffsetsToTxn', who))
    checked(errorCode, `the writer ${name}`)
  })
  const topics = [{ topic: prefix + topic, partitions: [{ partition, offset: String(next), metadata: null }] }]
  await cluster.patiently(async () => {
    const answer = await cluster.coordinator('group', prefix + group, (link) => link.ask('TxnOffsetCommit', { ...who, topics }))
    checked(answer.topics[0]!.partitions[0]!.errorCode, `group ${group}`)
  })
}

/**
 * Ends the transaction. With the same identity the broker takes a repeated end for the first one, so a lost answer is found out by asking
 * again. Resolves when readers see the outcome: first the coordinator decides, then it tells the partitions, and until then it asks to
 * wait.
 */
export async function endTransaction(
  { cluster }: KafkaParts,
  { name, transactionalId, id, epoch }: Identity,
  outcome: 'commit' | 'abort',
): Promise<void> {
  let decided = false
  try {
    await cluster.patiently(async () => {
      const request = { transactionalId, producerId: String(id), producerEpoch: epoch, transactionResult: outcome === 'commit' }
      const end = () => cluster.coordinator('transaction', transactionalId, (link) => link.ask('EndTxn', request))
      for (;;) {
        const { errorCode } = await end()
        if (errorCode === 0 && decided) return
        if (errorCode !== 0) throw asFenced(new Refusal(errorCode, `the writer ${name}`), name)
        decided = true
      }
    })
  } catch (error) {
    // Whatever happened after the decision, to the broker or to our name, cannot take it back.
    if (!decided) throw error
  }
}

/** Whether the name is still ours, when there is nothing to write. */
export async function checkHeld({ cluster }: KafkaParts, { name, transactionalId, id, epoch }: Identity): Promise<void> {
  await cluster.patiently(async () => {
    const request = { transactionalId, producerId: String(id), producerEpoch: epoch, transactionResult: true }
    const { errorCode } = await cluster.coordinator('transaction', transactionalId, (link) => link.ask('EndTxn', request))
    // There is no transaction to end: only the holder of the name is told so.
    if (errorCode !== 0 && errorCode !== code.invalidTransactionState) throw asFenced(new Refusal(errorCode, `the writer ${name}`), name)
  })
}

const fencing = [code.invalidProducerEpoch, code.producerFenced, code.invalidProducerIdMapping, code.unknownProducerId]

/** The broker knows a newer holder of the name; or none, after the transaction took too long or the name was unused for days. */
export function asFenced(error: unknown, name: string): unknown {
  if (!isRefusal(error, ...fencing)) return error
  return new Fenced(`somebody else took over as ${name}, or its transaction took so long that Kafka ended it; nothing of it was kept`, {
    cause: error,
  })
}
