/** Dead letters: what came in on inflow and is no record, kept with the reason, the position and the original bytes. */
import { frameHeader } from '../schemas/wire.ts'
import { encodeObject } from '../schemas/generic.ts'
import type { Append } from '../utilities/log/log.ts'
import type { Registry } from '../utilities/registry/registry.ts'
import { deadTopic, type Dead } from './inflow.ts'

const deadSchema = {
  type: 'record',
  name: 'dead_letter',
  fields: [
    { name: 'partition', type: 'int' },
    { name: 'offset', type: 'long' },
    { name: 'reason', type: 'string' },
    { name: 'value', type: 'bytes' },
  ],
} as const

export async function deadLetters(registry: Registry) {
  const { id } = await registry.register(deadSchema.name, JSON.stringify(deadSchema))
  const header = frameHeader(id)
  return (dead: readonly Dead[], partition: number): Append => {
    const messages = dead.map(({ offset, reason, bytes }) => Buffer.concat([header, encodeObject(deadSchema, { partition, offset, reason, value: Buffer.from(bytes) })]))
    let end = 0
    return { topic: deadTopic, partition: 0, batch: { bytes: Buffer.concat(messages), ends: Uint32Array.from(messages, ({ length }) => (end += length)) } }
  }
}
