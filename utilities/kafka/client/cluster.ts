/** Kafka's brokers seen as one: who leads what, connections that are used again, and patience while leaders move and brokers restart. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../values/problem.ts'
import type { Answers } from './answers.ts'
import { openLink, type Address, type ClientSettings, type Link } from './client.ts'
import { asProblem, check, code, isPassing, isRefusal, isUnanswered, Refusal, voice, worthSayingAfterMs } from './trouble.ts'
import { NoTopic } from '../../log.ts'

export type ClusterSettings = ClientSettings & {
  readonly brokers: readonly string[]
  /** How long to go on trying what fails for a passing reason; asked again at each attempt. */
  readonly patienceMs: () => number
  readonly note: (text: string) => void
}

type Patience = { readonly signal?: AbortSignal | undefined; readonly forMs?: number }

type Work<T> = (link: Link) => Promise<T>

export interface Cluster {
  /** The brokers, for messages. */
  readonly place: string
  /** Each of these is tried once; nothing is known of the outcome when no answer came. */
  any<T>(work: Work<T>): Promise<T>
  leader<T>(topic: string, partition: number, work: Work<T>): Promise<T>
  /** Who looks after the transactions of a writer, or the members of a group. */
  coordinator<T>(of: 'transaction' | 'group', name: string, work: Work<T>): Promise<T>
  at<T>(address: Address, work: Work<T>): Promise<T>
  /** Of all topics when none is named. */
  metadata(topics: readonly string[]): Promise<Answers['Metadata']>
  /** Where the partition's leader is; a Problem when there is no such topic or partition. */
  leaderOf(topic: string, partition: number): Promise<Address>
  /** How many partitions a topic has, 0 when there is no such topic. */
  partitionsOf(topic: string): Promise<number>
  /** Repeats the work while it fails for a passing reason; afterwards what is left is a Problem. */
  patiently<T>(work: () => Promise<T>, patience?: Patience): Promise<T>
  /** Asks again who leads what. */
  forget(topic?: string): void
  close(): void
}

