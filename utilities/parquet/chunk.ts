/** The pages of a column in a row group: the dictionary if there is one, and the values, packed where that makes them smaller. */
import { mostPacked, packInto } from '../kafka/wire/snappy-block.ts'
import { putBytes, roomFor, type Bytes } from './bytes.ts'
import type { Gathered } from './gathering.ts'
import { dataPageHeader, dictionaryPageHeader, snappy, uncompressed, type Chunk } from './headers.ts'
import { bitsFor, putHybrid, putRun } from './hybrid.ts'

/** A page of texts may be larger by one; values of one length are never too many for one page. */
const pageBytes = 1 << 20

/** Used for chunk after chunk. */
export type Scratch = { readonly raw: Bytes; readonly packed: Bytes }

/** A page in the scratch: where it ends, raw and packed. */
type Page = { readonly values: number; readonly isDictionary: boolean; readonly rawEnd: number; readonly packedEnd: number }

/** Hands over the chunk, which begins at `start` of the file, and returns what the footer says of it. */
export function putChunk(put: (bytes: Uint8Array) => void, start: number, gathered: Gathered, { raw, packed }: Scratch): Chunk {
  const { rows, count, byIndex } = gathered
  const pages: Page[] = []
  raw.end = packed.end = 0
  const endPage = (values: number, isDictionary: boolean) => {
    const from = pages.at(-1)?.rawEnd ?? 0
    roomFor(packed, mostPacked(raw.end - from))
    packed.end += packInto(packed.array.subarray(packed.end), raw.array, from, raw.end)
    pages.push({ values, isDictionary, rawEnd: raw.end, packedEnd: packed.end })
  }
  if (byIndex) {
    putBytes(raw, gathered.values)
    endPage(byIndex.entries, true)
    putPresence(raw, gathered, 0, rows, count)
    const bits = bitsFor(byIndex.entries)
    putBytes(raw, Uint8Array.of(bits))
    putHybrid(raw, byIndex.indexes, 0, count, bits)
    endPage(rows, false)
  } else {
    for (const part of plainParts(gathered)) {
      putPresence(raw, gathered, part.from, part.end, part.count)
      putBytes(raw, gathered.values.subarray(part.bytesFrom, part.bytesEnd))
      endPage(part.end - part.from, false)
    }
  }

  // Hardly smaller is not worth the reader's time.
  const codec = packed.end * 20 <= raw.end * 19 ? snappy : uncompressed
  const sizes = { raw: 0, packed: 0 }
  let dataStart = start
  let [rawFrom, packedFrom] = [0, 0]
  for (const { values, isDictionary, rawEnd, packedEnd } of pages) {
    const body = codec === snappy ? packed.array.slice(packedFrom, packedEnd) : raw.array.slice(rawFrom, rawEnd)
    const pageSizes = { raw: rawEnd - rawFrom, packed: body.length }
    const header = isDictionary ? dictionaryPageHeader(pageSizes, values) : dataPageHeader(pageSizes, values, byIndex !== undefined)
    put(header)
    put(body)
    sizes.raw += header.length + pageSizes.raw
    sizes.packed += header.length + body.length
    if (isDictionary) dataStart = start + sizes.packed
    ;[rawFrom, packedFrom] = [rawEnd, packedEnd]
  }
  return { rows, nulls: rows - count, least: gathered.least, most: gathered.most, codec, sizes, start, dataStart }
}

/** Which rows from..end have a value, `count` of them: as a run where all have, behind its length in any case. */
function putPresence(raw: Bytes, { present }: Gathered, from: number, end: number, count: number): void {
  roomFor(raw, 16)
  const start = raw.end
  raw.end += 4
  if (count === end - from) putRun(raw, 1, count, 1)
  else putHybrid(raw, present, from, end, 1)
  new DataView(raw.array.buffer).setUint32(start, raw.end - start - 4, true)
}

type PageSpan = {
  readonly from: number
  readonly end: number
  readonly count: number
  readonly bytesFrom: number
  readonly bytesEnd: number
}

/** The rows of each page: only texts have to be looked through. */
function* plainParts({ rows, count, present, values, fixed }: Gathered): Generator<PageSpan> {
  if (values.length <= pageBytes || fixed) return yield { from: 0, end: rows, count, bytesFrom: 0, bytesEnd: values.length }
  const lengths = new DataView(values.buffer, values.byteOffset, values.byteLength)
  let [from, bytesFrom, before, at] = [0, 0, 0, 0]
  let found = 0
  for (let row = 0; row < rows; row++) {
    if (present[row] === 0) continue
    at += 4 + lengths.getInt32(at, true)
    found++
    if (at - bytesFrom < pageBytes && row + 1 < rows) continue
    yield { from, end: row + 1, count: found - before, bytesFrom, bytesEnd: at }
    ;[from, bytesFrom, before] = [row + 1, at, found]
  }
  if (from < rows) yield { from, end: rows, count: found - before, bytesFrom, bytesEnd: at }
}
