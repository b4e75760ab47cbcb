/** Compares the rows that should be there with the rows that are: what proofs and repairs are made of. */
import { noDay, type Column, type Columns } from '../utilities/values/columns.ts'
import { dayText } from '../utilities/values/day.ts'
import { merge, type Span } from './merge.ts'

/** A row in its batch. */
export type RowAt = { readonly seq: number; readonly rows: Columns; readonly row: number }

export type Findings = {
  readonly missing: (wanted: RowAt) => void | Promise<void>
  /** No row is wanted there, or there was one already: the `wanted` one. */
  readonly extra: (found: RowAt, wanted: RowAt | undefined) => void | Promise<void>
  readonly different: (wanted: RowAt, column: string, expected: string, found: string) => void | Promise<void>
}

/** `wanted` are several streams, each in order of `_seq`, with rows of their own. When a row was computed does not count. */
export async function compare(
  wanted: readonly AsyncIterable<Columns>[],
  found: AsyncIterable<Columns>,
  { missing, extra, different }: Findings,
): Promise<void> {
  let before: RowAt | undefined
  for await (const { left, right, count } of merge(wanted, [found])) {
    for (let k = 0; k < count; k++) {
      if (!left) {
        const there = rowAt(right!, k)
        await extra(there, before?.seq === there.seq ? before : undefined)
        continue
      }
      before = rowAt(left, k)
      if (!right) {
        await missing(before)
        continue
      }
      for (const [name, column] of before.rows.byName) {
        if (name === '_modified_ts' || name === '_seq') continue
        const other = right.rows.byName.get(name)
        const [expected, got] = [show(column, before.row), other ? show(other, right.first + k) : 'no such column']
        if (expected !== got) await different(before, name, expected, got)
      }
    }
  }
}

const rowAt = ({ rows, seq, first }: Span, k: number): RowAt => ({ seq: seq[first + k]!, rows, row: first + k })

/** A cell as text that is equal exactly when the cells are. */
function show(column: Column, row: number): string {
  switch (column.kind) {
    case 'number':
    case 'int':
      return Number.isNaN(column.values[row]!) ? 'null' : String(column.values[row])
    case 'long':
      return String(column.values[row])
    case 'date':
      return column.days[row] === noDay ? 'null' : dayText(column.days[row]!)
    case 'text':
      return column.starts[row] === -1
        ? 'null'
        : JSON.stringify(Buffer.from(column.bytes.buffer, column.bytes.byteOffset).utf8Slice(column.starts[row]!, column.ends[row]!))
  }
}
