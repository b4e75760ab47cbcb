/**
 * Brings messages of other schemas into a reader's own, plainly framed. What its record's earlier or later form wrote goes by columns, a
 * run of messages at once; what others write goes one by one, as Avro resolves it. What cannot be read stays empty and is dead.
 */
import { decoder } from '../schemas/avro/decode.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { parseSchema, resolveTo } from '../schemas/avro/generic.ts'
import { inflowSchema, recordOf, type AvroType } from '../schemas/avro/schema.ts'
import { isFact } from '../schemas/fact.ts'
import type { Field, RecordSchema } from '../schemas/record.ts'
import { frameHeader, readFrame, runsOfId, type SchemaRun } from '../schemas/wire.ts'
import type { Batch, Fetched } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import { nullColumn, type Column } from '../utilities/values/columns.ts'
import { deadAt, message, type Dead } from './dead.ts'

/** Messages from..to of a batch in the own form; of those that are bad, which are empty, the reasons. */
type Rewritten = { readonly batch: Batch; readonly bad: readonly { readonly index: number; readonly reason: string }[] }
/** For a schema of another form of the record; undefined for any other. */
type ByColumns = ((batch: Batch, from: number, to: number) => Rewritten) | undefined

export function rewriter(registry: Registry, record: RecordSchema, own: Registered) {
  const byColumns = new Map<string, ByColumns>()
  const oneByOne = singly(own)

  const wayOf = async ({ id, compression }: SchemaRun): Promise<ByColumns> => {
    if (id === undefined || compression !== 'none') return undefined
    if (id === own.id) return asItIs
    if (!byColumns.has(id)) {
      const registered = await registry.find(id)
      byColumns.set(id, registered && otherForm(registered, record, own))
    }
    return byColumns.get(id)
  }

  return async (fetched: Fetched): Promise<{ batch: Batch; dead: Dead[] }> => {
    const { batch } = fetched
    const parts: Uint8Array[] = []
    const dead: Dead[] = []
    const ends = new Uint32Array(batch.ends.length)
    let end = 0
    for (const run of runsOfId(batch)) {
      const way = await wayOf(run)
      const rewritten = way ? way(batch, run.from, run.to) : await oneByOne(registry, batch, run.from, run.to)
      parts.push(rewritten.batch.bytes)
      for (let index = run.from; index < run.to; index++) ends[index] = end + rewritten.batch.ends[index - run.from]!
      end += rewritten.batch.bytes.length
      dead.push(...rewritten.bad.map(({ index, reason }) => deadAt(fetched, index, reason)))
    }
    return { batch: { bytes: Buffer.concat(parts), ends, ...(batch.keys && { keys: batch.keys }) }, dead }
  }
}

function asItIs({ bytes, ends }: Batch, from: number, to: number): Rewritten {
  const start = from === 0 ? 0 : ends[from - 1]!
  return { batch: { bytes: bytes.subarray(start, ends[to - 1]), ends: ends.subarray(from, to).map((end) => end - start) }, bad: [] }
}

/**
 * By columns, where the schema is of the same record with fewer fields, or with more: those that are not there are null. Of a fact they are
 * null in what it was and in what it is.
 */
function otherForm({ definition }: Registered, record: RecordSchema, own: Registered): ByColumns {
  const theirs = formOf(definition)
  if (theirs?.name !== record.name || dateOfTicks(theirs) !== dateOfTicks(record)) return undefined
  const isThere = ([name, field]: readonly [string, Field]) => {
    const their = theirs.fields[name]
    return their ? sameMessages(their, field) : field.nullable
  }
  if (!Object.entries(record.fields).every(isThere)) return undefined
  const decode = decoder(inflowSchema(theirs))
  const encode = encoder(inflowSchema(record), own.id)
  const missing = Object.entries(record.fields).filter(([name]) => !Object.hasOwn(theirs.fields, name))
  return (batch, from, to) => {
    const { columns, rows, bad } = decode(batch, from, to)
    const nulls = missing.flatMap(([name, field]) => {
      const column = nullColumn(field, columns.count)
      return isFact(record)
        ? ([
            [`before.${name}`, column],
            [`after.${name}`, column],
          ] as const)
        : ([[name, column]] as const)
    })
    const written = encode({ count: columns.count, byName: new Map<string, Column>([...columns.byName, ...nulls]) })
    if (bad.length === 0) return { batch: written, bad }
    const ends = new Uint32Array(to - from)
    let row = 0
    for (let index = from; index < to; index++) {
      if (rows[row] === index) row++
      ends[index - from] = row === 0 ? 0 : written.ends[row - 1]!
    }
    return { batch: { ...written, ends }, bad }
  }
}

/** What messages have beside the fields: a fact's have ticks, of a date as theirs. */
const dateOfTicks = (record: RecordSchema) => (isFact(record) ? record.fields[record.at]!.kind : undefined)

function formOf(definition: string): RecordSchema | undefined {
  try {
    return recordOf(JSON.parse(definition) as AvroType)
  } catch {
    return undefined
  }
}

/** Where the field comes from in a source is nothing to its messages. */
const sameMessages = (one: Field, other: Field) => JSON.stringify({ ...one, csv: '' }) === JSON.stringify({ ...other, csv: '' })

function singly({ id: ownId, definition: ownDefinition }: Registered) {
  const header = frameHeader(ownId)
  let reader: AvroType | undefined
  const roads = new Map<string, (payload: Uint8Array) => Uint8Array>()

  const roadFrom = (id: string, registered: Registered | undefined) => {
    const known = roads.get(id)
    if (known) return known
    if (!registered) throw new Error(`schema version ${id} is not in the registry`)
    reader ??= parseSchema(ownDefinition)
    const road = id === ownId ? (payload: Uint8Array) => payload : resolveTo(parseSchema(registered.definition), reader)
    roads.set(id, road)
    return road
  }

  return async (registry: Registry, batch: Batch, from: number, to: number): Promise<Rewritten> => {
    const bad: { index: number; reason: string }[] = []
    const parts: Uint8Array[] = []
    const ends = new Uint32Array(to - from)
    let end = 0
    for (let index = from; index < to; index++) {
      const bytes = message(batch, index)
      const frame = readFrame(bytes, 0, bytes.length)
      // A registry that cannot be asked is no fault of the message: that is thrown, and the message is not dead.
      const registered = frame.ok && !roads.has(frame.id) ? await registry.find(frame.id) : undefined
      try {
        if (!frame.ok) throw new Error(frame.reason)
        const payload = roadFrom(frame.id, registered)(frame.payload)
        parts.push(header, payload)
        end += header.length + payload.length
      } catch (error) {
        bad.push({ index, reason: (error as Error).message })
      }
      ends[index - from] = end
    }
    return { batch: { bytes: Buffer.concat(parts), ends }, bad }
  }
}
