/** The bytes of a Parquet file, straight from columns: a row group whenever there are rows enough for one, then the footer. */
import type { Columns } from '../values/columns.ts'
import type { SqlColumn, SqlType } from '../warehouse.ts'
import { newBytes } from './bytes.ts'
import { putChunk } from './chunk.ts'
import { gatherFlags } from './flags.ts'
import type { Gathering } from './gathering.ts'
import { footer, groupOf, isWide, magic } from './headers.ts'
import { gatherNumbers } from './numbers.ts'
import { gatherTexts } from './texts.ts'
import type { Thrift } from './thrift.ts'
import { gatherWideDecimals } from './wide-decimals.ts'

export interface ParquetFile {
  /** The rows from..end (all without), behind those before, by the names of the columns. Nothing of them is kept. */
  append(rows: Columns, from?: number, end?: number): void
  /** What is left, and the footer: the file is complete. Rows that come then are another file's, which is made in the same memory. */
  finish(): void
  /** In this file. */
  readonly rows: number
}

const rowsPerGroup = 131_072
/** After so many rows of a group it is looked at how large their texts are: always at the same rows, however these came. */
const rowsPerLook = 1_024
/** Long texts make a row group of fewer rows. */
const mostGroupBytes = 128 << 20

/** Smaller ones, for tests. */
type Sizes = { readonly rowsPerGroup?: number }

function gatheringOf(type: SqlType): Gathering {
  if (type === 'boolean') return gatherFlags()
  if (typeof type === 'string') return gatherNumbers(type)
  if ('varchar' in type) return gatherTexts()
  return isWide(type) ? gatherWideDecimals(type) : gatherNumbers(type)
}

/** The same rows make the same bytes, however they are cut. `take` gets the bytes in order; they are its own. */
export function parquetFile(columns: readonly SqlColumn[], take: (bytes: Uint8Array) => void, sizes: Sizes = {}): ParquetFile {
  const groupRows = sizes.rowsPerGroup ?? rowsPerGroup
  const gatherings = columns.map(({ type }) => gatheringOf(type))
  const scratch = { raw: newBytes(), packed: newBytes() }
  let groups: Thrift[] = []
  let written = 0
  let inGroup = 0
  let rows = 0

  const put = (bytes: Uint8Array) => {
    take(bytes)
    written += bytes.length
  }
  const endGroup = () => {
    groups.push(
      groupOf(
        columns,
        gatherings.map((gathering) => putChunk(put, written, gathering.gathered(), scratch)),
        inGroup,
      ),
    )
    inGroup = 0
  }
  const begin = () => {
    if (written === 0) put(Buffer.from(magic))
  }

  return {
    append({ count, byName }, from = 0, end = count) {
      begin()
      for (let at = from; at < end;) {
        const stop = Math.min(end, at + groupRows - inGroup, at + rowsPerLook - (inGroup % rowsPerLook))
        for (const [i, { name }] of columns.entries()) {
          const column = byName.get(name)
          if (!column) throw new TypeError(`there is no column ${name}`)
          gatherings[i]!.append(column, at, stop)
        }
        inGroup += stop - at
        rows += stop - at
        at = stop
        const isLarge =
          inGroup % rowsPerLook === 0 && gatherings.reduce((sum, gathering) => sum + gathering.plainBytes(), 0) >= mostGroupBytes
        if (inGroup === groupRows || isLarge) endGroup()
      }
    },
    finish() {
      begin()
      if (inGroup > 0) endGroup()
      put(footer(columns, groups, rows))
      for (const gathering of gatherings) gathering.forget()
      groups = []
      written = rows = 0
    },
    get rows() {
      return rows
    },
  }
}
