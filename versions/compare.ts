/** Compares the rows that should be there with the rows that are: what proofs and repairs are made of. */
import { textsOf } from '../utilities/values/cell-text.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
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
    const shown = left && right ? shownBeside(left.rows, right.rows) : []
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
      for (const { name, expected, got } of shown) {
        const [one, other] = [expected(before.row), got(right.first + k)]
        if (one !== other) await different(before, name, one, other)
      }
    }
  }
}

const rowAt = ({ rows, seq, first }: Span, k: number): RowAt => ({ seq: seq[first + k]!, rows, row: first + k })

type Shown = (row: number) => string

/** The columns that are wanted, beside those found. */
const shownBeside = (wanted: Columns, found: Columns) =>
  [...wanted.byName]
    .filter(([name]) => name !== '_modified_ts' && name !== '_seq')
    .map(([name, column]) => ({ name, expected: show(column), got: show(found.byName.get(name)) }))

/** Cells as texts that are equal exactly when the cells are. */
function show(column: Column | undefined): Shown {
  if (!column) return () => 'no such column'
  const textAt = textsOf(column)
  if (column.kind !== 'text') return (row) => textAt(row) ?? 'null'
  return (row) => {
    const text = textAt(row)
    return text === null ? 'null' : JSON.stringify(text)
  }
}