export function openCluster(settings: ClusterSettings): Cluster {
  const place = settings.brokers.join(', ')
  const seeds = settings.brokers.map(addressOf)
  const told = voice(place, settings.note)
  const closing = new AbortController()
  const open = new Set<Link>()
  const idle = new Map<string, Link[]>()
  const leaders = new Map<string, readonly (Address | undefined)[]>()
  const coordinators = new Map<string, Address>()
  let known: readonly Address[] = []

  /** One request at a time goes over a connection: a long wait, or a large fetch, holds up nothing else. */
  async function at<T>(address: Address, work: Work<T>): Promise<T> {
    const free = idle.get(nameOf(address)) ?? idle.set(nameOf(address), []).get(nameOf(address))!
    let link = free.pop()
    // Of one whose session is over, the connection itself may still be there, and would keep the process alive.
    while (link && !link.isOpen()) {
      drop(link)
      link = free.pop()
    }
    link ??= await openLink(settings, address)
    open.add(link)
    if (closing.signal.aborted) {
      drop(link)
      throw closed()
    }
    try {
      const result = await work(link)
      if (closing.signal.aborted) drop(link)
      else free.push(link)
      return result
    } catch (error) {
      // What was not answered may still come, and would be taken for the answer to the next.
      if (isUnanswered(error) || closing.signal.aborted) drop(link)
      else free.push(link)
      throw error
    }
  }

  function drop(link: Link): void {
    open.delete(link)
    link.close()
  }

  async function any<T>(work: Work<T>): Promise<T> {
    const connected = [...known, ...seeds].filter((address) => idle.get(nameOf(address))?.some((link) => link.isOpen()))
    let failure: unknown
    for (const address of uniqueAddresses([...connected, ...known, ...seeds])) {
      try {
        return await at(address, work)
      } catch (error) {
        if (!isUnanswered(error)) throw error
        failure = error
      }
    }
    throw failure
  }

  const metadata = (topics: readonly string[]) => any((link) => link.ask('Metadata', { topics, allowAutoTopicCreation: false }))

  /** undefined when there is no such topic. */
  async function topic(name: string): Promise<readonly (Address | undefined)[] | undefined> {
    const cached = leaders.get(name)
    if (cached) return cached
    const { brokers, topicMetadata } = await metadata([name])
    const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    known = [...addresses.values()]
    const { topicErrorCode, partitionMetadata } = topicMetadata[0]!
    if (topicErrorCode === code.unknownTopic) {
      if (known.length > 1 && (await isKnownToAny(name, known))) throw new Refusal(code.leaderNotAvailable, `topic ${name}`)
      return undefined
    }
    check(topicErrorCode, `topic ${name}`)
    const found: (Address | undefined)[] = []
    for (const { partitionId, leader } of partitionMetadata) found[partitionId] = addresses.get(leader)
    if (found.every((leader) => leader !== undefined)) leaders.set(name, found)
    return found
  }

  /** A broker may hear of a new topic later than others. */
  async function isKnownToAny(name: string, addresses: readonly Address[]): Promise<boolean> {
    const ask = (address: Address) => at(address, (link) => link.ask('Metadata', { topics: [name], allowAutoTopicCreation: false }))
    const answers = await Promise.allSettled(addresses.map(ask))
    return answers.some((answer) => answer.status === 'fulfilled' && answer.value.topicMetadata[0]!.topicErrorCode !== code.unknownTopic)
  }

  async function leaderOf(name: string, partition: number): Promise<Address> {
    const found = await topic(name)
    if (!found) throw new NoTopic(`there is no topic ${name} in Kafka at ${place}`)
    if (partition >= found.length)
      throw new Problem(`topic ${name} has no partition ${partition}, only ${found.length}, numbered from 0`, 'Use one that is there.')
    const leader = found[partition]
    if (!leader) throw new Refusal(code.leaderNotAvailable, `topic ${name}, partition ${partition}`)
    return leader
  }

  async function coordinatorOf(of: 'transaction' | 'group', name: string): Promise<Address> {
    const cached = coordinators.get(`${of} ${name}`)
    if (cached) return cached
    const { errorCode, coordinator } = await any((link) =>
      link.ask('GroupCoordinator', { groupId: name, coordinatorType: of === 'group' ? 0 : 1 }),
    )
    check(errorCode, `the coordinator of ${name}`)
    coordinators.set(`${of} ${name}`, coordinator)
    return coordinator
  }

  function forget(name?: string): void {
    if (name === undefined) leaders.clear()
    else leaders.delete(name)
    coordinators.clear()
  }

  async function patiently<T>(work: () => Promise<T>, { signal, forMs }: Patience = {}): Promise<T> {
    const startedMs = performance.now()
    const me = {}
    let well = false
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          const result = await work()
          well = true
          return result
        } catch (error) {
          if (closing.signal.aborted) throw closed()
          const triedMs = performance.now() - startedMs
          if (!isPassing(error) || signal?.aborted || triedMs > (forMs ?? settings.patienceMs())) throw asProblem(error, place)
          if (triedMs > worthSayingAfterMs(error)) told.complain(me, error)
          // A transaction of the same name is about to end: milliseconds. Everything else means that somebody moved.
          const soon = isRefusal(error, code.concurrentTransactions)
          if (!soon) forget()
          const waitMs = soon ? Math.min(2 ** attempt, 20) : Math.min(20 * 2 ** attempt, 1000)
          await sleep(waitMs, undefined, { signal: signal ? AbortSignal.any([signal, closing.signal]) : closing.signal }).catch(
            () => undefined,
          )
        }
      }
    } finally {
      told.settle(me, well)
    }
  }

  return {
    place,
    any,
    at,
    leader: async (name, partition, work) => at(await leaderOf(name, partition), work),
    coordinator: async (of, name, work) => at(await coordinatorOf(of, name), work),
    leaderOf,
    partitionsOf: async (name) => (await topic(name))?.length ?? 0,
    metadata,
    patiently,
    forget,
    close() {
      closing.abort()
      for (const link of open) drop(link)
    },
  }
}

const closed = () => new TypeError('the log is closed')

function addressOf(broker: string): Address {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(broker) ?? []
  if (host === undefined)
    throw new Problem(`${broker} is not the address of a broker`, 'Write each one as host:port, for instance localhost:9092.', {
      usage: true,
    })
  return { host, port: Number(port) }
}

const nameOf = ({ host, port }: Address) => `${host}:${port}`

const uniqueAddresses = (addresses: readonly Address[]): readonly Address[] => [
  ...new Map(addresses.map((address) => [nameOf(address), address])).values(),
]
