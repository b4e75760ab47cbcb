/** Messages of a topic as a person can read them, each with the version of the schema that wrote it. */
import { message } from '../streams/dead.ts'
import { isMarker } from '../schemas/avro/field-places.ts'
import type { AvroSchema, AvroType } from '../schemas/avro/schema.ts'
import { parseSchema, toObject, Unreadable } from '../schemas/avro/generic.ts'
import { readFrame } from '../schemas/wire.ts'
import type { Json } from '../utilities/values/json.ts'
import type { Log } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import { findTopic, partitionsOf } from './topics.ts'

/** Of what cannot be read so many bytes are shown, and of a field of bytes. */
export const shownBytes = 64

/** Which messages: the last ones of a partition, or of each, or those from an offset on. */
type Choice = {
  readonly topic: string
  readonly partition: number | undefined
  readonly most: number
  readonly from: number | undefined
}

type MessagePlace = { readonly partition: number; readonly offset: number }

export type Decoded = MessagePlace & {
  readonly subject: string
  readonly number: number
  /** The feature version; null for a schema that is none. */
  readonly version: number | null
  readonly schemaVersionId: string
  readonly fields: { readonly [name: string]: Json }
  /** The fields that say something: one only marks the version. */
  readonly shown: readonly string[]
}

/** How many bytes it has, and the first of them. */
export type Undecoded = MessagePlace & { readonly reason: string; readonly bytes: number; readonly hex: string }

export type Message = Decoded | Undecoded

type Ports = { readonly log: Log; readonly registry: Registry }

export async function messagesOf({ log, registry }: Ports, choice: Choice): Promise<readonly Message[]> {
  return Promise.all((await chosen(log, choice)).map(reader(registry)))
}

type Raw = MessagePlace & { readonly body: Uint8Array }

async function chosen(log: Log, { topic, partition: one, most, from }: Choice): Promise<readonly Raw[]> {
  const partitions = partitionsOf(await findTopic(log, topic), one)
  if (from !== undefined && partitions.length > 1) {
    throw new Problem(
      `${topic} has ${partitions.length} partitions, each with offsets of its own`,
      `Add --partition N, from 0 to ${partitions.length - 1}.`,
      { usage: true },
    )
  }
  const all = partitions.map(async ({ partition, first, next }) => {
    if (from === undefined) return lastOf(log, topic, partition, { first, next, most })
    if (from > next) throw new Problem(`${topic} ends at offset ${next}`, `Use --from ${next} at most.`)
    if (from < first) throw new Problem(`the messages of ${topic} before offset ${first} were deleted`, `Use --from ${first} or more.`)
    return read(log, topic, partition, from, most)
  })
  return (await Promise.all(all)).flat()
}

type Last = { readonly first: number; readonly next: number; readonly most: number }

/** An offset need not be a message: a log may take some for its own marks. */
async function lastOf(log: Log, topic: string, partition: number, { first, next, most }: Last): Promise<readonly Raw[]> {
  for (let back = most; ; back *= 4) {
    const from = Math.max(first, next - back)
    const found = await read(log, topic, partition, from, Infinity, next)
    if (found.length >= most || from === first) return found.slice(-most)
  }
}

async function read(log: Log, topic: string, partition: number, from: number, most: number, to?: number): Promise<readonly Raw[]> {
  const found: Raw[] = []
  for await (const { offset, batch } of log.read(topic, { partition, from, ...(to === undefined ? {} : { to }) })) {
    for (let index = 0; index < batch.ends.length && found.length < most; index++) {
      found.push({ partition, offset: offset + index, body: message(batch, index) })
    }
    if (found.length >= most) break
  }
  return found
}

function reader(registry: Registry) {
  const schemas = new Map<string, ReturnType<typeof schemaOf>>()
  return async ({ body, ...place }: Raw): Promise<Message> => {
    const unread = (reason: string): Undecoded => ({ ...place, reason, bytes: body.length, hex: hex(body) })
    const frame = readFrame(body, 0, body.length)
    if (!frame.ok) return unread(frame.reason)
    if (!schemas.has(frame.id)) schemas.set(frame.id, schemaOf(registry, frame.id))
    const found = await schemas.get(frame.id)!
    if (typeof found === 'string') return unread(found)
    const { subject, number, version, schema } = found
    try {
      const fields = Object.entries(toObject(schema, frame.payload)).map(([name, value]) => [name, plain(value)])
      const shown = schema.fields.filter((field) => !isMarker(field)).map(({ name }) => name)
      return { ...place, subject, number, version, schemaVersionId: frame.id, fields: Object.fromEntries(fields), shown }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      return unread(`it is not what ${subject} number ${number} says: ${error.message}`)
    }
  }
}

/** The reason when its messages cannot be read. */
async function schemaOf(registry: Registry, id: string) {
  const registered = await registry.find(id)
  if (!registered) return `schema version ${id} is not in the registry`
  const { subject, number, labels, definition } = registered
  const schema: AvroType = parseSchema(definition)
  if (typeof schema !== 'object' || !('fields' in schema)) return `the schema ${subject} number ${number} is not one of a record`
  return { subject, number, version: labels['version'] === undefined ? versionIn(schema) : Number(labels['version']), schema }
}

const versionIn = ({ tidemark }: AvroSchema): number | null => (typeof tidemark?.version === 'number' ? tidemark.version : null)

const hex = ({ buffer, byteOffset, length }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, Math.min(length, shownBytes)).toString('hex') + (length > shownBytes ? '…' : '')

function plain(value: unknown): Json {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
  return value as Json
}
