/** Which rows of a file a choice of years takes, and that what is noted of it says exactly which they were. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { heldOf, positionOf } from '../streams/kept-before.ts'
import { start } from '../streams/position.ts'
import type { CsvBatch } from '../schemas/csv/read.ts'
import { datedBatches } from '../schemas/csv/dated.ts'
import { chosenOf, extendTake, joinTake, nothingYet, takenIn, untaken, type Take, type Years } from '../schemas/csv/selection.ts'
import { transferableBuffers, columnOf, pick } from '../utilities/values/columns.ts'

const at = 'day'
/** A year for each row of a file; null is a line that is rejected. */
type Lines = readonly (number | null)[]
const dayIn = (year: number) => Date.UTC(year, 5, 1) / 86_400_000

/** Cut where `cuts` say, as a reader might. */
async function* batchesOf(lines: Lines, cuts: readonly number[]): AsyncGenerator<CsvBatch> {
  const bounds = [0, ...cuts.map((cut) => cut % (lines.length + 1)).toSorted((a, b) => a - b), lines.length]
  for (const [i, from] of bounds.slice(0, -1).entries()) {
    const part = lines.slice(from, bounds[i + 1]).map((year, row) => ({ year, seq: from + row + 1 }))
    const valid = part.filter(({ year }) => year !== null)
    const byName = new Map([
      ['_seq', { kind: 'int' as const, values: Float64Array.from(valid, ({ seq }) => seq) }],
      [at, { kind: 'date' as const, days: Int32Array.from(valid, ({ year }) => dayIn(year!)) }],
    ])
    const rejects = part
      .filter(({ year }) => year === null)
      .map(({ seq }) => ({ seq, line: seq + 1, column: '', reason: '', text: '', afterSeq: 0 }))
    yield { columns: { count: valid.length, byName }, rejects, lastSeq: from + part.length }
  }
}

const seqOf = (records: Parameters<typeof pick>[0]) => [...columnOf(records, '_seq', 'int').values]

async function chosen(
  lines: Lines,
  cuts: readonly number[],
  years: Years,
): Promise<{ readonly rows: number[]; readonly rejects: number[] }> {
  const all = { rows: [] as number[], rejects: [] as number[] }
  for await (const batch of datedBatches(batchesOf(lines, cuts), at)) {
    const { rows, rejects } = chosenOf(batch, at, years)
    all.rows.push(...seqOf(pick(batch.columns, rows)))
    all.rejects.push(...rejects.map(({ seq }) => seq))
    // As rows are that go over to the thread which writes them: before the next batch is asked for, their arrays are empty.
    structuredClone(0, { transfer: transferableBuffers({ ...batch.columns, transferable: true }) })
  }
  return all
}

const linesArb = fc.array(fc.option(fc.integer({ min: 2007, max: 2010 }), { freq: 3 }), { maxLength: 40 })
const cutsArb = fc.array(fc.nat(60), { maxLength: 6 })
const yearsArb = fc.tuple(fc.integer({ min: 2007, max: 2010 }), fc.nat(3)).map(([from, more]): Years => [from, from + more])

describe('a choice of years', () => {
  it('is the same however the file is cut into batches', () =>
    fc.assert(
      fc.asyncProperty(linesArb, cutsArb, yearsArb, async (lines, cuts, years) => {
        expect(await chosen(lines, cuts, years)).toEqual(await chosen(lines, [], years))
      }),
    ))

  it('has each rejected line once over all years, with the valid row before it or the first one; where there is none, with every choice', () =>
    fc.assert(
      fc.asyncProperty(linesArb, cutsArb, async (lines, cuts) => {
        const first = lines.find((year) => year !== null)
        const goesWith = lines.map((year, i) => year ?? lines.slice(0, i).findLast((one) => one !== null) ?? first)
        for (const year of [2007, 2008, 2009, 2010]) {
          const { rejects } = await chosen(lines, cuts, [year, year])
          expect(rejects).toEqual(lines.flatMap((one, i) => (one === null && (goesWith[i] === year || first === undefined) ? [i + 1] : [])))
        }
      }),
    ))

  it('takes a thousand lines and more at the head of a file with every choice, however they are cut', async () => {
    const lines = [...new Array<null>(1500).fill(null), 2008]
    for (const cuts of [[], [700], [1001], [1500]]) {
      expect((await chosen(lines, cuts, [2007, 2007])).rejects).toHaveLength(1500)
      expect((await chosen(lines.slice(501), cuts, [2007, 2007])).rejects).toHaveLength(0)
    }
  })
})

