/** Walks two sides of rows beside each other, by `_seq`: the one merge that diff, proofs and repairs are made of. */
import { columnOf, type Columns } from '../utilities/values/columns.ts'

/** Rows of a batch that follow one another: the first, and the one behind the last. */
export type Span = { readonly rows: Columns; readonly seq: Float64Array; readonly first: number; readonly end: number }

/** So many rows from the first of the spans on, which both sides have under the same numbers, or only one. */
export type Stretch = { readonly left: Span | undefined; readonly right: Span | undefined; readonly count: number }

/**
 * Each side is several streams, each in order of `_seq`. A number that one side has more often than the other is its alone from then on.
 */
export async function* merge(some: readonly AsyncIterable<Columns>[], others: readonly AsyncIterable<Columns>[]): AsyncGenerator<Stretch> {
  const [lefts, rights] = [inOrder(some), inOrder(others)]
  let [a, b] = [await next(lefts), await next(rights)]
  while (a || b) {
    const [x, y] = [a?.seq[a.first] ?? Infinity, b?.seq[b.first] ?? Infinity]
    const left = x <= y ? a : undefined
    const right = y <= x ? b : undefined
    const count = left && right ? sameFrom(left, right) : left ? lessFrom(left, y) : lessFrom(right!, x)
    yield { left, right, count }
    if (left) a = rest(left, count) ?? (await next(lefts))
    if (right) b = rest(right, count) ?? (await next(rights))
  }
}

const next = async (spans: AsyncGenerator<Span, undefined>): Promise<Span | undefined> => (await spans.next()).value

const rest = (span: Span, count: number): Span | undefined =>
  span.first + count < span.end ? { ...span, first: span.first + count } : undefined

/** How many rows both begin with. */
function sameFrom({ seq, first, end }: Span, other: Span): number {
  const most = Math.min(end - first, other.end - other.first)
  let count = 1
  while (count < most && seq[first + count] === other.seq[other.first + count]) count++
  return count
}

/** How many rows lie before the number, the first one among them. */
function lessFrom({ seq, first, end }: Span, limit: number): number {
  let row = first + 1
  while (row < end && seq[row]! < limit) row++
  return row - first
}

/** The rows of several streams as one. */
async function* inOrder(streams: readonly AsyncIterable<Columns>[]): AsyncGenerator<Span, undefined> {
  const heads: { readonly spans: AsyncGenerator<Span, undefined>; span: Span }[] = []
  for (const spans of streams.map(spansOf)) {
    const span = await next(spans)
    if (span) heads.push({ spans, span })
  }
  while (heads.length > 0) {
    const numbers = heads.map(({ span }) => span.seq[span.first]!)
    const least = numbers.indexOf(Math.min(...numbers))
    const head = heads[least]!
    const count = lessFrom(head.span, Math.min(...numbers.toSpliced(least, 1)))
    yield { ...head.span, end: head.span.first + count }
    const span = rest(head.span, count) ?? (await next(head.spans))
    if (span) head.span = span
    else heads.splice(least, 1)
  }
}

async function* spansOf(batches: AsyncIterable<Columns>): AsyncGenerator<Span, undefined> {
  for await (const rows of batches) if (rows.count > 0) yield { rows, seq: columnOf(rows, '_seq', 'int').values, first: 0, end: rows.count }
}
