/** `training-set`: features behind labels, as they were at each label's time, with a manifest from which the same can be made again. */
import { writeFile } from 'node:fs/promises'
import { definitionsOf } from '../config/definitions.ts'
import { wireColumns, wireLabels } from '../config/files.ts'
import { wireReader } from '../config/wire.ts'
import type { Manifest } from '../use-cases/training-manifest.ts'
import { checkLabels, checkSame, cutsOf, promotionsThen } from '../use-cases/made-again.ts'
import { rowsInFolders, rowsInWarehouse } from '../use-cases/rows-there.ts'
import { trainingSet, trainingStatements } from '../use-cases/training-set.ts'
import { promotionsOfSet } from '../use-cases/promotions-of-set.ts'
import type { CommandBody, Context } from './command.ts'
import { checkFree, oneFile } from './one-file.ts'
import { withPortsToRead } from './stage.ts'
import { trainingText } from './training-text.ts'
import { maxAgeMicros, statementWords, trainingWords, type TrainingWords } from './training-words.ts'

export const run: CommandBody = async (context) => {
  if (context.options['sql'] === true) return printStatements(context)
  const words = trainingWords(context.options)
  const out = context.options['out'] as string
  checkFree(out)
  checkFree(manifestPath(out))
  const labels = await wireLabels(words.labels, context.signal)
  if (words.from) checkLabels(words.from, labels.mark)
  return withRows(context, words, async (there) => {
    const { console, signal } = context
    const progress = console.progress('training set')
    const made = await trainingSet(there, {
      labels,
      features: words.features,
      options: words.options,
      maxAge: maxAgeMicros(words.options.maxAge),
      makeFile: (columns, fill) => oneFile(out, columns, fill, signal),
      signal,
      report: progress,
    })
    if (!made) {
      console.result('interrupted: nothing was written', { out, interrupted: true })
      return 1
    }
    await writeFile(manifestPath(out), `${JSON.stringify(made, null, 2)}\n`, { flag: 'wx' })
    if (words.from) checkSame(words.from, made)
    console.result(trainingText(made, manifestPath(out), words.from !== undefined), { ...made, manifestFile: manifestPath(out) })
    return 0
  })
}

/** For whoever runs them himself; a comment says what the labels are. */
async function printStatements(context: Context): Promise<number> {
  const { console, config, options } = context
  const { features, rule } = statementWords(options)
  const print = async (there: Statements) => {
    const all = await trainingStatements(there, features, rule)
    const text = all.map(({ set, version, labels, sql }) => {
      const columns = labels.map(({ name }) => name).join(', ')
      const what = 'a number for each label, its key, its time in microseconds since 1970'
      return `-- ${set}@${version}, for a table labels (${columns}): ${what}\n${sql};`
    })
    console.result(
      text.join('\n\n'),
      all.map(({ labels, ...one }) => ({ ...one, labels: labels.map(({ name }) => name) })),
    )
    return 0
  }
  if (rule.asServed)
    return withPortsToRead({ config, console }, async (ports) => print(await rowsInWarehouse(ports.warehouse, promotionsOfSet(ports))))
  const warehouse = await wireReader(config)
  try {
    return await print(await rowsInWarehouse(warehouse, async () => []))
  } finally {
    await warehouse.close()
  }
}

type Statements = Parameters<typeof trainingStatements>[0]

const manifestPath = (out: string) => `${out}.manifest.json`

type There = Parameters<typeof trainingSet>[0]

/** Journals, which say what was promoted when, are asked only where that makes a difference. */
async function withRows(
  { config, console }: Context,
  { options, from }: TrainingWords,
  work: (there: There) => Promise<number>,
): Promise<number> {
  const cuts = from && cutsOf(from)
  const folders = Object.entries(options.rows)
  if (folders.length > 0) {
    const files = await Promise.all(folders.map(async ([name, folder]) => [name, { folder, files: await wireColumns(folder) }] as const))
    return work(rowsInFolders(new Map(files), [...(await definitionsOf(config)).values()].flat(), cuts))
  }
  if (options.asServed && !from)
    return withPortsToRead({ config, console }, async (ports) => work(await rowsInWarehouse(ports.warehouse, promotionsOfSet(ports), cuts)))
  const warehouse = await wireReader(config)
  try {
    const then = async (set: string) => promotionsThen(from as Manifest, set)
    return await work(await rowsInWarehouse(warehouse, then, cuts))
  } finally {
    await warehouse.close()
  }
}
