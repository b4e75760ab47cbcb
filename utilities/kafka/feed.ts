/** Topics of others in Kafka, which are only read: nothing here makes a topic, joins a group or keeps an offset. */
import { setTimeout as sleep } from 'node:timers/promises'
import { noMessages, type Ends, type Feed, type Messages } from '../feed.ts'
import { NoTopic } from '../log.ts'
import { Problem } from '../values/problem.ts'
import { askLeader } from './ask-leader.ts'
import { unlessAborted } from './client/abort.ts'
import { code } from './client/trouble.ts'
import { connect, type Connected, type ConnectOptions } from './connect.ts'
import { endsOf } from './topics.ts'
import { messagesIn } from './wire/messages.ts'

/** Others may have many partitions, and two answers of each are in memory. */
const fetchBytes = 512 * 1024
/** How long the broker waits for more; it answers at once when there is some. */
const followMs = 500

export async function openKafkaFeed(options: ConnectOptions): Promise<Feed> {
  const connected = await connect(options)
  const { cluster, staying } = connected
  return {
    ends: (topic, { uncommitted = false } = {}) => endsIn(connected, topic, uncommitted),
    read: (topic, reading) => staying(reading.signal, () => follow(connected, topic, reading)),
    async close() {
      cluster.close()
    },
  }
}

async function endsIn({ cluster }: Connected, topic: string, uncommitted: boolean): Promise<readonly Ends[]> {
  // It may have been made, or given more partitions, since it was asked about last.
  cluster.forget(topic)
  const count = await cluster.patiently(() => cluster.partitionsOf(topic))
  try {
    return await endsOf({ cluster }, topic, [...Array(count).keys()], { uncommitted })
  } catch (error) {
    if (error instanceof NoTopic) return []
    throw error
  }
}

async function* follow(connected: Connected, topic: string, reading: Parameters<Feed['read']>[1]): AsyncGenerator<Messages> {
  const { partition, from, signal } = reading
  if (signal.aborted) return
  const fetch = (at: number, waitMs: number) => {
    const fetched = fetchMessages(connected, { topic, partition, from: at, waitMs }, signal)
    // Whoever waits for it hears of its failure; nobody may, when the caller stops reading.
    fetched.catch(() => undefined)
    return fetched
  }
  // Whoever begins at the end hears so at once.
  for (let coming = fetch(from, 0), position = from; ;) {
    const messages = await unlessAborted(coming, signal)
    if (!messages) return
    const { count, next, end } = messages
    if (next === position && next < end) await sleep(5)
    position = next
    coming = fetch(position, followMs)
    if (count > 0) yield messages
    if (signal.aborted) return
    if (next >= end) yield noMessages(next, end)
    if (signal.aborted) return
  }
}

type Place = { readonly topic: string; readonly partition: number; readonly from: number }

/** However long Kafka is away, until the signal aborts. */
async function fetchMessages(connected: Connected, what: Place & { readonly waitMs: number }, signal: AbortSignal): Promise<Messages> {
  try {
    const asked = { ...what, committed: true, maxBytes: fetchBytes }
    const { errorCode, messages } = await askLeader(connected, asked, messagesIn, { signal, forMs: Infinity })
    if (errorCode === code.offsetOutOfRange) throw await outOfRange(connected, what)
    return messages
  } catch (error) {
    throw error instanceof NoTopic ? gone(what.topic, error) : error
  }
}

async function outOfRange(connected: Connected, { topic, partition, from }: Place): Promise<Problem> {
  const { first, next } = (await endsOf(connected, topic, [partition]))[0]!
  const place = `topic ${topic}, partition ${partition}`
  return from < first
    ? new Problem(`${place}: the messages from ${from} to ${first - 1} were deleted before they were read`, sendAgain)
    : new Problem(`${place} ends at ${next}, before ${from}, where reading should go on: it was made anew, or cut`, sendAgain)
}

const sendAgain = 'Let whoever writes it send all of it again, into a topic of another name, and name that in the config file.'

function gone(topic: string, cause: unknown): Problem {
  const todo = 'Make it again, or name another one among the sources in the config file.'
  return new Problem(`the topic ${topic} is not in Kafka any more`, todo, { cause })
}
