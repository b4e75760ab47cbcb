/** The merge that diff, proofs and repairs are made of, against a walk over plain lists. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { textColumn } from '../feature-defs/values.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { merge } from '../versions/merge.ts'

/** Numbers in rising order, some of them more than once. */
const numbers = fc.array(fc.nat(40), { maxLength: 40 }).map((some) => some.toSorted((a, b) => a - b))
/** Rows that follow one another stay in their batch, or go to another, and each batch to one of the streams. */
const side = fc.record({ numbers, cuts: fc.array(fc.nat(4), { maxLength: 20 }), streams: fc.integer({ min: 1, max: 3 }) })

async function* batches(numbers: readonly number[], cuts: readonly number[]): AsyncGenerator<Columns> {
  for (let from = 0, i = 0; from < numbers.length; i++) {
    const values = Float64Array.from(numbers.slice(from, (from += cuts[i] ?? 5)))
    yield { count: values.length, byName: new Map([['_seq', { kind: 'int', values }]]) }
  }
}

const streamsOf = ({
  numbers,
  cuts,
  streams,
}: {
  readonly numbers: readonly number[]
  readonly cuts: readonly number[]
  readonly streams: number
}) =>
  Array.from({ length: streams }, (_, stream) =>
    batches(
      numbers.filter((number) => number % streams === stream),
      cuts,
    ),
  )

/** Each number with the side that has it, one after the other. */
function walked(some: readonly number[], others: readonly number[]): string[] {
  const [left, right] = [[...some], [...others]]
  const found: string[] = []
  while (left.length + right.length > 0) {
    const [a, b] = [left[0] ?? Infinity, right[0] ?? Infinity]
    found.push(`${a === b ? 'both' : a < b ? 'left' : 'right'} ${Math.min(a, b)}`)
    if (a <= b) left.shift()
    if (b <= a) right.shift()
  }
  return found
}

it('gives every row of both sides once and in order, beside the one of the same number, however they are cut and spread over streams', async () => {
  await fc.assert(
    fc.asyncProperty(side, side, async (some, others) => {
      const found: string[] = []
      for await (const { left, right, count } of merge(streamsOf(some), streamsOf(others))) {
        for (let k = 0; k < count; k++) {
          const at = [left, right].map((span) => span?.seq[span.first + k])
          if (left && right) expect(at[0]).toBe(at[1])
          found.push(`${left && right ? 'both' : left ? 'left' : 'right'} ${at[0] ?? at[1]}`)
        }
      }
      expect(found).toEqual(walked(some.numbers, others.numbers))
    }),
  )
})

/** Rows of which several have one number, and keys of their own: in the order of both. */
const keyed = fc.array(fc.tuple(fc.nat(8), fc.constantFrom('', 'a', 'b', 'ä', '\uffee', '😀')), { maxLength: 40 }).map((some) => {
  const texts = new Map(some.map(([seq, key]) => [`${seq} ${key}`, [seq, key] as const]))
  return [...texts.values()].sort(([a, x], [b, y]) => a - b || Buffer.compare(Buffer.from(x), Buffer.from(y)))
})

async function* keyedBatches(rows: readonly (readonly [seq: number, key: string])[], cuts: readonly number[]): AsyncGenerator<Columns> {
  for (let from = 0, i = 0; from < rows.length; i++) {
    const part = rows.slice(from, (from += cuts[i] ?? 5))
    yield {
      count: part.length,
      byName: new Map<string, Column>([
        ['_seq', { kind: 'int', values: Float64Array.from(part, ([seq]) => seq) }],
        ['_key', textColumn(part.map(([, key]) => key))],
      ]),
    }
  }
}

it('gives rows that have their numbers in common beside those of the same key', async () => {
  const side = fc.record({
    rows: keyed,
    cuts: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 20 }),
    streams: fc.integer({ min: 1, max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(side, side, async (some, others) => {
      const streams = ({ rows, cuts, streams: count }: typeof some) =>
        Array.from({ length: count }, (_, stream) =>
          keyedBatches(
            // As of partitions: each key is in one of them, and numbers are in all.
            rows.filter(([, key]) => key.length % count === stream),
            cuts,
          ),
        )
      const found: string[] = []
      for await (const { left, right, count } of merge(streams(some), streams(others))) {
        for (let k = 0; k < count; k++) {
          const at = [left, right].map((span) => span && `${span.seq[span.first + k]} ${span.keys![span.first + k]}`)
          if (left && right) expect(at[0]).toBe(at[1])
          found.push(`${left && right ? 'both' : left ? 'left' : 'right'} ${at[0] ?? at[1]}`)
        }
      }
      const text = ([seq, key]: readonly [number, string]) => `${seq} ${key}`
      const [lefts, rights] = [new Set(some.rows.map(text)), new Set(others.rows.map(text))]
      const all = [...new Map([...some.rows, ...others.rows].map((row) => [text(row), row])).values()]
        .sort(([a, x], [b, y]) => a - b || Buffer.compare(Buffer.from(x), Buffer.from(y)))
        .map(text)
      expect(found).toEqual(all.map((row) => `${lefts.has(row) && rights.has(row) ? 'both' : lefts.has(row) ? 'left' : 'right'} ${row}`))
    }),
  )
})
