/** The way to Kafka, for whoever reads or writes there: its brokers as one, tried at once, and patient with whoever is there to stay. */
import { Problem } from '../values/problem.ts'
import { credentials, type KafkaAuth } from './client/auth.ts'
import { openCluster, type Cluster } from './client/cluster.ts'

export type ConnectOptions = {
  /** Each as host:port. One that answers is enough to find the others. */
  readonly brokers: readonly string[]
  readonly auth?: KafkaAuth
  readonly clientId?: string
  readonly connectTimeoutMs?: number
  readonly requestTimeoutMs?: number
  /**
   * How long to go on trying while brokers restart or move what they lead; at the start another limit holds, and who follows a topic never
   * gives up.
   */
  readonly patienceMs?: number
  readonly openWithinMs?: number
  /** What a person should hear: that Kafka is away, and that it is back. Details are kafkajs's own log lines. */
  readonly note?: (text: string, kind: 'warning' | 'detail') => void
}

export type Connected = {
  readonly cluster: Cluster
  readonly requestTimeoutMs: number
  /** While it is read on, and the signal does not say otherwise, nothing gives up. */
  readonly staying: <T>(signal: AbortSignal | undefined, read: () => AsyncIterable<T>) => AsyncGenerator<T>
}

export async function connect(options: ConnectOptions): Promise<Connected> {
  const { brokers, auth = { kind: 'none' }, note = () => {} } = options
  const { requestTimeoutMs = 30_000, patienceMs = 120_000, openWithinMs = 5000 } = options
  if (brokers.length === 0)
    throw new Problem('no brokers are given for Kafka', 'Name at least one in the config file, as host:port.', { usage: true })
  const followers = new Set<{ readonly signal: AbortSignal | undefined }>()
  // Who follows a topic is there to stay, however long Kafka is away; but what he has begun does not hold him up once he is told to leave.
  const isToStay = () => [...followers].some(({ signal }) => !signal?.aborted)
  const cluster = openCluster({
    ...credentials(auth),
    clientId: options.clientId ?? 'tidemark',
    connectTimeoutMs: options.connectTimeoutMs ?? 3000,
    requestTimeoutMs,
    log: (line) => note(line, 'detail'),
    brokers,
    patienceMs: () => (isToStay() ? Infinity : patienceMs),
    note: (text) => note(text, 'warning'),
  })
  try {
    await cluster.patiently(() => cluster.metadata(['__none__']), { forMs: openWithinMs })
  } catch (error) {
    cluster.close()
    throw error
  }
  return {
    cluster,
    requestTimeoutMs,
    async *staying(signal, read) {
      const follower = { signal }
      followers.add(follower)
      try {
        yield* read()
      } finally {
        followers.delete(follower)
      }
    },
  }
}
