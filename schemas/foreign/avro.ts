/** Messages in Avro, whose schemas a registry has: each is written out as the JSON that it would be. */
import { Problem } from '../../utilities/values/problem.ts'
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

const firstBytes = { glue: 'not 0x03', confluent: 'not 0x00', any: 'neither 0x03 nor 0x00' }

/** Beside what its bytes could hold: items of no bytes at all. */
const mostEmpty = 1_000_000

export function avroReader(source: ForeignSource, schemas: ForeignSchemas | undefined): AvroReader {
  const { format, framing } = source
  if (framing === 'none') return source.schema === undefined ? { ...none, ofKeys: none } : unframed(source, source.schema)
  const isLookedFor = format === 'avro' || format === 'debezium'
  const readings = knownReadings()
  const writeOut = writer()

  const reader: AvroReader['ofKeys'] = {
    isAvro: (bytes, from, to) => isLookedFor && framingOf(bytes, from, to, framing) !== undefined,

    async prepare(messages) {
      for (const { bytes, from, to } of messages) {
        const found = framingOf(bytes, from, to, framing)
        if (!found || !isWhole(found, from, to) || readings.find(found, bytes, from)) continue
        const id = idOf(found, bytes, from)
        const text = id === undefined ? undefined : await schemas?.find(id)
        // One that is not there yet may be there when the next messages come.
        if (text !== undefined) readings.keep(found, bytes, from, readingOf(text, columnsOf(source), id!))
      }
    },

    read(bytes, from, to) {
      const found = framingOf(bytes, from, to, framing)
      if (!found) return `it is not framed: its first byte is ${firstBytes[framing ?? 'any']}`
      if (!schemas) return 'it is Avro, and there is no schema registry to read it by'
      const body = bodyOf(found, bytes, from, to)
      if (typeof body === 'string') return body
      const reading = readings.find(found, bytes, from) ?? notThere(source, found, idOf(found, bytes, from))
      return typeof reading === 'string' ? reading : writeOut(reading, body)
    },
  }
  // A key may also be JSON or a text, and so may a change of a database; a value that should be Avro and is not has to say why.
  return { ...reader, isAvro: format === 'avro' ? () => true : reader.isAvro, ofKeys: reader }
}

const none: AvroReader['ofKeys'] = { isAvro: () => false, prepare: async () => {}, read: () => 'it is no Avro' }

/** All values have one schema; keys are JSON or a text, since nothing says theirs. */
function unframed(source: ForeignSource, schema: string): AvroReader {
  const reading = readingOf(schema, columnsOf(source), `of ${source.name}`)
  if (typeof reading === 'string') throw new Problem(reading, `Correct the file that sources.${source.name}.schema names.`)
  const writeOut = writer()
  return { ...none, isAvro: () => true, read: (bytes, from, to) => writeOut(reading, { bytes, from, to }), ofKeys: none }
}

/** The key of a message is read while its value is still looked at, so they have a place each. */
function writer(): (reading: Exclude<Reading, string>, body: Body) => Sent | string {
  let [now, next] = [startCursor(), startCursor()]
  return (reading, body) => {
    ;[now, next] = [next, now]
    return writtenOut(now, reading, body)
  }
}

function writtenOut(c: Cursor, { write, type }: Exclude<Reading, string>, { bytes, from, to }: Body): Sent | string {
  c.bytes = bytes
  c.at = from
  c.end = to
  c.used = 0
  c.depth = 0
  c.left = mostEmpty + 4 * (to - from)
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

function notThere({ name }: ForeignSource, framing: Framing, id: string | undefined): string {
  const what = id === undefined ? 'the number of its Avro schema is negative' : `there is no Avro schema ${id}`
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
