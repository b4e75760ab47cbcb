/** A column of a row group, from its pages: values with the rows that they belong to, packed and by dictionary as files have them. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { unpack } from '../kafka/wire/snappy-block.ts'
import { takeHybrid } from './hybrid-read.ts'
import { pageHeaderAt, type PageHeader } from './page-headers.ts'
import { newValues, physical, takePlain, type Physical, type Values } from './plain-values.ts'

export type ChunkAsked = Physical & {
  readonly codec: string
  readonly rows: number
  /** Whether a value may be null. */
  readonly isOptional: boolean
  readonly as: 'numbers' | 'longs' | 'texts'
}

/** The values that there are, by row: `present` is undefined where all rows have one. */
export type ChunkValues = { readonly values: Values; readonly present: Int32Array | undefined }

const [plain, plainDictionary, runs, byDictionary] = [0, 2, 3, 8]
const [valuesPage, dictionaryPage, secondValuesPage] = [0, 2, 3]

/** A codec that is not read here. */
export class NotRead extends Error {}

/** undefined where an encoding is met that is not read here. */
export function chunkValues(bytes: Uint8Array, asked: ChunkAsked): ChunkValues | undefined {
  const { rows, as } = asked
  const values = newValues(as, rows)
  let present: Int32Array | undefined
  let indexes = new Int32Array(0)
  let dictionary: Values | undefined
  let row = 0
  for (let at = 0; row < rows;) {
    if (at >= bytes.length) throw new RangeError('a column ends too early')
    const header = pageHeaderAt(bytes, at)
    const packed = bytes.subarray(header.end, header.end + header.packedBytes)
    at = header.end + header.packedBytes
    if (header.kind === dictionaryPage) {
      // Its texts lie before all others, so that indexes of later pages hold.
      dictionary = newValues(as, header.values)
      takePlain(dictionary, 0, unpacked(packed, asked.codec, header.rawBytes), 0, header.values, asked)
      if (as === 'texts') [values.texts, values.textsEnd] = [dictionary.texts, dictionary.textsEnd]
      continue
    }
    if (header.kind !== valuesPage && header.kind !== secondValuesPage) continue
    const { page, at: from, levels } = bodyOf(header, packed, asked)
    let count = header.values
    if (levels) {
      if (indexes.length < header.values) indexes = new Int32Array(header.values)
      count = takeHybrid(levels, 0, levels.length, 1, indexes, header.values)
      if (count < header.values || present) {
        present ??= new Int32Array(rows).fill(1, 0, row)
        present.set(indexes.subarray(0, header.values), row)
      }
    } else present?.fill(1, row, row + header.values)
    // Within a page the values stand together; they go to their rows when all are there.
    const isRead = takePage(values, row, page, from, {
      count,
      header,
      dictionary,
      asked,
      scratch: () => (indexes.length < count ? (indexes = new Int32Array(count)) : indexes),
    })
    if (!isRead) return undefined
    if (count < header.values) spread(values, row, header.values, count, present!)
    if (page.buffer !== bytes.buffer) release(page)
    row += header.values
  }
  return { values, present }
}

/** Gives memory back at once: left to the garbage collector it piles up, until the whole heap is walked for its sake again and again. */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0)
}

type Page = {
  readonly count: number
  readonly header: PageHeader
  readonly dictionary: Values | undefined
  readonly asked: ChunkAsked
  readonly scratch: () => Int32Array
}

function takePage(to: Values, row: number, page: Uint8Array, from: number, { count, header, dictionary, asked, scratch }: Page): boolean {
  if (count === 0) return true
  const { encoding } = header
  if (encoding === plain) {
    takePlain(to, row, page, from, count, asked)
    return true
  }
  if (encoding === runs && asked.type === physical.boolean) {
    const flags = scratch()
    // The length of what follows stands before it.
    takeHybrid(page, from + 4, page.length, 1, flags, count)
    for (let i = 0; i < count; i++) to.numbers[row + i] = flags[i]!
    return true
  }
  if ((encoding !== plainDictionary && encoding !== byDictionary) || !dictionary) return false
  const indexes = scratch()
  const bits = page[from]!
  if (bits === 0) indexes.fill(0, 0, count)
  else takeHybrid(page, from + 1, page.length, bits, indexes, count)
  if (asked.as === 'texts') {
    for (let i = 0; i < count; i++) to.starts[row + i] = dictionary.starts[indexes[i]!]!
    for (let i = 0; i < count; i++) to.ends[row + i] = dictionary.ends[indexes[i]!]!
  } else if (asked.as === 'longs') for (let i = 0; i < count; i++) to.longs[row + i] = dictionary.longs[indexes[i]!]!
  else {
    for (let i = 0; i < count; i++) to.numbers[row + i] = dictionary.numbers[indexes[i]!]!
    if (dictionary.wide.size > 0) {
      for (let i = 0; i < count; i++) {
        const exact = dictionary.wide.get(indexes[i]!)
        if (exact !== undefined) to.wide.set(row + i, exact)
      }
    }
  }
  return true
}

/** From the end on, so that none is written over before it has moved. */
function spread({ numbers, longs, starts, ends, wide }: Values, row: number, rows: number, count: number, present: Int32Array): void {
  const moved = wide.size > 0 ? new Map([...wide].filter(([place]) => place >= row)) : undefined
  for (const place of moved?.keys() ?? []) wide.delete(place)
  for (let to = row + rows - 1, from = row + count - 1; to >= row && from >= row; to--) {
    if (present[to] !== 1) continue
    if (numbers.length > 0) numbers[to] = numbers[from]!
    if (longs.length > 0) longs[to] = longs[from]!
    if (starts.length > 0) {
      starts[to] = starts[from]!
      ends[to] = ends[from]!
    }
    const exact = moved?.get(from)
    if (exact !== undefined) wide.set(to, exact)
    from--
  }
}

type Body = { readonly page: Uint8Array; readonly at: number; readonly levels: Uint8Array | undefined }

/** What is in a page, and which of its rows have a value. */
function bodyOf({ kind, rawBytes, definitionBytes, repetitionBytes, isPacked }: PageHeader, packed: Uint8Array, asked: ChunkAsked): Body {
  const { codec, isOptional } = asked
  if (kind === secondValuesPage) {
    const before = repetitionBytes + definitionBytes
    const rest = packed.subarray(before)
    const page = isPacked ? unpacked(rest, codec, rawBytes - before) : rest
    return { page, at: 0, levels: definitionBytes > 0 ? packed.subarray(repetitionBytes, before) : undefined }
  }
  const page = unpacked(packed, codec, rawBytes)
  if (!isOptional) return { page, at: 0, levels: undefined }
  const length = new DataView(page.buffer, page.byteOffset, page.length).getUint32(0, true)
  return { page, at: 4 + length, levels: page.subarray(4, 4 + length) }
}

function unpacked(packed: Uint8Array, codec: string, rawBytes: number): Uint8Array {
  if (rawBytes === 0) return packed.subarray(0, 0)
  switch (codec) {
    case 'UNCOMPRESSED':
      return packed
    case 'SNAPPY':
      return unpack(Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength))
    case 'GZIP':
      return gunzipSync(packed)
    case 'ZSTD':
      return zstdDecompressSync(packed)
    case 'BROTLI':
      return brotliDecompressSync(packed)
  }
  throw new NotRead(`${codec}`)
}
