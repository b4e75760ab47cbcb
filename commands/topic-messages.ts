/** Messages of a topic as a person can read them, each with the version of the schema that wrote it. */
import { message } from '../feature-defs/inflow.ts'
import type { AvroSchema, AvroType } from '../schemas/avro.ts'
import { parseSchema, toObject, Unreadable } from '../schemas/generic.ts'
import { readFrame } from '../schemas/wire.ts'
import type { Log } from '../utilities/log/log.ts'
import { Problem } from '../utilities/problem.ts'
import type { Registry } from '../utilities/registry/registry.ts'
import { table, toJson, type Cell, type Json } from './console.ts'

const shownBytes = 64
const widest = 2 * shownBytes + 1

/** Which messages: the last ones of each of these partitions, or those from an offset on. */
export type Choice = {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number; readonly first: number; readonly next: number }[]
  readonly most: number
  readonly from: number | undefined
}

export async function messagesOf({ log, registry }: { readonly log: Log; readonly registry: Registry }, choice: Choice): Promise<{ readonly text: string; readonly json: Json[] } | undefined> {
  const messages = await Promise.all((await chosen(log, choice)).map(reader(registry)))
  return messages.length === 0 ? undefined : { text: inWords(messages), json: messages.map(asJson) }
}

type Raw = { readonly partition: number; readonly offset: number; readonly bytes: Uint8Array }
type Decoded = Raw & {
  readonly id: string
  readonly subject: string
  readonly number: number
  /** The feature version; null for a schema that is none. */
  readonly version: number | null
  readonly schema: AvroSchema
  readonly fields: { readonly [name: string]: unknown }
}
type Undecoded = Raw & { readonly reason: string }

async function chosen(log: Log, { topic, partitions, most, from }: Choice): Promise<readonly Raw[]> {
  const all = partitions.map(async ({ partition, first, next }) => {
    if (from === undefined) return lastOf(log, topic, partition, { first, next, most })
    if (from > next) throw new Problem(`${topic} ends at offset ${next}`, `Use --from ${next} at most.`)
    if (from < first) throw new Problem(`the messages of ${topic} before offset ${first} were deleted`, `Use --from ${first} or more.`)
    return read(log, topic, partition, from, most)
  })
  return (await Promise.all(all)).flat()
}

/** An offset need not be a message: a log may take some for its own marks. */
async function lastOf(log: Log, topic: string, partition: number, { first, next, most }: { readonly first: number; readonly next: number; readonly most: number }): Promise<readonly Raw[]> {
  for (let back = most; ; back *= 4) {
    const from = Math.max(first, next - back)
    const found = await read(log, topic, partition, from, Infinity, next)
    if (found.length >= most || from === first) return found.slice(-most)
  }
}

async function read(log: Log, topic: string, partition: number, from: number, most: number, to?: number): Promise<readonly Raw[]> {
  const found: Raw[] = []
  for await (const { offset, batch } of log.read(topic, { partition, from, ...(to === undefined ? {} : { to }) })) {
    for (let index = 0; index < batch.ends.length && found.length < most; index++) found.push({ partition, offset: offset + index, bytes: message(batch, index) })
    if (found.length >= most) break
  }
  return found
}

function reader(registry: Registry) {
  const schemas = new Map<string, ReturnType<typeof schemaOf>>()
  return async (raw: Raw): Promise<Decoded | Undecoded> => {
    const frame = readFrame(raw.bytes, 0, raw.bytes.length)
    if (!frame.ok) return { ...raw, reason: frame.reason }
    if (!schemas.has(frame.id)) schemas.set(frame.id, schemaOf(registry, frame.id))
    const found = await schemas.get(frame.id)!
    if (typeof found === 'string') return { ...raw, reason: found }
    try {
      return { ...raw, ...found, id: frame.id, fields: toObject(found.schema, frame.payload) }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      return { ...raw, reason: `it is not what ${found.subject} number ${found.number} says: ${error.message}` }
    }
  }
}

/** The reason when its messages cannot be read. */
async function schemaOf(registry: Registry, id: string): Promise<Omit<Decoded, keyof Raw | 'id' | 'fields'> | string> {
  const registered = await registry.find(id)
  if (!registered) return `schema version ${id} is not in the registry`
  const { subject, number, labels, definition } = registered
  const schema: AvroType = parseSchema(definition)
  if (typeof schema !== 'object' || !('fields' in schema)) return `the schema ${subject} number ${number} is not one of a record`
  return { subject, number, version: labels['version'] === undefined ? versionIn(schema) : Number(labels['version']), schema }
}

const versionIn = ({ tidemark }: AvroSchema): number | null => (typeof tidemark?.version === 'number' ? tidemark.version : null)

/** A table for each stretch of messages with the same schema. */
function inWords(messages: readonly (Decoded | Undecoded)[]): string {
  const keyOf = (one: Decoded | Undecoded) => `${one.partition} ${'reason' in one ? '' : one.id}`
  const stretches: (Decoded | Undecoded)[][] = []
  for (const one of messages) {
    const latest = stretches.at(-1)
    if (latest && keyOf(latest[0]!) === keyOf(one)) latest.push(one)
    else stretches.push([one])
  }
  return stretches.map((stretch) => {
    const place = stretch[0]!.partition === 0 ? '' : `partition ${stretch[0]!.partition}, `
    const unread = stretch.filter((one) => 'reason' in one)
    if (unread.length > 0) {
      const rows = unread.map(({ offset, reason, bytes }) => [offset, reason, bytes.length, hex(bytes)])
      return `${place}not readable\n${table(['offset', 'reason', 'bytes', `the first ${shownBytes} in hex`], rows, { widest })}`
    }
    const read = stretch as Decoded[]
    const { subject, number, version, id, schema } = read[0]!
    // A field of no bytes only marks the version.
    const names = schema.fields.filter(({ type }) => type !== 'null').map(({ name }) => name)
    const rows = read.map(({ offset, fields }): Cell[] => [offset, ...names.map((name) => cell(fields[name]))])
    return `${place}${subject}${version === null ? ` number ${number}` : `@${version}`} (schema version ${id})\n${table(['offset', ...names], rows, { widest })}`
  }).join('\n\n')
}

function asJson(one: Decoded | Undecoded): Json {
  const { partition, offset } = one
  if ('reason' in one) return { partition, offset, reason: one.reason, bytes: one.bytes.length, hex: hex(one.bytes) }
  const { subject, number, version, id, fields } = one
  return { partition, offset, subject, number, version, schemaVersionId: id, fields: plain(fields) }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, shownBytes)).toString('hex') + (bytes.length > shownBytes ? '…' : '')

function plain(value: unknown): Json {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
  return value as Json
}

function cell(value: unknown): Cell {
  const shown = plain(value)
  if (typeof shown === 'boolean') return String(shown)
  return typeof shown === 'object' && shown !== null ? toJson(shown).replace(/\n\s*/g, ' ') : shown
}
