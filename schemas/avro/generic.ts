/**
 * Any Avro schema, by way of avsc: parsing, resolving what others write into a schema of ours, and single values for people and for rare
 * messages.
 */
import { isUtf8 } from 'node:buffer'
import avsc, { type Type } from 'avsc'
import { decimalText } from '../../utilities/values/decimal-text.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { isoText } from '../../utilities/values/timestamp.ts'
import type { AvroSchema, AvroType } from './schema.ts'

/** The bytes are not what the writer's schema says; the message is the reason. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** The schema in this text; a Problem with the reason when there is none. */
export function parseSchema(text: string): AvroType {
  const schema = parseJson(text)
  try {
    typeOf(schema)
  } catch (cause) {
    throw new Problem(`it is not an Avro schema: ${reasonOf(cause)}`, 'Correct the schema.', { cause })
  }
  return schema
}

function parseJson(text: string): AvroType {
  try {
    return JSON.parse(text) as AvroType
  } catch (cause) {
    throw new Problem(`it is not an Avro schema: it is not JSON (${reasonOf(cause)})`, 'Correct the schema.', { cause })
  }
}

/** Why readers of one schema could not read what writers of the other write; undefined when they can. */
export function unresolvable(writer: AvroType, reader: AvroType): string | undefined {
  try {
    typeOf(reader).createResolver(typeOf(writer))
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

/**
 * Makes payloads of one schema into payloads of another, as Avro resolves them: promotions, defaults, fields left out. Throws Unreadable.
 */
export function resolveTo(writer: AvroType, reader: AvroType): (payload: Uint8Array) => Uint8Array {
  const reason = unresolvable(writer, reader)
  if (reason !== undefined)
    throw new Problem(`what one schema writes cannot be read as the other: ${reason}`, 'Register a schema that is compatible.')
  const [from, to] = [typeOf(writer), typeOf(reader)]
  const resolver = to.createResolver(from)
  return (payload) => readable(from, payload, (bytes) => to.toBuffer(to.fromBuffer(bytes, resolver)))
}

/** The value as a plain object: days, moments and decimals are texts as people write them, longs are BigInts. Throws Unreadable. */
export function toObject(schema: AvroSchema, payload: Uint8Array): { readonly [field: string]: unknown } {
  return readable(typeOf(schema), payload, (bytes) => ({ ...typeForPeople(schema).fromBuffer(bytes) }))
}

/** One value's payload; longs may be numbers or BigInts. */
export const encodeObject = (schema: AvroType, value: unknown): Uint8Array => typeOf(schema).toBuffer(value)

function readable<T>(type: Type, payload: Uint8Array, read: (bytes: Buffer) => T): T {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  try {
    const end = walk(type, bytes, 0)
    if (end !== bytes.length) throw new Unreadable(`${bytes.length - end} bytes follow its last field`)
    return read(bytes)
  } catch (cause) {
    throw cause instanceof Unreadable ? cause : new Unreadable(reasonOf(cause), { cause })
  }
}

/** Exact at 64 bits: avsc's own longs are numbers. */
const exactLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: number | bigint) {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(value))
    return bytes
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => (typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value)),
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

/** A hook rather than a registered name, which a long with a logical type would not go by. */
const typeHook = (schema: unknown) => (schema === 'long' || (schema as { type?: unknown } | null)?.type === 'long' ? exactLong : undefined)

const moment = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => isoText(bytes.readBigInt64LE()),
  toBuffer: () => notWritten(),
  fromJSON: notWritten,
  toJSON: notWritten,
  isValid: (value: unknown) => typeof value === 'string',
  compare: notWritten,
})
/** Values for people are only read. */
function notWritten(): never {
  throw new TypeError('it is not written')
}

const hookForPeople = (schema: unknown) =>
  (schema as { logicalType?: unknown } | null)?.logicalType === 'timestamp-micros' ? moment : typeHook(schema)

/** avsc wants a class here. */
class Day extends avsc.types.LogicalType {
  protected override _fromValue(day: number) {
    return new Date(day * 86_400_000).toISOString().replace(/T.*/, '')
  }
  protected override _toValue(text: string) {
    return Date.parse(text) / 86_400_000
  }
}

