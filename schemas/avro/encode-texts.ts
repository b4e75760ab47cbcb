/** Writes the texts of a field: first how long each makes its row, then the bytes. */
import type { TextColumn } from '../../utilities/values/columns.ts'
import { copy, refuse } from './encode-places.ts'
import type { FieldPlace } from './field-places.ts'
import { putVarint, varintLength } from '../wire.ts'

export function measureTexts({ starts, ends }: TextColumn, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  for (let k = 0; k < rows.length; k++) {
    const start = starts[rows[k]!]!
    const length = ends[rows[k]!]! - start
    if (start >= 0) lengths[k]! += length + varintLength(length << 1, 0) + (cell.nullable ? 1 : 0)
    else if (cell.nullable) lengths[k]! += 1
    else refuse(cell, rows[k]!, null)
  }
}

export function writeTexts({ bytes, starts, ends }: TextColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const start = starts[rows[k]!]!
    const end = ends[rows[k]!]!
    const p = at[k]!
    if (nullable) out[p] = start < 0 ? 0 : 2
    at[k] = start < 0 ? p + 1 : copy(bytes, start, end, out, putVarint(out, nullable ? p + 1 : p, (end - start) << 1, 0))
  }
}
