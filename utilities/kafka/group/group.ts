/** Membership in a consumer group of Kafka: joining, agreeing on who works on what, and giving signs of life. */
import { setTimeout as sleep } from 'node:timers/promises'
import { unlessAborted } from '../client/abort.ts'
import { MemberAssignment, MemberMetadata } from '../client/client.ts'
import { dismissDead, thisProcess } from './dead-members.ts'
import type { KafkaParts } from '../parts.ts'
import { check, code, isRefusal } from '../client/trouble.ts'

export type Group = { readonly topic: string; readonly group: string; readonly sessionTimeoutMs: number }

/** How this process is known in the group; the id is given by Kafka. */
type Membership = { memberId: string; generationId: number }

/** Whoever joins at the same moment must offer the same way to share. */
const wayOfSharing = 'tidemark-even'
const heartbeatMs = 1000

/** Stays a member until the signal aborts, and says which partitions are ours whenever that was agreed on anew. */
export async function keepMembership(
  parts: KafkaParts,
  group: Group,
  signal: AbortSignal,
  say: (partitions: readonly number[]) => void,
): Promise<void> {
  const { cluster } = parts
  const me: Membership = { memberId: '', generationId: -1 }
  const forEver = { signal, forMs: Infinity }
  try {
    await cluster.patiently(() => dismissDead(parts, group.group), { signal }).catch(() => undefined)
    while (!signal.aborted) {
      const ours = await unlessAborted(
        cluster.patiently(() => join(parts, group, me, signal), forEver),
        signal,
      )
      if (!ours) return
      say(ours)
      while (
        await unlessAborted(
          cluster.patiently(() => isStillMember(parts, group, me), forEver),
          signal,
        )
      ) {
        await sleep(Math.min(heartbeatMs, group.sessionTimeoutMs / 3), undefined, { signal }).catch(() => undefined)
      }
    }
  } catch (error) {
    // An abort may come in the middle of trouble, which is over with it.
    if (!signal.aborted) throw error
  } finally {
    await leave(parts, group, me)
  }
}

/** Ends when all who are to share have joined and the one of them who leads has shared. */
async function join(
  { cluster }: KafkaParts,
  { topic, group, sessionTimeoutMs }: Group,
  me: Membership,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const count = await cluster.partitionsOf(topic)
  const who = thisProcess()
  for (;;) {
    try {
      const joined = await cluster.coordinator('group', group, async (link) => {
        const groupProtocols = [
          {
            name: wayOfSharing,
            metadata: MemberMetadata.encode({ version: 0, topics: [topic], ...(who && { userData: Buffer.from(who) }) }),
          },
        ]
        const timeouts = { sessionTimeout: sessionTimeoutMs, rebalanceTimeout: sessionTimeoutMs }
        const request = { groupId: group, ...timeouts, memberId: me.memberId, protocolType: 'consumer', groupProtocols }
        const answer = await link.ask('JoinGroup', request)
        if (answer.errorCode !== code.memberIdRequired) return answer
        // Kafka first gives an id. It is remembered at once: who leaves while he is still joining leaves under it.
        me.memberId = answer.memberId
        return link.ask('JoinGroup', { ...request, memberId: answer.memberId })
      })
      check(joined.errorCode, `group ${group}`)
      me.memberId = joined.memberId
      me.generationId = joined.generationId
      const groupAssignment =
        joined.leaderId === joined.memberId
          ? shares(
              topic,
              count,
              joined.members.map(({ memberId }) => memberId),
            )
          : []
      const synced = await cluster.coordinator('group', group, (link) => link.ask('SyncGroup', { groupId: group, ...me, groupAssignment }))
      check(synced.errorCode, `group ${group}`)
      return [...(MemberAssignment.decode(synced.memberAssignment)?.assignment[topic] ?? [])].sort((a, b) => a - b)
    } catch (error) {
      if (!mustJoinAgain(error, me) || signal.aborted) throw error
    }
  }
}

async function isStillMember({ cluster }: KafkaParts, { group }: Group, me: Membership): Promise<boolean> {
  try {
    const request = { groupId: group, groupGenerationId: me.generationId, memberId: me.memberId }
    check((await cluster.coordinator('group', group, (link) => link.ask('Heartbeat', request))).errorCode, `group ${group}`)
    return true
  } catch (error) {
    if (mustJoinAgain(error, me)) return false
    throw error
  }
}

/** Somebody came or went, or we were taken for dead. */
function mustJoinAgain(error: unknown, me: Membership): boolean {
  if (isRefusal(error, code.unknownMember)) me.memberId = ''
  return isRefusal(error, code.rebalanceInProgress, code.illegalGeneration, code.unknownMember)
}

/** The others would notice by themselves, but only when the session is over. */
async function leave({ cluster }: KafkaParts, { group }: Group, { memberId }: Membership): Promise<void> {
  if (memberId !== '')
    await cluster.coordinator('group', group, (link) => link.ask('LeaveGroup', { groupId: group, memberId })).catch(() => undefined)
}

/** As even as can be. */
const shares = (topic: string, count: number, members: readonly string[]) =>
  members.toSorted().map((memberId, i, { length }) => {
    const partitions = Array.from({ length: count }, (_, partition) => partition).filter((partition) => partition % length === i)
    return { memberId, memberAssignment: MemberAssignment.encode({ version: 0, assignment: { [topic]: partitions } }) }
  })
