/**
 * Sends the record batches of a transaction to the leaders of their partitions: several under way at once, each taken exactly once, in
 * order.
 */
import type { Link } from './client/client.ts'
import type { KafkaParts } from './parts.ts'
import { produceApi, produceCodec, type Packed } from './wire/produce.ts'
import { asFenced, type Identity } from './transaction.ts'
import { code, isPassing, isUnanswered, Refusal } from './client/trouble.ts'

/** Some messages of one append (last excluded), sent as one record batch. */
export type Parcel = {
  readonly topic: string
  readonly partition: number
  readonly messages: Packed
  readonly first: number
  readonly last: number
  /** Which append of the commit it is part of, if any. */
  readonly append?: number
  /** Of its first message, among all that this writer ever sent to the partition: by it the broker knows what comes again. */
  sequence?: number
  /** Once it was under way, whatever became of it. */
  sent?: true
  /** Of its first message in the topic, once the broker has taken it. */
  offset?: number
}

/** How far a writer has come in a partition. */
export type Progress = { readonly next: number; readonly takenAtMs?: number }

/** What the broker can recognise as sent again: the last five batches of a producer. */
const underWayAtOnce = 5

/** Brokers forget producers that were silent for a day, unless they are set to forget sooner. */
const rememberedMs = 10 * 60 * 1000

/** When it fails, what the broker has taken is not known: the identity must not be used for more. */
export async function sendAll(
  parts: KafkaParts,
  identity: Identity,
  progress: Map<string, Progress>,
  parcels: readonly Parcel[],
): Promise<void> {
  const { cluster } = parts
  const timestampMs = Date.now()
  for (const parcel of parcels) {
    const { next, ...rest } = progress.get(placeOf(parcel)) ?? { next: 0 }
    parcel.sequence = next
    progress.set(placeOf(parcel), { ...rest, next: (next + parcel.last - parcel.first) & 0x7fffffff })
  }
  await cluster.patiently(async () => {
    const untaken = parcels.filter(({ offset }) => offset === undefined)
    const led = await Promise.all(
      untaken.map(async (parcel) => ({ parcel, leader: await cluster.leaderOf(parcel.topic, parcel.partition) })),
    )
    const byLeader = Map.groupBy(led, ({ leader }) => `${leader.host}:${leader.port}`)
    const outcomes = await Promise.allSettled(
      [...byLeader.values()].map((ones) =>
        cluster.at(ones[0]!.leader, (link) =>
          send(
            { parts, identity, progress, link, timestampMs },
            ones.map(({ parcel }) => parcel),
          ),
        ),
      ),
    )
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    // Of several failures, one that repeating does not mend decides.
    if (failures.length > 0) throw failures.find((failure) => !isPassing(failure)) ?? failures[0]
  })
}

type Sending = {
  readonly parts: KafkaParts
  readonly identity: Identity
  readonly progress: Map<string, Progress>
  readonly link: Link
  readonly timestampMs: number
}

async function send({ parts, identity, progress, link, timestampMs }: Sending, parcels: readonly Parcel[]): Promise<void> {
  const { compression, requestTimeoutMs } = parts
  const producer = { ...identity, compression }
  const failures: unknown[] = []
  const underWay: Promise<void>[] = []
  for (const round of rounds(parcels)) {
    const sets = round.map(({ topic, partition, messages, first, last, sequence }) => ({
      topic,
      partition,
      part: { messages, first, last, sequence: sequence!, timestampMs },
    }))
    const body = await produceCodec.request(producer, requestTimeoutMs, sets)
    // The oldest, so that none without an answer falls behind those that the broker can recognise.
    if (underWay.length >= underWayAtOnce) await underWay.shift()
    if (failures.length > 0) break
    // A broker that does not know the producer takes any number as its first: if this batch failed and the next did not, the order would be
    // lost. One that comes again goes alone as well: nothing new may push it out of those that can be recognised.
    const alone = round.some(
      (parcel) => parcel.sent || performance.now() - (progress.get(placeOf(parcel))?.takenAtMs ?? -Infinity) > rememberedMs,
    )
    for (const parcel of round) parcel.sent = true
    const sent = link
      .exchange(produceApi, body)
      .then((payload) => {
        for (const { topic, partition, errorCode, offset } of produceCodec.answer(payload)) {
          const parcel = round.find((one) => one.topic === topic && one.partition === partition)!
          if (errorCode === 0) {
            parcel.offset = offset
            progress.set(placeOf(parcel), { ...progress.get(placeOf(parcel))!, takenAtMs: performance.now() })
          } else if (errorCode !== code.outOfOrderSequence || failures.length === 0) {
            // After a failure, all behind it in the partition only fail for that reason, and are sent again with it.
            failures.push(asFenced(new Refusal(errorCode, `topic ${topic}, partition ${partition}`), identity.name))
          }
        }
      })
      .catch((error: unknown) => void failures.push(error))
    underWay.push(sent)
    if (alone) await sent
  }
  await Promise.all(underWay)
  // Without an answer the connection is of no use any more; its owner looks at the error to see that.
  if (failures.length > 0) throw failures.find(isUnanswered) ?? failures.find((failure) => !isPassing(failure)) ?? failures[0]
}

export const placeOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }) => `${topic}/${partition}`

/** Each with at most one record batch of a partition, as the protocol wants it. */
function rounds(parcels: readonly Parcel[]): Parcel[][] {
  const found: Parcel[][] = []
  for (const ones of Map.groupBy(parcels, placeOf).values()) {
    ones.forEach((parcel, i) => (found[i] ??= []).push(parcel))
  }
  return found
}
