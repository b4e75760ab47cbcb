/**
 * The loan story with one window per state, on several partitions: each state is a small loan file of its own, in the partition of its
 * name.
 */
import { partitionOf } from '../../utilities/values/partition.ts'
import type { Loan } from './loan-file.ts'
import { rowsOf, shownRows, storyOf, type Meaning, type Row } from './loan-story.ts'

const stateCell = 6

/** A version with the year after which it was applied, for the years it owns; `ma100` has the year after which it started empty. */
export type KeyedOwner = {
  readonly version: number
  readonly afterYear: number
  readonly untilYear: number
  readonly ma50: { readonly mean: number } | { readonly span: number }
  readonly ma100?: { readonly mean: number; readonly fromYear: number }
}

export const keyOf = ({ cells }: Loan): string => (cells[stateCell] ?? '') as string

/** The rows that a version should have, by _seq. */
export function keyedRows(loans: readonly Loan[], partitions: number, { version, afterYear, untilYear, ma50, ma100 }: KeyedOwner): Row[] {
  const byPartition = Map.groupBy(loans, (loan) => partitionOf(keyOf(loan), partitions))
  return [...byPartition.values()]
    .flatMap((mine) => {
      // A partition switched behind the last record that it had by then.
      const lastOf = (year: number) => (year === Infinity ? Infinity : (mine.findLast((loan) => loan.year <= year)?.seq ?? 0))
      const meaning: Meaning = 'span' in ma50 ? ma50 : { mean: ma50.mean, from: 0 }
      const owner = {
        version,
        after: lastOf(afterYear),
        until: lastOf(untilYear),
        ma50: meaning,
        ...(ma100 && { ma100: { mean: ma100.mean, from: lastOf(ma100.fromYear) } }),
      }
      return [...Map.groupBy(mine, keyOf).values()].flatMap((own) => rowsOf(own, owner))
    })
    .sort((a, b) => (a.at(-1) as number) - (b.at(-1) as number))
}

/** The last record of each partition before v1, and before v2. */
export type Switches = { readonly first: readonly number[]; readonly second: readonly number[] }

/**
 * The story of three versions with switches that differ by partition: the rows of each version, and those that the view over them shows.
 */
export function keyedStory(loans: readonly Loan[], partitionOf: (key: string) => number, { first, second }: Switches) {
  const stories = [...Map.groupBy(loans, keyOf)].map(([key, own]) => ({
    own,
    owners: storyOf(first[partitionOf(key)]!, second[partitionOf(key)]!),
  }))
  const bySeq = (rows: readonly Row[]) => rows.toSorted((a, b) => (a.at(-1) as number) - (b.at(-1) as number))
  return {
    versions: [0, 1, 2].map((version) => bySeq(stories.flatMap(({ own, owners }) => rowsOf(own, owners[version]!)))),
    shown: bySeq(stories.flatMap(({ own, owners }) => shownRows(own, owners))),
  }
}
