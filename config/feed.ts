/** Where the topics of the sources come from, each part opened when a topic of it is asked about first. */
import type { Feed } from '../utilities/feed.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { FeedOptions } from './ports.ts'
import { standardInputTopic, type Config } from './shape.ts'

type Kafka = NonNullable<Config['ingest']['kafka']>
type Openers = { readonly kafka: (at: Kafka) => Promise<Feed>; readonly lines: () => Promise<Feed> }

export function feedOf({ sources, ingest, log }: Config, { kafka, lines }: Openers): Feed {
  const place: Kafka | undefined = ingest.kafka ?? (log.kind === 'kafka' ? log : undefined)
  const openKafka = place && (() => kafka(place))
  const opened = new Map<() => Promise<Feed>, Promise<Feed>>()
  const partOf = (topic: string): Promise<Feed> => {
    const open = topic === standardInputTopic ? lines : openKafka
    if (!open) throw fromNowhere(topic, sources)
    const begun = opened.get(open) ?? open()
    opened.set(open, begun)
    // One that could not be opened is tried again by whoever asks next.
    begun.catch(() => opened.delete(open))
    return begun
  }
  return {
    ends: async (topic, options) => (await partOf(topic)).ends(topic, options),
    async *read(topic, from) {
      yield* (await partOf(topic)).read(topic, from)
    },
    async close() {
      for (const part of await Promise.allSettled(opened.values())) if (part.status === 'fulfilled') await part.value.close()
    },
  }
}

/** How long Kafka is tried for, at each step. */
export const limitsOf = ({ withinMs }: FeedOptions = {}) =>
  withinMs === undefined ? {} : { openWithinMs: withinMs, patienceMs: withinMs, requestTimeoutMs: withinMs, connectTimeoutMs: withinMs }

function fromNowhere(topic: string, sources: Config['sources']): Problem {
  const names = Object.entries(sources).flatMap(([name, one]) =>
    'topic' in one && [one.topic, one.transactions].includes(topic) ? [name] : [],
  )
  return new Problem(
    `${names.join(' and ')} ${names.length > 1 ? 'come' : 'comes'} from the topic ${topic}, and no Kafka is named that it could lie in`,
    'Add "ingest": { "kafka": { "brokers": ["HOST:PORT"] } } to the config.',
  )
}
