/**
 * Messages of outflow for what serves rows: the newest row of a key told again, where rows came to the warehouse by another way, and which
 * versions are shown. Whoever wants rows as they are made passes over them.
 */
import { encodeObject, toObject } from '../schemas/avro/generic.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import { frameHeader, headerBytes, long, putZigzag, readZigzag, zigzagLength } from '../schemas/wire.ts'
import type { Batch } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'

/** A whole message within a message: its row is none that was made now. */
const toldSchema = { type: 'record', name: 'tidemark_told_row', fields: [{ name: 'row', type: 'bytes' }] } as const

const shownSchema = {
  type: 'record',
  name: 'tidemark_versions_shown',
  fields: [
    { name: 'set', type: 'string' },
    // How many events its journal had: more is later.
    { name: 'events', type: 'long' },
    // What has changed it, and of which version.
    { name: 'change', type: 'string' },
    { name: 'version', type: 'int' },
    // The versions that are shown, the promoted one first.
    { name: 'chain', type: { type: 'array', items: 'int' } },
    // Those whose rows are complete, and those whose rows are gone.
    { name: 'complete', type: { type: 'array', items: 'int' } },
    { name: 'retired', type: { type: 'array', items: 'int' } },
    // Where else it is told: in every partition of these.
    {
      name: 'topics',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'tidemark_topic',
          fields: [
            { name: 'topic', type: 'string' },
            { name: 'partitions', type: 'int' },
          ],
        },
      },
    },
  ],
} as const

/** Which versions of a set there are to be served. */
export type Shown = {
  readonly set: string
  readonly events: number
  readonly change: string
  readonly version: number
  readonly chain: readonly number[]
  readonly complete: readonly number[]
  readonly retired: readonly number[]
  readonly topics: readonly { readonly topic: string; readonly partitions: number }[]
}

export const registerTold = (registry: Registry): Promise<Registered> => registry.register(toldSchema.name, JSON.stringify(toldSchema))
export const registerShown = (registry: Registry): Promise<Registered> => registry.register(shownSchema.name, JSON.stringify(shownSchema))

/** Under which messages of both kinds are found. */
export async function idsForServices(registry: Registry): Promise<ReadonlySet<string>> {
  const all = await Promise.all([toldSchema, shownSchema].map(({ name }) => registry.list(name)))
  return new Set(all.flat().map(({ id }) => id))
}

/** Which of them messages with this schema are; undefined for others. */
export function forServices(schema: unknown): 'told row' | 'versions shown' | undefined {
  const { name } = (schema ?? {}) as { readonly name?: unknown }
  return name === toldSchema.name ? 'told row' : name === shownSchema.name ? 'versions shown' : undefined
}

export function shownMessage(id: string, shown: Shown): Batch {
  const bytes = Buffer.concat([frameHeader(id), encodeObject(shownSchema, shown)])
  return { bytes, ends: Uint32Array.of(bytes.length) }
}

/** What the message without its header says. Throws Unreadable. */
export function shownIn(payload: Uint8Array): Shown {
  const { events, ...said } = toObject(shownSchema as unknown as AvroSchema, payload) as unknown as Shown
  return { ...said, events: Number(events) }
}

/** Rows to be told again. */
export function toldMessages(id: string, { bytes, ends, keys }: Batch): Batch {
  const header = frameHeader(id)
  const count = ends.length
  const lengthOf = (message: number) => ends[message]! - (message === 0 ? 0 : ends[message - 1]!)
  let size = 0
  for (let i = 0; i < count; i++) size += headerBytes + zigzagLength(lengthOf(i), 0) + lengthOf(i)
  const [out, outEnds] = [new Uint8Array(size), new Uint32Array(count)]
  for (let i = 0, at = 0; i < count; i++) {
    out.set(header, at)
    at = putZigzag(out, at + headerBytes, lengthOf(i), 0)
    out.set(bytes.subarray(ends[i]! - lengthOf(i), ends[i]), at)
    outEnds[i] = at += lengthOf(i)
  }
  return { bytes: out, ends: outEnds, ...(keys && { keys }) }
}

/** The rows told again in messages from..to (to excluded), each with the message that it was in; what is none is left out. */
export function rowsTold({ bytes, ends }: Batch, from: number, to: number): { readonly batch: Batch; readonly was: readonly number[] } {
  const rows: Uint8Array[] = []
  const was: number[] = []
  const outEnds: number[] = []
  let end = 0
  for (let i = from; i < to; i++) {
    const start = (i === 0 ? 0 : ends[i - 1]!) + headerBytes
    const row = rowAt(bytes, start, ends[i]!)
    if (!row) continue
    rows.push(row)
    was.push(i)
    outEnds.push((end += row.length))
  }
  return { batch: { bytes: Buffer.concat(rows, end), ends: Uint32Array.from(outEnds) }, was }
}

function rowAt(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const at = readZigzag(bytes, start, end)
  return at >= 0 && at + long[0]! === end ? bytes.subarray(at, end) : undefined
}

/** How many bytes more a row has that is told again, at most. */
export const mostAround = headerBytes + 5
