/** `training-set`: features behind labels, as they were at each label's time. */
import { answersOf, type Answers } from '../training/answers.ts'
import type { AskedSet } from '../training/asked.ts'
import type { Block } from '../training/block.ts'
import { typedLabels, csvLabels } from '../training/csv-labels.ts'
import { labelsIn, type Labels } from '../training/labels.ts'
import { makeTrainingSet } from '../training/make.ts'
import type { Cut, FeatureWord, FileMark, Manifest, TrainingOptions } from './training-manifest.ts'
import { checkTime } from '../training/moments.ts'
import { outputColumns } from '../training/output-columns.ts'
import { answersOfWarehouse, asOfOf } from '../training/statement.ts'
import type { ColumnFile } from '../utilities/column-file.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { SourceFile } from '../utilities/source.ts'
import { labelColumns } from '../utilities/sql/as-of.ts'
import type { SqlColumn, Warehouse } from '../utilities/warehouse.ts'
import { askedFeatures, type AskedFeatures, type RowsThere } from './asked-features.ts'
import { unlessAborted } from './row-files.ts'

/** A file of labels: texts, or columns that have types of their own. */
type LabelFile = ({ readonly csv: SourceFile } | { readonly parquet: ColumnFile }) & { readonly mark: FileMark }

export type TrainingSetAsked = {
  readonly labels: LabelFile
  readonly features: readonly FeatureWord[]
  readonly options: TrainingOptions
  /** In microseconds. */
  readonly maxAge: number
  /** Writes the file; it is put in place, and marked, once `fill` is done. */
  readonly makeFile: (columns: readonly SqlColumn[], fill: (append: (rows: Columns) => Promise<void>) => Promise<void>) => Promise<FileMark>
  /** For tests of what a warehouse answers. */
  readonly ask?: (set: AskedSet, block: Block) => Promise<Answers>
  /** For tests: how many are asked about at once. */
  readonly labelsPerBlock?: number
  readonly signal: AbortSignal
  readonly report: (rows: number) => void
}

/** undefined when it was told to stop: nothing is written then. */
export async function trainingSet(there: RowsThere, asked: TrainingSetAsked): Promise<Manifest | undefined> {
  const { options, signal } = asked
  const { sets, columns } = await askedFeatures(asked.features, there, options.asServed)
  return unlessAborted(signal, made(sets, columns, there, asked))
}

async function made(
  sets: AskedFeatures['sets'],
  wanted: AskedFeatures['columns'],
  { asOf }: RowsThere,
  asked: TrainingSetAsked,
): Promise<Manifest> {
  const { labels: file, options, maxAge, signal, report } = asked
  const labels = 'csv' in file ? await csvLabels(file.csv) : labelsIn(file.parquet)
  checkTime(labels, options)
  checkKeys(labels, sets)
  const { shown, columns } = await shownColumns(file, labels, sets, wanted, options, signal)
  const rowsRead = sets.map(({ versions }) => new Map(versions.map(({ version }) => [version, 0])))
  const counted = sets.map((set, i) => countingRows(set, rowsRead[i]!))
  const blocks = asked.labelsPerBlock === undefined ? {} : { labelsPerBlock: asked.labelsPerBlock }
  const how = { rule: options, maxAge, signal, report }
  const answer =
    asked.ask ?? ((set: AskedSet, block: Block) => (asOf ? answersOfWarehouse(asOf, set, block, how) : answersOf(set, block, how)))
  let counts: Awaited<ReturnType<typeof makeTrainingSet>> | undefined
  const all = [...shown.columns, ...columns].map(({ name, type }): SqlColumn => ({ name, type }))
  const mark = await asked.makeFile(all, async (append) => {
    counts = await makeTrainingSet({ ...options, labels, shown, sets: counted, columns, answer, append, signal, ...blocks })
  })
  const { outcomes, nulls, labels: rows } = counts!
  return {
    tidemark: 'training set',
    manifest: 1,
    labels: { ...file.mark, rows },
    options,
    features: wanted.map(({ set, feature }, i) => {
      const { set: name, version, features } = sets[set]!
      const { spec, fingerprint } = features.find((one) => one.name === feature)!
      return { set: name, version, feature, column: columns[i]!.name, fingerprint, definition: spec, nulls: nulls[i]! }
    }),
    sets: sets.map(({ set, version, per, versions, promotedAt }, i) => ({
      set,
      version,
      key: per.map(({ name }) => name),
      promotions: promotedAt,
      cut: versions.map((one): Cut => ({
        version: one.version,
        definition: one.definition,
        rows: asOf ? null : rowsRead[i]!.get(one.version)!,
        lastSeq: one.lastSeq,
      })),
      labels: outcomes[i]!,
    })),
    out: { ...mark, columns: all.map(({ name }) => name) },
  }
}

/** Labels of a CSV are texts in a CSV; in Parquet they are what they plainly hold, but for keys that are texts. */
async function shownColumns(
  file: LabelFile,
  labels: Labels,
  sets: AskedFeatures['sets'],
  wanted: AskedFeatures['columns'],
  options: TrainingOptions,
  signal: AbortSignal,
) {
  const columns = outputColumns(labels, sets, wanted, options.with)
  const texts = sets.flatMap(({ per }) => per.filter(({ field }) => field.kind === 'text').map(({ name }) => name))
  const shown = 'csv' in file && options.format === 'parquet' ? await typedLabels(file.csv, labels, texts, signal) : labels
  return { shown, columns }
}

function checkKeys({ place, columns }: Labels, sets: readonly AskedSet[]): void {
  for (const { set, version, per } of sets) {
    const lacking = per.find(({ name }) => !columns.some((column) => column.name === name))
    if (!lacking) continue
    const names = columns.map(({ name }) => name).join(', ')
    const todo = `Name the column of the labels as the set does; theirs are ${names}.`
    throw new Problem(`${place} has no column ${lacking.name}, the key of ${set}@${version}`, todo)
  }
}

/** Counts the rows of each version the first time they are read; they must be as many when they are read again. */
function countingRows(set: AskedSet, counts: Map<number, number>): AskedSet {
  const versions = set.versions.map((one) => {
    let times = 0
    return {
      ...one,
      rows: async function* (names: readonly string[]) {
        let count = 0
        for await (const rows of one.rows(names)) {
          count += rows.count
          yield rows
        }
        const before = counts.get(one.version)!
        if (times++ > 0 && count !== before)
          throw new Problem(
            `rows of ${set.set}@${one.version} were added or removed meanwhile, before its last one`,
            'Make the training set again.',
          )
        counts.set(one.version, count)
      },
    }
  })
  return { ...set, versions }
}

export type Statement = { readonly set: string; readonly version: number; readonly labels: readonly SqlColumn[]; readonly sql: string }

/** What finds the rows, for whoever runs it himself: a statement for each version, of labels in a table of that name. */
export async function trainingStatements(
  there: RowsThere & { readonly asOfStatement: Warehouse['asOfStatement'] },
  features: readonly FeatureWord[],
  options: TrainingOptions,
): Promise<readonly Statement[]> {
  const { sets } = await askedFeatures(features, there, options.asServed)
  return sets.flatMap((set) =>
    set.versions.flatMap((one): Statement[] => {
      const asked = asOfOf(set, one, options)
      if (!asked) return []
      return [{ set: set.set, version: one.version, labels: labelColumns(asked.per), sql: there.asOfStatement(asked, 'labels') }]
    }),
  )
}
