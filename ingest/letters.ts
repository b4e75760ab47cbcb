/** Dead letters of what others sent: into those of the record's stream, or of the first fact or event that needs the table. */
import { says } from '../schemas/foreign/changes.ts'
import { deadLetters } from '../streams/dead-letters.ts'
import type { Stream } from '../streams/stream.ts'
import type { Append, Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Piece } from './pieces.ts'

type Ports = { readonly log: Log; readonly registry: Registry }

export async function lettersOf(
  { log, registry }: Ports,
  topic: string,
  stream: Stream,
  pieces: readonly Piece[],
): Promise<readonly Append[]> {
  const isDead = pieces.some(({ changes }) => changes.dead.length > 0)
  if (!isDead) return []
  const write = await deadLetters(registry, stream, await log.largestMessage(stream.dead))
  return pieces.flatMap(({ changes, messages, repeated, from, to, partition }) => {
    const { bytes, starts, ends } = messages.values
    const isNew = (message: number) => message >= from && message < to && repeated[message] === 0
    const dead = changes.dead.filter(({ message }) => isNew(message) && changes.said[message] === says.dead)
    if (dead.length === 0) return []
    const letters = dead.map(({ message, reason }) => ({
      index: message,
      offset: messages.offsets[message]!,
      reason,
      bytes: starts[message]! < 0 ? new Uint8Array(0) : bytes.subarray(starts[message], ends[message]),
    }))
    return [write(letters, partition, topic)]
  })
}
