/**
 * Members of a group that were killed on this machine: dismissed at once, so that whoever is started again need not wait until Kafka gives
 * them up.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { MemberMetadata } from '../client/client.ts'
import type { KafkaParts } from '../parts.ts'
import { check } from '../client/trouble.ts'

/** Which process a member is, as nobody else on earth is it; undefined where a system does not tell. */
export function thisProcess(): string | undefined {
  const startedAt = startOf(process.pid)
  return startedAt && JSON.stringify({ ...here(), pid: process.pid, startedAt })
}

/** Nothing happens when the group cannot be looked at: the dead are then given up when their session is over. */
export async function dismissDead({ cluster }: KafkaParts, group: string): Promise<void> {
  if (startOf(process.pid) === undefined) return
  const { errorCode, members } = (await cluster.coordinator('group', group, (link) => link.ask('DescribeGroups', { groupIds: [group] })))
    .groups[0]!
  check(errorCode, `group ${group}`)
  for (const { memberId, memberMetadata } of members) {
    if (isDead(memberMetadata)) await cluster.coordinator('group', group, (link) => link.ask('LeaveGroup', { groupId: group, memberId }))
  }
}

/** A process of this machine that is not there any more; what cannot be told is alive. */
function isDead(metadata: Buffer): boolean {
  if (metadata.length === 0) return false
  const { userData } = MemberMetadata.decode(metadata)
  if (!userData || userData.length === 0) return false
  try {
    const { host, space, pid, startedAt } = JSON.parse(userData.toString()) as {
      readonly host: string
      readonly space: string
      readonly pid: number
      readonly startedAt: string
    }
    return host === here().host && space === here().space && startOf(pid) !== startedAt
  } catch {
    return false
  }
}

/** Processes of another container have numbers of their own. */
const here = () => ({ host: hostname(), space: readlinkSync('/proc/self/ns/pid') })

/** When the process began, in ticks since the machine did. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
