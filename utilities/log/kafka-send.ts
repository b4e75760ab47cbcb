/** Sends the record batches of a transaction to the leaders of their partitions: several under way at once, each taken exactly once, in order. */
import type { Link } from './kafka-client.ts'
import type { KafkaParts } from './kafka-parts.ts'
import { produceApi, type Packed } from './kafka-produce.ts'
import { asFenced, type Identity } from './kafka-transaction.ts'
import { code, isPassing, isUnanswered, Refusal } from './kafka-trouble.ts'

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
  /** Unknown: sent, and not answered. */
  state: 'new' | 'unknown' | 'done'
  offset?: number
}

/** What the broker can recognise as sent again: the last five batches of a producer. */
const underWayAtOnce = 5

export async function sendAll(parts: KafkaParts, identity: Identity, sequences: Map<string, number>, parcels: readonly Parcel[]): Promise<void> {
  const { cluster } = parts
  const timestampMs = Date.now()
  for (const parcel of parcels) {
    const place = `${parcel.topic}/${parcel.partition}`
    parcel.sequence = sequences.get(place) ?? 0
    sequences.set(place, (parcel.sequence + parcel.last - parcel.first) & 0x7fffffff)
  }
  await cluster.patiently(async () => {
    const rest = await Promise.all(parcels.filter(({ state }) => state !== 'done').map(async (parcel) => ({ parcel, leader: await cluster.leaderOf(parcel.topic, parcel.partition) })))
    const byLeader = Map.groupBy(rest, ({ leader }) => `${leader.host}:${leader.port}`)
    const outcomes = await Promise.allSettled([...byLeader.values()].map((ones) =>
      cluster.at(ones[0]!.leader, (link) => send(parts, identity, link, ones.map(({ parcel }) => parcel), timestampMs))))
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    // Of several failures, one that repeating does not mend decides.
    if (failures.length > 0) throw failures.find((failure) => !isPassing(failure)) ?? failures[0]
  })
}

async function send({ produce, compression, requestTimeoutMs }: KafkaParts, { name, transactionalId, id, epoch }: Identity, link: Link, parcels: readonly Parcel[], timestampMs: number): Promise<void> {
  const producer = { transactionalId, id, epoch, compression }
  const failures: unknown[] = []
  const underWay = new Set<Promise<void>>()
  for (const round of rounds(parcels)) {
    const sets = round.map(({ topic, partition, messages, first, last, sequence }) => ({ topic, partition, part: { messages, first, last, sequence: sequence!, timestampMs } }))
    const body = await produce.request(producer, requestTimeoutMs, sets)
    while (underWay.size >= underWayAtOnce) await Promise.race(underWay)
    if (failures.length > 0) break
    for (const parcel of round) parcel.state = 'unknown'
    const sent = link.exchange(produceApi, body).then(async (payload) => {
      for (const { topic, partition, errorCode, offset } of await produce.answer(payload)) {
        const parcel = round.find((one) => one.topic === topic && one.partition === partition)!
        parcel.state = errorCode === 0 ? 'done' : 'new'
        if (errorCode === 0) parcel.offset = offset
        // After a failure, all behind it in the partition only fail for that reason, and are sent again with it.
        else if (errorCode !== code.outOfOrderSequence || failures.length === 0) failures.push(asFenced(new Refusal(errorCode, `topic ${topic}, partition ${partition}`), name))
      }
    }).catch((error: unknown) => void failures.push(error)).finally(() => underWay.delete(sent))
    underWay.add(sent)
  }
  await Promise.all(underWay)
  // Without an answer the connection is of no use any more; its owner looks at the error to see that.
  if (failures.length > 0) throw failures.find(isUnanswered) ?? failures.find((failure) => !isPassing(failure)) ?? failures[0]
}

/** Each with at most one record batch of a partition, as the protocol wants it. */
function rounds(parcels: readonly Parcel[]): Parcel[][] {
  const found: Parcel[][] = []
  for (const ones of Map.groupBy(parcels, ({ topic, partition }) => `${topic}/${partition}`).values()) {
    ones.forEach((parcel, i) => (found[i] ??= []).push(parcel))
  }
  return found
}
