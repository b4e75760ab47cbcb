/**
 * Walks two sides of rows beside each other, by `_seq` and over facts by `_key`: the one merge that diff, proofs and repairs are made of.
 */
import { compareValues, textsIn } from '../feature-defs/values.ts'
import { columnOf, type Columns } from '../utilities/values/columns.ts'

/** Rows of a batch that follow one another: the first, and the one behind the last. */
export type Span = {
  readonly rows: Columns
  readonly seq: Float64Array
  /** Where several rows have one number: what tells them apart. */
  readonly keys: ArrayLike<string> | undefined
  readonly first: number
  readonly end: number
}

/** So many rows from the first of the spans on, which both sides have under the same numbers and keys, or only one. */
export type Stretch = { readonly left: Span | undefined; readonly right: Span | undefined; readonly count: number }

/**
 * Each side is several streams, each in order of `_seq` and `_key`. A row that one side has more often than the other is its alone from
 * then on.
 */
export async function* merge(some: readonly AsyncIterable<Columns>[], others: readonly AsyncIterable<Columns>[]): AsyncGenerator<Stretch> {
  const [lefts, rights] = [inOrder(some), inOrder(others)]
  let [a, b] = [await next(lefts), await next(rights)]
  while (a || b) {
    const order = a && b ? orderOf(a, a.first, b) : a ? -1 : 1
    const left = order <= 0 ? a : undefined
    const right = order >= 0 ? b : undefined
    const count = left && right ? sameFrom(left, right) : left ? lessFrom(left, b) : lessFrom(right!, a)
    yield { left, right, count }
    if (left) a = rest(left, count) ?? (await next(lefts))
    if (right) b = rest(right, count) ?? (await next(rights))
  }
}

/** Below 0 where the row stands before the first of the other span. */
function orderOf({ seq, keys }: Span, row: number, other: Span): number {
  const difference = seq[row]! - other.seq[other.first]!
  return difference === 0 && keys && other.keys ? compareValues(keys[row]!, other.keys[other.first]!) : difference
}

const next = async (spans: AsyncGenerator<Span, undefined>): Promise<Span | undefined> => (await spans.next()).value

const rest = (span: Span, count: number): Span | undefined =>
  span.first + count < span.end ? { ...span, first: span.first + count } : undefined

/** How many rows both begin with. */
function sameFrom({ seq, keys, first, end }: Span, other: Span): number {
  const most = Math.min(end - first, other.end - other.first)
  const isSame = (k: number) =>
    seq[first + k] === other.seq[other.first + k] && (!keys || !other.keys || keys[first + k] === other.keys[other.first + k])
  let count = 1
  while (count < most && isSame(count)) count++
  return count
}

/** How many rows lie before the other's first, the first one among them; all without another. */
function lessFrom(span: Span, other: Span | undefined): number {
  if (!other) return span.end - span.first
  let row = span.first + 1
  while (row < span.end && orderOf(span, row, other) < 0) row++
  return row - span.first
}

/** The rows of several streams as one. */
async function* inOrder(streams: readonly AsyncIterable<Columns>[]): AsyncGenerator<Span, undefined> {
  const heads: { readonly spans: AsyncGenerator<Span, undefined>; span: Span }[] = []
  for (const spans of streams.map(spansOf)) {
    const span = await next(spans)
    if (span) heads.push({ spans, span })
  }
  while (heads.length > 0) {
    const head = leastOf(heads)!
    const count = lessFrom(head.span, leastOf(heads.filter((one) => one !== head))?.span)
    yield { ...head.span, end: head.span.first + count }
    const span = rest(head.span, count) ?? (await next(head.spans))
    if (span) head.span = span
    else heads.splice(heads.indexOf(head), 1)
  }
}

const leastOf = <H extends { readonly span: Span }>(heads: readonly H[]): H | undefined =>
  heads.reduce<H | undefined>((least, one) => (!least || orderOf(one.span, one.span.first, least.span) < 0 ? one : least), undefined)

async function* spansOf(batches: AsyncIterable<Columns>): AsyncGenerator<Span, undefined> {
  for await (const rows of batches) {
    if (rows.count === 0) continue
    const key = rows.byName.get('_key')
    const keys = key?.kind === 'text' ? (textsIn(key) as ArrayLike<string>) : undefined
    yield { rows, seq: columnOf(rows, '_seq', 'int').values, keys, first: 0, end: rows.count }
  }
}