/** What `produce` and `backfill` do: fresh rows are taken behind everything taken before, or refused. */
async function takeYears(
  lines: Lines,
  cuts: readonly number[],
  takes: readonly Take[],
  years: Years,
  stopAfter: number,
): Promise<{ readonly takes: readonly Take[]; readonly rows: number[] } | 'refused'> {
  const before = takenIn(takes)
  let take = nothingYet({ source: { name: 'f', size: 1, sha256: 'f' }, base: 0, years, after: before.upTo })
  const rows: number[] = []
  let batches = 0
  for await (const batch of datedBatches(batchesOf(lines, cuts), at)) {
    const choice = chosenOf(batch, at, years)
    const fresh = untaken(pick(batch.columns, choice.rows), at, before)
    const seq = columnOf(fresh, '_seq', 'int').values
    if (seq[0]! <= before.upTo) return 'refused'
    take = extendTake(
      take,
      seq,
      choice.rejects.filter(({ seq, day }) => !before.has(seq, day)),
    )
    rows.push(...seq)
    if (++batches > stopAfter) break
  }
  return { takes: take.lastSeq > take.after ? joinTake(takes, take) : takes, rows }
}

describe('what is noted of what was taken', () => {
  const stepsArb = fc.array(fc.record({ years: yearsArb, cuts: cutsArb, stopAfter: fc.nat(7) }), { minLength: 1, maxLength: 6 })

  it('says exactly which rows, whatever was chosen, interrupted and begun again', () =>
    fc.assert(
      fc.asyncProperty(linesArb, stepsArb, async (lines, steps) => {
        let takes: readonly Take[] = []
        const taken = new Set<number>()
        for (const { years, cuts, stopAfter } of steps) {
          const outcome = await takeYears(lines, cuts, takes, years, stopAfter)
          if (outcome === 'refused') continue
          for (const seq of outcome.rows) {
            expect(taken.has(seq)).toBe(false)
            taken.add(seq)
          }
          takes = outcome.takes
        }
        const { has } = takenIn(takes)
        expect(lines.flatMap((year, i) => (year !== null && has(i + 1, dayIn(year)) ? [i + 1] : []))).toEqual(
          [...taken].toSorted((a, b) => a - b),
        )
        expect(takes.reduce((sum, { rows }) => sum + rows, 0)).toBe(taken.size)
      }),
      { numRuns: 300 },
    ))

  it('is as long as there were different choices, whatever the file and the interruptions', async () => {
    const lines = Array.from({ length: 1000 }, (_, i) => 2007 + (i % 2))
    const cuts = Array.from({ length: 100 }, (_, i) => 10 * i)
    let takes: readonly Take[] = []
    for (let stopAfter = 0; stopAfter < 120; stopAfter += 7) {
      const outcome = await takeYears(lines, cuts, takes, [2007, 2007], stopAfter)
      if (outcome !== 'refused') takes = outcome.takes
    }
    expect(takes).toMatchObject([{ after: 0, firstSeq: 1, lastSeq: 999, rows: 500 }])
  })
})

describe('a store of before', () => {
  const source = { name: 'loans.csv', size: 9, sha256: 'ab' }
  const piece = { kind: 'batch', source, place: 'loans.csv', years: [2007, 2007], base: 0, firstSeq: 1, lastSeq: 5, rows: 3 }

  it('has its pieces read as the years behind what came before, also where stretches of theirs were not noted', () => {
    const old = {
      ...start,
      seq: 90,
      history: [
        {
          ...piece,
          ranges: [
            [1, 3],
            [5, 5],
          ],
        },
        { ...piece, years: [2007, 2010], ranges: [[51, 90]], firstSeq: 51, lastSeq: 90, rows: 80 },
      ],
    }
    expect(positionOf(old as unknown as typeof start).history).toEqual([
      { ...piece, after: 0, rejected: 0 },
      { ...piece, years: [2007, 2010], after: 5, firstSeq: 51, lastSeq: 90, rows: 80, rejected: 0 },
    ])
  })

  it('has what inflow holds read stretch by stretch; where there are too many, it is refused with what to do', () => {
    const { has } = takenIn(
      heldOf([
        {
          identity: source,
          base: 0,
          ranges: [
            [1, 3],
            [7, 8],
          ],
        },
      ]),
    )
    expect([1, 3, 4, 6, 7, 8, 9].filter((seq) => has(seq, dayIn(2009)))).toEqual([1, 3, 7, 8])
    const many = Array.from({ length: 1001 }, (_, i) => [2 * i + 1, 2 * i + 1] as const)
    expect(() => heldOf([{ identity: source, base: 0, ranges: many }])).toThrow(
      /loans\.csv was noted by an earlier version of Tidemark as 1001 stretches of rows, .* Start over with an inflow of its own/,
    )
  })

  it('has the hold of a backfill that was killed read as it was', () => {
    const hold = { kind: 'backfill', by: 'process 1', source, place: 'loans.csv', years: [2007, 2008] }
    expect(positionOf({ ...start, seq: 7, hold } as unknown as typeof start).hold).toEqual({ ...hold, base: null, after: 7, token: '' })
  })
})
