/** What a Parquet file says about itself: its columns, its row groups and each of its pages. */
import type { Decimal, SqlColumn, SqlType } from '../warehouse.ts'
import { binary, bool, int, list, long, struct, structs, text, type Thrift } from './thrift.ts'

/** At the beginning and at the end. */
export const magic = 'PAR1'

const [boolean, int32, int64, double, byteArray, fixed] = [0, 1, 2, 5, 6, 7]
const optional = 1
const [plain, rle, rleDictionary] = [0, 3, 8]
export const [uncompressed, snappy] = [0, 1]

const nothing = struct()

/** The physical type, and what is said beside it: readers from before 2018 know the first of the annotations alone. */
type Written = { readonly physical: number; readonly length?: number; readonly about?: readonly [converted: Thrift, logical: Thrift] }

const written: { readonly [type in Exclude<SqlType, object>]: Written } = {
  double: { physical: double },
  integer: { physical: int32 },
  bigint: { physical: int64 },
  boolean: { physical: boolean },
  date: { physical: int32, about: [int(6), struct([6, nothing])] },
  // In UTC, and of its units the second.
  timestamp: { physical: int64, about: [int(10), struct([8, struct([1, bool(true)], [2, struct([2, nothing])])])] },
}

function writtenAs(type: SqlType): Written {
  if (typeof type === 'string') return written[type]
  if ('varchar' in type) return { physical: byteArray, about: [int(0), struct([1, nothing])] }
  const about = [int(5), struct([5, struct([1, int(type.scale)], [2, int(type.digits)])])] as const
  return isWide(type) ? { physical: fixed, length: fixedBytes, about } : { physical: int64, about }
}

/** Decimals of more digits than 64 bits have are 128 bits of their own. */
export const isWide = ({ digits }: Decimal): boolean => digits > 18
export const fixedBytes = 16

function element({ name, type }: SqlColumn): Thrift {
  const { physical, length, about: [converted, logical] = [] } = writtenAs(type)
  const decimal = typeof type === 'object' && 'digits' in type ? type : undefined
  return struct(
    [1, int(physical)],
    [2, length === undefined ? undefined : int(length)],
    [3, int(optional)],
    [4, text(name)],
    [6, converted],
    [7, decimal && int(decimal.scale)],
    [8, decimal && int(decimal.digits)],
    [10, logical],
  )
}

export type Sizes = { readonly raw: number; readonly packed: number }

/** A page of values, nulls among them; with a dictionary they are indexes. */
export const dataPageHeader = ({ raw, packed }: Sizes, values: number, byIndex: boolean): Uint8Array => {
  const page = struct([1, int(values)], [2, int(byIndex ? rleDictionary : plain)], [3, int(rle)], [4, int(rle)])
  return Uint8Array.from(struct([1, int(0)], [2, int(raw)], [3, int(packed)], [5, page]).bytes)
}

export const dictionaryPageHeader = ({ raw, packed }: Sizes, entries: number): Uint8Array =>
  Uint8Array.from(struct([1, int(2)], [2, int(raw)], [3, int(packed)], [7, struct([1, int(entries)], [2, int(plain)])]).bytes)

/** The pages of a column in a row group. */
export type Chunk = {
  readonly rows: number
  readonly nulls: number
  readonly least: Uint8Array | undefined
  readonly most: Uint8Array | undefined
  readonly codec: number
  /** With the pages' headers. */
  readonly sizes: Sizes
  /** Where in the file it begins, and where its first page that is no dictionary does. */
  readonly start: number
  readonly dataStart: number
}

function chunkOf({ name, type }: SqlColumn, { rows, nulls, least, most, codec, sizes, start, dataStart }: Chunk): Thrift {
  const byIndex = dataStart > start
  const statistics = struct([3, long(nulls)], [5, most && binary(most)], [6, least && binary(least)])
  const encodings = byIndex ? [plain, rle, rleDictionary] : [plain, rle]
  const column = struct(
    [1, int(writtenAs(type).physical)],
    [2, list(encodings.map(int))],
    [3, list([text(name)])],
    [4, int(codec)],
    [5, long(rows)],
    [6, long(sizes.raw)],
    [7, long(sizes.packed)],
    [9, long(dataStart)],
    [11, byIndex ? long(start) : undefined],
    [12, statistics],
  )
  return struct([2, long(start)], [3, column])
}

/** A row group: a chunk for each column. */
export function groupOf(columns: readonly SqlColumn[], chunks: readonly Chunk[], rows: number): Thrift {
  const sum = (size: keyof Sizes) => chunks.reduce((all, { sizes }) => all + sizes[size], 0)
  return struct([1, structs(chunks.map((chunk, i) => chunkOf(columns[i]!, chunk)))], [2, long(sum('raw'))], [3, long(rows)])
}

/** The end of a file: the columns, where everything is, and how long this is. */
export function footer(columns: readonly SqlColumn[], groups: readonly Thrift[], rows: number): Uint8Array {
  const schema = [struct([4, text('tidemark')], [5, int(columns.length)]), ...columns.map(element)]
  // Least and most are meant as each type's own order has it.
  const orders = columns.map(() => struct([1, nothing]))
  const { bytes } = struct(
    [1, int(1)],
    [2, list(schema)],
    [3, long(rows)],
    [4, structs(groups)],
    [6, text('tidemark')],
    [7, structs(orders)],
  )
  const end = Buffer.from(`\0\0\0\0${magic}`)
  end.writeUInt32LE(bytes.length)
  return Buffer.concat([Uint8Array.from(bytes), end])
}
