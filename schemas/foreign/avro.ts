/** Messages in Avro, whose schemas a registry has: each is written out as the JSON that it would be. */
import { Unreadable } from '../avro/generic.ts'
import { bodyOf, framingOf, idBytes, idOf, idStart, isWhole, type Body, type Framing } from './avro/frame.ts'
import { startCursor, type Cursor } from './avro/json-out.ts'
import { shapeOf } from './avro/shape.ts'
import { written, type Columns } from './avro/write-out.ts'
import type { ForeignSchemas } from './schemas.ts'
import type { AvroReader, Sent, SentType } from './sent.ts'
import type { ForeignSource } from './source.ts'

/** A schema made ready; or why its messages cannot be read. */
type Reading = { readonly write: (c: Cursor) => void; readonly type: SentType } | string

/** Beside what its bytes could hold: items of no bytes at all. */
const mostEmpty = 1_000_000

export function avroReader(source: ForeignSource, schemas: ForeignSchemas | undefined): AvroReader {
  const { format, framing } = source
  const expected = framing === 'none' ? undefined : framing
  const isLookedFor = (format === 'avro' || format === 'debezium') && framing !== 'none'
  const readings = knownReadings()
  const cursor = startCursor()

  return {
    isAvro: (bytes, from, to) => isLookedFor && framingOf(bytes, from, to, expected) !== undefined,

    async prepare(messages) {
      for (const { bytes, from, to } of messages) {
        const framing = framingOf(bytes, from, to, expected)
        if (!framing || !isWhole(framing, from, to) || readings.find(framing, bytes, from)) continue
        const id = idOf(framing, bytes, from)
        const text = id === undefined ? undefined : await schemas?.find(id)
        // One that is not there yet may be there when the next messages come.
        if (text !== undefined) readings.keep(framing, bytes, from, readingOf(text, columnsOf(source), id!))
      }
    },

    read(bytes, from, to) {
      const framing = framingOf(bytes, from, to, expected)
      if (!framing) return 'it is not framed: its first byte is neither 0x03 nor 0x00'
      const body = bodyOf(framing, bytes, from, to)
      if (typeof body === 'string') return body
      const reading = readings.find(framing, bytes, from) ?? notThere(source, schemas, framing, idOf(framing, bytes, from))
      return typeof reading === 'string' ? reading : writtenOut(cursor, reading, body)
    },
  }
}

function writtenOut(c: Cursor, { write, type }: Exclude<Reading, string>, body: Body): Sent | string {
  Object.assign(c, { bytes: body.bytes, at: body.from, end: body.to, used: 0, depth: 0, left: mostEmpty + 4 * (body.to - body.from) })
  try {
    write(c)
    if (c.at < c.end) return `${c.end - c.at} bytes follow its last field`
    return { bytes: c.out, from: 0, to: c.used, type }
  } catch (error) {
    if (error instanceof Unreadable) return error.message
    throw error
  }
}

function readingOf(text: string, columns: Columns, id: string): Reading {
  try {
    return written(shapeOf(text), columns)
  } catch (error) {
    if (error instanceof Unreadable) return `the schema ${id} cannot be read: ${error.message}`
    throw error
  }
}

function notThere({ name }: ForeignSource, schemas: ForeignSchemas | undefined, framing: Framing, id: string | undefined): string {
  const what = id === undefined ? 'the number of its Avro schema is negative' : `there is no Avro schema ${id}`
  if (!schemas) return 'it is Avro, and there is no schema registry to read it by'
  return framing === 'glue' ? `${what} in Glue` : `${what} in the schema registry (sources.${name}.schemaRegistry)`
}

/** What is read of a row: the fields by their names in the source. The envelope of a change has rows within, and is read itself. */
function columnsOf({ format, fields }: ForeignSource): Columns {
  const names = new Set(Object.values(fields).map(({ csv }) => csv))
  const row: Columns = (name) => (names.has(name) ? 'column' : 'unread')
  if (format !== 'debezium') return row
  return (name) => (name === 'before' || name === 'after' ? row : 'column')
}

/** By the bytes of the id. Most messages have the one that the message before them had. */
function knownReadings() {
  type Kept = { readonly framing: Framing; readonly id: Uint8Array; readonly reading: Reading }
  const kept = new Map<string, Kept>()
  let last: Kept | undefined
  const keyOf = (framing: Framing, bytes: Uint8Array, from: number) => {
    const start = from + idStart[framing]
    return `${framing} ${Buffer.from(bytes.buffer, bytes.byteOffset + start, idBytes[framing]).toString('latin1')}`
  }
  const isLast = (framing: Framing, bytes: Uint8Array, from: number): boolean => {
    if (last?.framing !== framing) return false
    const { id } = last
    const start = from + idStart[framing]
    let i = 0
    while (i < id.length && bytes[start + i] === id[i]) i++
    return i === id.length
  }
  return {
    /** Of a message that is as long as its header. */
    find(framing: Framing, bytes: Uint8Array, from: number): Reading | undefined {
      if (!isLast(framing, bytes, from)) last = kept.get(keyOf(framing, bytes, from)) ?? last
      return isLast(framing, bytes, from) ? last!.reading : undefined
    },
    keep(framing: Framing, bytes: Uint8Array, from: number, reading: Reading): void {
      const id = bytes.slice(from + idStart[framing], from + idStart[framing] + idBytes[framing])
      kept.set(keyOf(framing, bytes, from), { framing, id, reading })
    },
  }
}
