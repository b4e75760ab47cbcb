/** How far the topics of sources have been sent. */
import type { Feed } from '../utilities/feed.ts'
import type { Lane } from './pieces.ts'
import type { TopicSource } from './topic-source.ts'

/** `to`: what is there of a lane ends there. */
export type SentLane = Pick<Lane, 'source' | 'partition'> & { readonly to: number }

/** What is there by now, whether it may be read yet or not. */
export async function sentLanes(feed: Feed, sources: readonly TopicSource[]): Promise<readonly SentLane[]> {
  const each = sources.map(async ({ name, topic }) =>
    (await feed.ends(topic, { uncommitted: true })).map(({ next }, partition) => ({ source: name, partition, to: next })),
  )
  return (await Promise.all(each)).flat()
}
