/** Dead letters: what came in on inflow and is no record, kept with the reason, the position and the original bytes. */
import { frameHeader } from '../schemas/wire.ts'
import { encodeObject } from '../schemas/avro/generic.ts'
import type { Append } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import type { Dead } from './dead.ts'
import type { Stream } from './stream.ts'

const deadSchema = {
  type: 'record',
  name: 'dead_letter',
  fields: [
    { name: 'partition', type: 'int' },
    { name: 'offset', type: 'long' },
    { name: 'reason', type: 'string' },
    { name: 'value', type: 'bytes' },
    // Of another's topic; without it, it lay in inflow.
    { name: 'topic', type: ['null', 'string'], default: null },
  ],
} as const

/** The most bytes beside reason and value: the header, two numbers, two lengths. */
const around = 64

export const registerDead = (registry: Registry): Promise<Registered> => registry.register(deadSchema.name, JSON.stringify(deadSchema))

/** What is larger than the topic takes is cut to what fits, with its full length said. */
export async function deadLetters(registry: Registry, { dead: topic }: Stream, largestMessage: number) {
  const { id } = await registerDead(registry)
  const header = frameHeader(id)
  const letter = (partition: number, from: string | null, { offset, reason, bytes }: Dead) => {
    const cut = (room: number, why: string) => {
      const value = Buffer.from(bytes.subarray(0, Math.max(0, room)))
      return Buffer.concat([header, encodeObject(deadSchema, { partition, offset, reason: why, value, topic: from })])
    }
    const room = largestMessage - around - Buffer.byteLength(reason) - Buffer.byteLength(from ?? '')
    if (bytes.length <= room) return cut(bytes.length, reason)
    const why = `${reason} (the first of its ${bytes.length} bytes)`
    return cut(largestMessage - around - Buffer.byteLength(why) - Buffer.byteLength(from ?? ''), why)
  }
  return (dead: readonly Dead[], partition: number, from: string | null = null): Append => {
    const messages = dead.map((one) => letter(partition, from, one))
    let end = 0
    return {
      topic,
      partition: 0,
      batch: { bytes: Buffer.concat(messages), ends: Uint32Array.from(messages, ({ length }) => (end += length)) },
    }
  }
}