class Exact extends avsc.types.LogicalType {
  readonly scale: number
  constructor(schema: ConstructorParameters<typeof avsc.types.LogicalType>[0] & { readonly scale?: number }, options: object) {
    super(schema, options)
    this.scale = schema.scale ?? 0
  }
  protected override _fromValue(bytes: Buffer) {
    if (bytes.length === 0) throw new Unreadable('a decimal has no bytes')
    const whole = BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
    return decimalText(whole, this.scale)
  }
  protected override _toValue(): never {
    return notWritten()
  }
}

const remembered = (options: object) => {
  const known = new WeakMap<object, Type>()
  return (schema: AvroType): Type => {
    const key = typeof schema === 'object' && schema !== null ? schema : undefined
    const type =
      (key && known.get(key)) ?? avsc.Type.forSchema(schema as Parameters<typeof Type.forSchema>[0], { typeHook, ...options } as object)
    if (key) known.set(key, type)
    return type
  }
}
const typeOf = remembered({})
const typeForPeople = remembered({ logicalTypes: { date: Day, decimal: Exact }, typeHook: hookForPeople })

const reasonOf = (error: unknown) => (error as Error).message

/** What the classes of avsc's types have between them. */
type Shape = {
  readonly typeName: string
  readonly fields: readonly { readonly type: Shape }[]
  readonly types: readonly Shape[]
  readonly itemsType: Shape
  readonly valuesType: Shape
  readonly symbols: readonly string[]
  readonly size: number
}

/**
 * Goes through a value without making it and returns where it ends: avsc would believe six bytes that announce a thousand million items.
 */
function walk(type: unknown, bytes: Buffer, at: number): number {
  const shape = type as Shape
  switch (shape.typeName) {
    case 'null':
      return at
    case 'boolean': {
      const end = within(bytes, at, 1)
      if (bytes[at]! > 1) throw new Unreadable('a flag is neither true nor false')
      return end
    }
    case 'int': {
      const [value, end] = walkNumber(bytes, at)
      if (value !== (value | 0)) throw new Unreadable('an int has more than 32 bits')
      return end
    }
    case 'abstract:long':
      return walkNumber(bytes, at)[1]
    case 'float':
      return within(bytes, at, 4)
    case 'double':
      return within(bytes, at, 8)
    case 'fixed':
      return within(bytes, at, shape.size)
    case 'bytes':
    case 'string': {
      const [length, start] = walkNumber(bytes, at)
      const end = within(bytes, start, length)
      if (shape.typeName === 'string' && !isUtf8(bytes.subarray(start, end))) throw new Unreadable('a text is not UTF-8')
      return end
    }
    case 'enum': {
      const [index, end] = walkNumber(bytes, at)
      if (index < 0 || index >= shape.symbols.length) throw new Unreadable('an enum has a symbol that the schema has not')
      return end
    }
    case 'union:wrapped':
    case 'union:unwrapped': {
      const [index, start] = walkNumber(bytes, at)
      if (!shape.types[index]) throw new Unreadable('a union has a branch that the schema has not')
      return walk(shape.types[index], bytes, start)
    }
    case 'record':
    case 'error':
      return shape.fields.reduce((place, field) => walk(field.type, bytes, place), at)
    case 'array':
      return walkBlocks(bytes, at, (place) => walk(shape.itemsType, bytes, place))
    case 'map':
      return walkBlocks(bytes, at, (place) => walk(shape.valuesType, bytes, walk({ typeName: 'string' }, bytes, place)))
    default:
      throw new Unreadable(`the type ${shape.typeName} is not known`)
  }
}

/** Items of no bytes could be as many as they like. */
const mostItems = 1_000_000

function walkBlocks(bytes: Buffer, at: number, walkItem: (at: number) => number): number {
  let place = at
  for (let items = 0; ;) {
    const [count, next] = walkNumber(bytes, place)
    place = count < 0 ? walkNumber(bytes, next)[1] : next
    if (count === 0) return place
    items += Math.abs(count)
    if (items > mostItems) throw new Unreadable(`an array or a map has more than ${mostItems} items`)
    for (let item = 0; item < Math.abs(count); item++) place = walkItem(place)
  }
}

function within(bytes: Buffer, at: number, length: number): number {
  if (length < 0 || length > bytes.length - at) throw new Unreadable('it ends too early')
  return at + length
}

/** A number, exact to 2^53, and the place behind it. */
function walkNumber(bytes: Buffer, at: number): readonly [number, number] {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[within(bytes, at + i, 1) - 1]!
    if (i === 9 && byte > 1) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return [value % 2 === 0 ? value / 2 : -(value + 1) / 2, at + i + 1]
  }
  throw new Unreadable('a number has more than 64 bits')
}
