/** Reads a key or a value as it was sent, in JSON or in Avro, with a schema beside it or without. */
import type { Messages, Pieces } from '../../utilities/feed.ts'
import { connectTypes } from './connect-schema.ts'
import { jsonScanner, sentAs, type Found } from './scan.ts'
import type { AvroReader, SentType } from './sent.ts'
import { want, type Shape } from './shape.ts'

export type MessageReader = {
  /** Why it cannot be read, where it cannot. */
  read(pieces: Pieces, message: number): string | undefined
  readonly found: Found
  /** What its schema says of it, where it has one. */
  readonly type: SentType | undefined
}

type Options = {
  readonly avro: AvroReader['ofKeys']
  /** Whether an object of a `schema` and a `payload` is the payload. */
  readonly unwraps: boolean
}

/** The shape is complete by now, but for what is told here. */
export function messageReader(shape: Shape, { avro, unwraps }: Options): MessageReader {
  const schemaSlot = unwraps ? want(shape, shape.members, 'schema') : 0
  const payloadSlot = unwraps ? want(shape, shape.members, 'payload') : 0
  const { scan, found } = jsonScanner(shape)
  const typeOf = connectTypes()
  const reader = { read, found, type: undefined as SentType | undefined }

  let seen: Uint8Array | undefined
  let view: Buffer | undefined
  function buffer(bytes: Uint8Array): Buffer {
    if (bytes !== seen || !view) view = bufferOf((seen = bytes))
    return view
  }

  function read({ bytes, starts, ends }: Pieces, message: number): string | undefined {
    const [from, to] = [starts[message]!, ends[message]!]
    reader.type = undefined
    if (avro.isAvro(bytes, from, to)) {
      const sent = avro.read(bytes, from, to)
      if (typeof sent === 'string') return sent
      reader.type = sent.type
      return scan(buffer(sent.bytes), sent.from, sent.to)
    }
    const wrong = scan(buffer(bytes), from, to)
    return wrong === undefined && unwraps ? unwrap() : wrong
  }

  function unwrap(): string | undefined {
    const { bytes, kinds, starts, ends } = found
    const [schema, payload] = [kinds[schemaSlot]!, kinds[payloadSlot]!]
    const isWrapped = schema === sentAs.object ? payload !== sentAs.absent : schema === sentAs.null && payload === sentAs.object
    if (!isWrapped) return undefined
    if (schema === sentAs.object) reader.type = typeOf(bytes, starts[schemaSlot]!, ends[schemaSlot]!)
    return scan(bytes, starts[payloadSlot]!, ends[payloadSlot]!)
  }

  return reader
}

export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Finds the schemas of all keys and values that are Avro. */
export async function prepareAvro(avro: AvroReader, { count, keys, values }: Messages): Promise<void> {
  const framed: { readonly bytes: Uint8Array; readonly from: number; readonly to: number }[] = []
  for (const { bytes, starts, ends } of [keys, values]) {
    for (let message = 0; message < count; message++) {
      const [from, to] = [starts[message]!, ends[message]!]
      if (from >= 0 && avro.isAvro(bytes, from, to)) framed.push({ bytes, from, to })
    }
  }
  if (framed.length > 0) await avro.prepare(framed)
}
