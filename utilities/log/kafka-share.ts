/** Which partitions of a topic this process should work on: the members of a group share them, by kafkajs's group membership, without its consuming. */
import { groupMember, type ClientSettings, type Member } from './kafka-client.ts'
import type { KafkaParts } from './kafka-parts.ts'
import { asProblem } from './kafka-trouble.ts'

export type ShareSettings = ClientSettings & { readonly brokers: readonly string[]; readonly sessionTimeoutMs: number }

const heartbeatMs = 1000

/** Yields at the start and whenever members come or go; several changes while the caller is busy become one. Leaves the group as soon as the signal aborts. */
export async function* shareTopic({ cluster, prefix }: KafkaParts, settings: ShareSettings, topic: string, group: string, signal: AbortSignal): AsyncGenerator<readonly number[]> {
  const name = prefix + topic
  const { sessionTimeoutMs } = settings
  await cluster.patiently(() => cluster.leaderOf(name, 0), { signal })
  const member = groupMember(settings, settings.brokers, { group: prefix + group, sessionTimeoutMs, heartbeatMs: Math.min(heartbeatMs, sessionTimeoutMs / 3) })
  const news = inbox(member, name)
  try {
    if (signal.aborted) return
    const wake = () => news.wake()
    signal.addEventListener('abort', wake, { once: true })
    await member.connect()
    await member.subscribe({ topic: name })
    await member.run({ autoCommit: false, eachBatch: async () => undefined })
    for (;;) {
      await news.come()
      if (signal.aborted) return
      if (news.failure !== undefined) throw news.failure
      yield news.take()
    }
  } catch (error) {
    throw asProblem(error, cluster.place)
  } finally {
    await member.disconnect()
  }
}

/** What the group said last. */
function inbox(member: Member, topic: string) {
  let partitions: readonly number[] | undefined
  let wake = () => {}
  const box = {
    failure: undefined as Error | undefined,
    wake: () => wake(),
    async come() {
      if (partitions === undefined && box.failure === undefined) await new Promise<void>((resolve) => (wake = resolve))
    },
    take() {
      const taken = partitions!
      partitions = undefined
      return taken
    },
  }
  member.on(member.events.GROUP_JOIN, ({ payload }) => {
    partitions = [...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b)
    // Only the membership is wanted. The pause is forgotten with each new assignment.
    member.pause([{ topic }])
    wake()
  })
  member.on(member.events.CRASH, ({ payload }) => {
    if (payload.restart) return
    box.failure = payload.error
    wake()
  })
  return box
}
