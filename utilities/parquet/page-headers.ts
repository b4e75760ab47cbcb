/** The headers of a column's pages, in Thrift's compact protocol: only what a reader of values needs of them. */

export type PageHeader = {
  /** 0 values, 2 a dictionary, 3 values of the second version; others are passed over. */
  readonly kind: number
  readonly rawBytes: number
  readonly packedBytes: number
  /** Nulls among them. */
  readonly values: number
  readonly encoding: number
  /** Of the second version: how long levels are, and whether what is behind them is packed. */
  readonly repetitionBytes: number
  readonly definitionBytes: number
  readonly isPacked: boolean
  /** Where the page itself begins. */
  readonly end: number
}

type Cursor = { readonly bytes: Uint8Array; at: number }
/** By its field: a number, or a structure of such; what else there is counts for nothing. */
type Fields = Map<number, number | Fields>

const [isTrue, isFalse, byte, i16, i32, i64, double, binary, list, set, map, struct] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]

export function pageHeaderAt(bytes: Uint8Array, at: number): PageHeader {
  const cursor = { bytes, at }
  const header = fieldsAt(cursor)
  const number = (fields: Fields, id: number, otherwise = 0) => (fields.get(id) as number | undefined) ?? otherwise
  const kind = number(header, 1)
  const page = (header.get({ 0: 5, 2: 7, 3: 8 }[kind] ?? 5) as Fields | undefined) ?? new Map()
  return {
    kind,
    rawBytes: number(header, 2),
    packedBytes: number(header, 3),
    values: number(page, 1),
    encoding: number(page, kind === 3 ? 4 : 2),
    definitionBytes: kind === 3 ? number(page, 5) : 0,
    repetitionBytes: kind === 3 ? number(page, 6) : 0,
    isPacked: kind !== 3 || number(page, 7, 1) === 1,
    end: cursor.at,
  }
}

function fieldsAt(cursor: Cursor): Fields {
  const fields: Fields = new Map()
  for (let id = 0; ;) {
    const head = next(cursor)
    if (head === 0) return fields
    id = head >> 4 === 0 ? zigzag(cursor) : id + (head >> 4)
    const value = valueAt(cursor, head & 15)
    if (value !== undefined) fields.set(id, value)
  }
}

function valueAt(cursor: Cursor, type: number): number | Fields | undefined {
  switch (type) {
    case isTrue:
      return 1
    case isFalse:
      return 0
    case byte:
      return next(cursor)
    case i16:
    case i32:
    case i64:
      return zigzag(cursor)
    case double:
      cursor.at += 8
      return undefined
    case binary:
      cursor.at += varint(cursor)
      return undefined
    case list:
    case set: {
      const head = next(cursor)
      const count = head >> 4 === 15 ? varint(cursor) : head >> 4
      for (let i = 0; i < count; i++) itemAt(cursor, head & 15)
      return undefined
    }
    case map: {
      const count = varint(cursor)
      const types = count === 0 ? 0 : next(cursor)
      for (let i = 0; i < count; i++) {
        itemAt(cursor, types >> 4)
        itemAt(cursor, types & 15)
      }
      return undefined
    }
    case struct:
      return fieldsAt(cursor)
  }
  throw new RangeError(`a page header has a field of type ${type}`)
}

/** In a list a flag is a byte; as a field it is its type. */
const itemAt = (cursor: Cursor, type: number) => (type <= isFalse ? next(cursor) : valueAt(cursor, type))

function next(cursor: Cursor): number {
  if (cursor.at >= cursor.bytes.length) throw new RangeError('a page header ends too early')
  return cursor.bytes[cursor.at++]!
}

function varint(cursor: Cursor): number {
  let value = 0
  for (let scale = 1; ; scale *= 0x80) {
    const one = next(cursor)
    value += (one & 0x7f) * scale
    if (one < 0x80) return value
  }
}

function zigzag(cursor: Cursor): number {
  const value = varint(cursor)
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
