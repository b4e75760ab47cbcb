/** Walks the rows that should be there beside the rows that are, by `_seq`: the one merge that proofs and repairs are made of. */
import { columnOf, noDay, type Column, type Columns } from '../utilities/values/columns.ts'
import { dayText } from '../utilities/values/day.ts'

/** A row in its batch. */
export type RowAt = { readonly seq: number; readonly rows: Columns; readonly row: number }

export type Findings = {
  readonly missing: (wanted: RowAt) => void | Promise<void>
  /** No row is wanted there, or there was one already: the `wanted` one. */
  readonly extra: (found: RowAt, wanted: RowAt | undefined) => void | Promise<void>
  readonly different: (wanted: RowAt, column: string, expected: string, found: string) => void | Promise<void>
}

/** `wanted` are several streams, each in order of `_seq`, with rows of their own. When a row was computed does not count. */
export async function compare(wanted: readonly AsyncIterable<Columns>[], found: AsyncIterable<Columns>, { missing, extra, different }: Findings): Promise<void> {
  const theirs = rowReader(found)
  const ours = inOrder(wanted.map(rowReader))
  let before: RowAt | undefined
  const surplus = (there: RowAt) => extra(there, before?.seq === there.seq ? before : undefined)
  for (let row = await ours.next(Infinity); row; row = await ours.next(Infinity)) {
    let there = await theirs.next(row.seq)
    for (; there && there.seq < row.seq; there = await theirs.next(row.seq)) await surplus(there)
    before = row
    if (!there) {
      await missing(row)
      continue
    }
    for (const [name, column] of row.rows.byName) {
      if (name === '_modified_ts' || name === '_seq') continue
      const other = there.rows.byName.get(name)
      const [expected, got] = [show(column, row.row), other ? show(other, there.row) : 'no such column']
      if (expected !== got) await different(row, name, expected, got)
    }
  }
  for (let there = await theirs.next(Infinity); there; there = await theirs.next(Infinity)) await surplus(there)
}

type Reader = {
  /** The next row, if its _seq is not beyond. */
  next(upTo: number): Promise<RowAt | undefined>
}

function rowReader(batches: AsyncIterable<Columns>): Reader {
  const iterator = batches[Symbol.asyncIterator]()
  let rows: Columns | undefined
  let seq = new Float64Array()
  let row = 0
  const peek = async (): Promise<RowAt | undefined> => {
    while (!rows || row >= rows.count) {
      const next = await iterator.next()
      if (next.done) return undefined
      rows = next.value
      seq = Float64Array.from(columnOf(rows, '_seq', 'int').values)
      row = 0
    }
    return { seq: seq[row]!, rows, row }
  }
  return {
    async next(upTo) {
      const ready = rows && row < rows.count ? { seq: seq[row]!, rows, row } : await peek()
      if (!ready || ready.seq > upTo) return undefined
      row++
      return ready
    },
  }
}

/** The rows of several readers as one, by _seq. */
function inOrder(readers: readonly Reader[]): Reader {
  if (readers.length === 1) return readers[0]!
  const heads = new Map<Reader, RowAt | undefined>()
  return {
    async next(upTo) {
      for (const reader of readers) if (!heads.has(reader)) heads.set(reader, await reader.next(Infinity))
      const [reader, head] = [...heads].reduce((least, one) => ((one[1]?.seq ?? Infinity) < (least[1]?.seq ?? Infinity) ? one : least))
      if (!head || head.seq > upTo) return undefined
      heads.delete(reader)
      return head
    },
  }
}

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
      return column.starts[row] === -1 ? 'null' : JSON.stringify(Buffer.from(column.bytes.buffer, column.bytes.byteOffset).utf8Slice(column.starts[row]!, column.ends[row]!))
  }
}
