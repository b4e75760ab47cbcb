/** Picks the rows of some years out of a CSV: which rows, which rejected lines go with them, and which stretches of `_seq` that is. */
import { columnOf, type Columns } from '../utilities/columns.ts'
import { Problem } from '../utilities/problem.ts'
import type { Reject } from '../utilities/source/rejects-file.ts'
import type { CsvBatch } from './csv.ts'

export type Years = readonly [from: number, to: number]

/** Stretches of _seq, both ends included, in order and not touching. */
export type Ranges = readonly (readonly [first: number, last: number])[]

export type Selected = {
  /** Indexes of the chosen rows in the batch. */
  readonly rows: Int32Array
  readonly rejects: readonly Reject[]
  /** The chosen rows and rejects by number. */
  readonly ranges: Ranges
}

const msPerDay = 86_400_000

/** A rejected line has no year to go by: it goes with the valid row before it, or at the head of the file with the first one. */
export function selectYears(at: string, [from, to]: Years): (batch: CsvBatch) => Selected {
  const firstDay = Date.UTC(from, 0, 1) / msPerDay
  const pastDay = Date.UTC(to + 1, 0, 1) / msPerDay
  const wanted = (day: number) => day >= firstDay && day < pastDay
  let carried: boolean | undefined

  return ({ columns, rejects }) => {
    const { days } = columnOf(columns, at, 'date')
    const seq = columnOf(columns, '_seq', 'int').values
    carried ??= columns.count === 0 || wanted(days[0]!)

    const rows = new Int32Array(columns.count)
    const taken: Reject[] = []
    const ranges: [number, number][] = []
    const take = (number: number) => {
      const open = ranges.at(-1)
      if (open && open[1] === number - 1) open[1] = number
      else ranges.push([number, number])
    }
    let count = 0
    let nextReject = 0
    for (let row = 0; row <= columns.count; row++) {
      for (; nextReject < rejects.length && (row === columns.count || rejects[nextReject]!.seq < seq[row]!); nextReject++) {
        if (!carried) continue
        taken.push(rejects[nextReject]!)
        take(rejects[nextReject]!.seq)
      }
      if (row === columns.count) break
      carried = wanted(days[row]!)
      if (!carried) continue
      rows[count++] = row
      take(seq[row]!)
    }
    return { rows: rows.subarray(0, count), rejects: taken, ranges }
  }
}

/** The batch with its rows numbered on from `base`. */
export function numberedFrom(base: number, batch: CsvBatch): CsvBatch {
  if (base === 0) return batch
  const seq = columnOf(batch.columns, '_seq', 'int').values.map((number) => number + base)
  return {
    columns: { count: batch.columns.count, byName: new Map(batch.columns.byName).set('_seq', { kind: 'int', values: seq }) },
    rejects: batch.rejects.map((reject) => ({ ...reject, seq: reject.seq + base })),
    lastSeq: batch.lastSeq + base,
  }
}

export const covers = (ranges: Ranges, seq: number): boolean => {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = ranges[middle]!
    if (seq < first) high = middle - 1
    else if (seq > last) low = middle + 1
    else return true
  }
  return false
}

/** Both together, joined where they touch. */
export function joinRanges(a: Ranges, b: Ranges): Ranges {
  const joined: [number, number][] = []
  for (const [first, last] of [...a, ...b].sort((x, y) => x[0] - y[0])) {
    const open = joined.at(-1)
    if (open && first <= open[1] + 1) open[1] = Math.max(open[1], last)
    else joined.push([first, last])
  }
  return joined
}

/** The rows not covered yet. */
export const uncovered = (columns: Columns, rows: Int32Array, ranges: Ranges): Int32Array => {
  const seq = columnOf(columns, '_seq', 'int').values
  return ranges.length === 0 ? rows : rows.filter((row) => !covers(ranges, seq[row]!))
}

/** What --strict says of the first line that cannot be read. */
export const unreadable = (place: string, { line, column, reason }: Reject) =>
  new Problem(`${place}:${line}: ${column}: ${reason}`, 'Correct the line, or leave out --strict to put such lines into the rejects file and go on.')
