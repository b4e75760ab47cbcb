/** What the last messages of a topic tell of how it is sent: what would be lost on the way, and what can only be read by a guess. */
import type { Changes } from '../schemas/foreign/changes.ts'
import type { Ends, Feed, Messages } from '../utilities/feed.ts'
import { count } from '../utilities/values/digits.ts'
import type { Found } from '../utilities/values/look.ts'
import { Problem } from '../utilities/values/problem.ts'

export type TopicAsked = {
  readonly topic: string
  readonly format: 'json' | 'avro' | 'debezium' | 'upsert-json'
  readonly transactions?: string | undefined
  /** Columns, by their names in the source, whose values are exact decimals. */
  readonly decimals: readonly string[]
  /** What reads them when they are taken. */
  readonly decode?: (messages: Messages) => Promise<Changes>
}

/** Of each partition so many messages, the last ones, are looked at. */
const mostOfPartition = 100

/** Debezium's own name for where it says that it is alive. */
const heartbeatsOf = (connector: string) => `__debezium-heartbeat.${connector}`

/** What does not answer by then is away. */
const mostWaitMs = 10_000

export async function lookAtTopic(feed: Feed, asked: TopicAsked, signal: AbortSignal): Promise<Found> {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const away = new Promise<never>((_, failed) => {
    const problem = new Problem(
      `${asked.topic} cannot be read: its Kafka does not answer`,
      'Check "ingest" in the config file, or start it.',
    )
    timer = setTimeout(() => failed(problem), mostWaitMs)
  })
  try {
    return await Promise.race([look(feed, asked, AbortSignal.any([signal, stop.signal])), away])
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

async function look(feed: Feed, asked: TopicAsked, signal: AbortSignal): Promise<Found> {
  const ends = await feed.ends(asked.topic)
  const sample = await lastOf(feed, asked.topic, ends, signal)
  const transactions = asked.transactions === undefined ? undefined : (await feed.ends(asked.transactions)).length
  const connector = sample.flatMap(changesIn).find(({ source }) => source?.name !== undefined)?.source?.name
  const heartbeats = connector === undefined ? undefined : (await feed.ends(heartbeatsOf(connector))).length > 0
  const dead: string[] = []
  // One behind the other: what reads them learns of those before.
  for (const messages of asked.decode ? sample : []) dead.push(...(await asked.decode!(messages)).dead.map(({ reason }) => reason))
  return tellOf(asked, { ends, sample, transactions, heartbeats, dead })
}

async function lastOf(feed: Feed, topic: string, ends: readonly Ends[], signal: AbortSignal): Promise<readonly Messages[]> {
  const found: Messages[] = []
  for (const [partition, { first, next }] of ends.entries())
    for await (const messages of feed.read(topic, { partition, from: Math.max(first, next - mostOfPartition), signal })) {
      if (messages.count > 0) found.push(messages)
      if (messages.count === 0 || messages.next >= next) break
    }
  return found
}

export type Seen = {
  readonly ends: readonly Ends[]
  readonly sample: readonly Messages[]
  /** How many partitions the topic of transactions has, 0 where it is not there; undefined where the config names none. */
  readonly transactions: number | undefined
  /** Whether the connector says that it is alive; undefined where nothing tells which one it is. */
  readonly heartbeats: boolean | undefined
  /** Why some cannot be read, each. */
  readonly dead?: readonly string[]
}

export function tellOf({ topic, format, transactions: ofTransactions, decimals }: TopicAsked, seen: Seen): Found {
  const { ends, sample, transactions, heartbeats, dead = [] } = seen
  if (ends.length === 0)
    return format === 'debezium'
      ? { found: `there is no topic ${topic} yet: its connector makes it with its first row` }
      : { found: `there is no topic ${topic}`, todo: 'Correct its name in the config file, or let whoever writes it begin.' }
  const about = [`${topic}, ${ends.length === 1 ? 'one partition' : `${ends.length} partitions`}`]
  const todo: string[] = []
  const amiss = (what: string, then: string) => {
    about.push(what)
    todo.push(then)
  }
  const changes = sample.flatMap(changesIn)
  if (changes.length > 0) about.push(`the last ${count(changes.length)} messages in JSON looked at`)
  if (changes.some(({ hasSchema }) => hasSchema)) about.push('each with its schema, which makes it some six times as large')

  if (dead.length > 0) {
    const all = sample.reduce((sum, messages) => sum + messages.count, 0)
    amiss(
      `${count(dead.length)} of its last ${count(all)} messages cannot be read; the first: ${dead[0]!}`,
      'Correct the field, or what the config says of the format: such messages become dead letters.',
    )
  }

  const streamed = changes.filter(({ op }) => op === 'c' || op === 'u' || op === 'd')
  const isWithout = streamed.length > 0 && streamed.every(({ transaction }) => transaction === null)
  if (format === 'debezium' && ofTransactions !== undefined) {
    if (transactions === 0 && streamed.length > 0)
      amiss(`there is no topic ${ofTransactions}`, 'Set provide.transaction.metadata=true, or take "transactions" out.')
    else if (transactions! > 1)
      amiss(`${ofTransactions} has ${transactions} partitions, and the order of transactions is lost`, `Make ${ofTransactions} with one.`)
    if (transactions! > 0 && isWithout)
      amiss('its changes do not say of which transaction they are', 'Set provide.transaction.metadata=true, and send the whole envelope.')
  } else if (streamed.some(({ transaction }) => transaction)) about.push('"transactions" could hold what belongs together')

  const byGuess = decimals.filter((name) => changes.some(({ hasSchema, row }) => !hasSchema && isBase64(row?.[name])))
  if (byGuess.length > 0)
    amiss(
      `${byGuess.join(', ')}: decimals in base64 that do not say their scale, so that of the field is taken`,
      'Set decimal.handling.mode=string.',
    )
  if (format === 'debezium' && ends.length > 1 && sample.some(({ count: all, keys }) => keys.starts.subarray(0, all).every((at) => at < 0)))
    amiss('its messages have no keys, and rows lie in any partition', 'Set message.key.columns, or give the table a primary key.')
  if (format === 'debezium' && heartbeats === false) about.push('no heartbeats: the log of the database may grow while its tables rest')
  return { found: about.join('; '), ...(todo.length > 0 ? { todo: todo.join(' ') } : {}) }
}

type Row = { readonly [name: string]: unknown }
type Change = {
  readonly hasSchema: boolean
  readonly op: string | undefined
  readonly row: Row | undefined
  readonly source: { readonly name?: string } | undefined
  /** null where it says none. */
  readonly transaction: object | null
}

/** What is JSON among them: in its envelope, or the row alone. */
function changesIn({ count: all, values: { bytes, starts, ends } }: Messages): readonly Change[] {
  const texts = Array.from({ length: all }, (_, i) => (starts[i]! < 0 ? '' : Buffer.from(bytes.subarray(starts[i]!, ends[i]!)).toString()))
  return texts.flatMap((text): readonly Change[] => {
    const sent = parsed(text)
    if (!sent) return []
    const hasSchema = isObject(sent['schema']) && 'payload' in sent
    const payload = hasSchema ? sent['payload'] : sent
    if (!isObject(payload)) return []
    const { op, after, source, transaction, __op: flatOp } = payload
    const isEnvelope = typeof op === 'string' && isObject(source)
    return [
      {
        hasSchema,
        op: isEnvelope ? op : typeof flatOp === 'string' ? flatOp : undefined,
        row: isEnvelope ? (isObject(after) ? after : undefined) : payload,
        source: isEnvelope ? source : undefined,
        transaction: isObject(transaction) ? transaction : null,
      },
    ]
  })
}

const isObject = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(text: string): Row | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** A text that is no number as a number is written. */
const isBase64 = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9+/]+=*$/.test(value) && !/^\d+(e\d+)?$/i.test(value) && !/^nan$/i.test(value)
