/**
 * Makes a training set: the labels are read twice side by side, first for their moments and keys, a block of them at a time, and then
 * with all of their columns, behind which the answers are put. Neither labels nor rows are ever in memory as a whole.
 */
import type { Columns } from '../utilities/values/columns.ts'
import { pick } from '../utilities/values/columns.ts'
import { isNullAt } from '../utilities/values/nulls.ts'
import { outcomes, type Answers, type Outcome } from './answers.ts'
import type { AskedSet } from './asked.ts'
import { blocksOf, type Block } from './block.ts'
import type { Labels } from './labels.ts'
import type { MomentOptions } from './moments.ts'
import type { OutputColumn } from './output-columns.ts'

export type Making = MomentOptions & {
  /** The labels as they are asked with, and as they are put out: in the same order. */
  readonly labels: Labels
  readonly shown: Labels
  readonly sets: readonly AskedSet[]
  readonly columns: readonly OutputColumn[]
  readonly answer: (set: AskedSet, block: Block) => Promise<Answers>
  readonly append: (rows: Columns) => Promise<void>
  readonly labelsPerBlock?: number
  readonly signal: AbortSignal
}

export type TrainingSetCounts = {
  readonly labels: number
  /** Of each set that was asked for. */
  readonly outcomes: readonly Readonly<Record<Outcome, number>>[]
  /** Of each column. */
  readonly nulls: readonly number[]
}

/** What labels may take at once, and how many are worth a pass through the rows in any case. */
const [mostBytes, leastLabels, mostLabels] = [256 << 20, 100_000, 2_000_000]
/** Its moment, its keys, and its best row's time and number. */
const bytesOfLabel = 48

/** More of them would take fewer passes, and more memory. Texts are taken to be half as long as they may be. */
function labelsAtOnce(sets: readonly AskedSet[]): number {
  const features = sets.flatMap((set) =>
    set.features.map(({ type }) => (type.kind === 'text' ? 8 + type.bytes / 2 : 8) * set.versions.length),
  )
  return Math.min(mostLabels, Math.max(leastLabels, Math.floor(mostBytes / (bytesOfLabel + features.reduce((sum, one) => sum + one, 0)))))
}

export async function makeTrainingSet(making: Making): Promise<TrainingSetCounts> {
  const { labels, shown, sets, columns, answer, append, signal, labelsPerBlock = labelsAtOnce(sets) } = making
  const counts = sets.map(() => Object.fromEntries(outcomes.map((one) => [one, 0])) as Record<Outcome, number>)
  const nulls = columns.map(() => 0)
  const parts = partsOf(shown, signal)
  let count = 0
  for await (const block of blocksOf(
    labels,
    sets.map(({ per }) => per),
    { ...making, most: labelsPerBlock },
  )) {
    const answers: Answers[] = []
    for (const [i, set] of sets.entries()) {
      answers.push(await answer(set, block))
      for (const one of outcomes) counts[i]![one] += answers[i]!.counts[one]
    }
    for (let from = 0; from < block.count;) {
      const rows = await parts.next(block.count - from)
      const end = from + rows.count
      const added = columns.map((column) => [column.name, column.of(answers[column.set]!, from, end)] as const)
      for (const [i, [, column]] of added.entries()) {
        const isNull = isNullAt(column)
        for (let row = 0; row < rows.count; row++) if (isNull(row)) nulls[i]!++
      }
      await append({ count: rows.count, byName: new Map([...rows.byName, ...added]) })
      from = end
    }
    count += block.count
  }
  await parts.close()
  return { labels: count, outcomes: counts, nulls }
}

/** The labels with all of their columns, in parts of no more rows than are asked for. */
function partsOf(labels: Labels, signal: AbortSignal) {
  const parts = labels
    .read(
      labels.columns.map(({ name }) => name),
      signal,
    )
    [Symbol.asyncIterator]()
  let rows: Columns | undefined
  let at = 0
  return {
    async next(most: number): Promise<Columns> {
      while (!rows || at === rows.count) {
        const { done, value } = await parts.next()
        if (done) throw new Error(`${labels.place} has become shorter while it was read`)
        rows = value.rows
        at = 0
      }
      const end = Math.min(rows.count, at + most)
      const part =
        end - at === rows.count
          ? rows
          : pick(
              rows,
              Int32Array.from({ length: end - at }, (_, i) => at + i),
            )
      at = end
      return part
    },
    async close() {
      await parts.return?.(undefined)
    },
  }
}
