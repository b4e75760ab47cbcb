/** The fields of a key that messages carry beside their values: an object of them, or the one field alone. */
import type { Messages } from '../../utilities/feed.ts'
import type { ForeignField } from './fields.ts'
import { sentAs, type Found } from './scan.ts'
import type { AvroReader, SentType } from './sent.ts'
import { bufferOf, messageReader } from './sent-message.ts'
import { newShape, want } from './shape.ts'
import { isUtf8 } from 'node:buffer'

export type KeyReader = {
  /** Why it cannot be read, where it cannot. */
  read(messages: Messages, message: number): string | undefined
  /** What was read: of each field of the key its slot, and what its schema says of it. */
  found: Found
  slots: readonly number[]
  types: readonly (SentType | undefined)[]
}

/** What Connect's converter to texts makes of an object. */
const structText = Buffer.from('Struct{')

export function keyReader(fields: readonly ForeignField[], { ofKeys: avro }: AvroReader, ofDatabase: boolean): KeyReader {
  const shape = newShape()
  const members = fields.map(({ name }) => want(shape, shape.members, name))
  const alone = fields.map(() => 0)
  const typesOf = typesByField(fields)
  const value = messageReader(shape, { avro, unwraps: ofDatabase })
  const reader: KeyReader = { read, found: value.found, slots: members, types: [] }

  function read({ keys }: Messages, message: number): string | undefined {
    const [from, to] = [keys.starts[message]!, keys.ends[message]!]
    if (from < 0) return 'it has no key'
    const wrong = value.read(keys, message)
    reader.found = value.found
    if (wrong !== undefined) {
      const bytes = bufferOf(keys.bytes).subarray(from, to)
      const isText = fields.length === 1 && from < to && !avro.isAvro(keys.bytes, from, to) && isUtf8(bytes)
      if (!isText || (ofDatabase && bytes.indexOf(structText) === 0)) return `its key cannot be read: ${wrong}`
      reader.found = plainText(bytes)
      reader.slots = alone
      reader.types = [undefined]
      return undefined
    }
    const kind = value.found.kinds[0]
    if (kind === sentAs.null) return 'it has no key'
    if (kind !== sentAs.object && fields.length > 1) return `its key is not an object of ${fields.map(({ name }) => name).join(', ')}`
    reader.slots = kind === sentAs.object ? members : alone
    reader.types = kind === sentAs.object ? typesOf(value.type) : [value.type]
    return undefined
  }

  return reader
}

/** Readers of numbers stop at a byte that is no digit. */
const plainText = (bytes: Buffer): Found => ({
  bytes: Buffer.concat([bytes, Buffer.of(0)]),
  kinds: Uint8Array.of(sentAs.text),
  starts: Int32Array.of(0),
  ends: Int32Array.of(bytes.length),
})

/** What the schema of an object says of each field, worked out once for a schema. */
export function typesByField(fields: readonly ForeignField[]): (type: SentType | undefined) => readonly (SentType | undefined)[] {
  const untyped = fields.map(() => undefined)
  const known = new WeakMap<SentType, readonly (SentType | undefined)[]>()
  return (type) => {
    if (type?.is !== 'struct') return untyped
    const types = known.get(type) ?? fields.map(({ name }) => type.fields.get(name))
    known.set(type, types)
    return types
  }
}
