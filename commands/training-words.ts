/** What `training-set` is told, read from its options or from the manifest of an earlier one. */
import { readFileSync } from 'node:fs'
import type { FeatureWord, Manifest, TrainingOptions } from '../use-cases/training-manifest.ts'
type Beside = TrainingOptions['with'][number]
import type { Options } from './command.ts'
import { formatOf } from './one-file.ts'
import { usage } from './words.ts'

export type TrainingWords = {
  readonly labels: string
  readonly features: readonly FeatureWord[]
  readonly options: TrainingOptions
  /** Where it is made again: what it must be. */
  readonly from?: Manifest
}

export function trainingWords(given: Options): TrainingWords {
  return typeof given['from'] === 'string' ? fromManifest(given['from'], given) : fromOptions(given)
}

/** Of a statement that is only shown. */
export const statementWords = (given: Options) => ({ features: featuresOf(given), rule: { ...plain, ...ruleOf(given) } })

const plain: TrainingOptions = {
  time: '',
  known: false,
  asServed: false,
  before: false,
  utc: false,
  maxAge: null,
  with: [],
  format: 'csv',
  rows: {},
}

const ruleOf = (given: Options) => ({
  known: given['known'] === true,
  asServed: given['asServed'] === true,
  before: given['before'] === true,
})

function text(given: Options, name: string, todo: string): string {
  const value = given[name]
  if (typeof value !== 'string' || value === '') throw usage(`--${name} is missing`, todo)
  return value
}

const featuresOf = (given: Options): readonly FeatureWord[] =>
  text(given, 'features', 'Name some, e.g. --features loan_risk@2:ma50,loan_risk@2:ma100.').split(',').map(featureWord)

function fromOptions(given: Options): TrainingWords {
  const labels = text(given, 'labels', 'Name the file of labels, CSV or Parquet: --labels labels.csv.')
  const time = text(given, 'time', 'Name the column that says as of when, e.g. --time decided_at.')
  const features = featuresOf(given)
  const maxAge = (given['maxAge'] as string | undefined) ?? null
  if (maxAge !== null) maxAgeMicros(maxAge)
  const options: TrainingOptions = {
    time,
    ...ruleOf(given),
    utc: given['utc'] === true,
    maxAge,
    with: besideOf(given['with']),
    format: formatOf(text(given, 'out', 'Name the file to make, e.g. --out training.parquet.')),
    rows: rowsOf(given['rows'], features),
  }
  if (options.asServed && Object.keys(options.rows).length > 0)
    throw usage('--as-served asks what was promoted when, which exported rows do not say', 'Leave out --rows, or --as-served.')
  return { labels, features, options }
}

function featureWord(word: string): FeatureWord {
  const [, set, version, feature] = /^([a-z][a-z0-9_]*)(?:@v?(\d{1,6}))?:([a-z][a-z0-9_]*)$/.exec(word.trim()) ?? []
  if (set === undefined)
    throw usage(`--features: "${word}" is not SET@VERSION:FEATURE`, 'Write e.g. loan_risk@2:ma50, several divided by commas.')
  return { set, feature: feature!, ...(version !== undefined && { version: Number(version) }) }
}

function besideOf(given: Options[string]): readonly Beside[] {
  if (given === undefined) return []
  const words = String(given).split(',')
  const unknown = words.find((word) => word !== 'version' && word !== 'age')
  if (unknown !== undefined) throw usage(`--with ${unknown} is not known`, 'Use version, age, or version,age.')
  return (['version', 'age'] as const).filter((word) => words.includes(word))
}

/** DIR where one version is asked for, or SET@N=DIR, several divided by commas. */
function rowsOf(given: Options[string], features: readonly FeatureWord[]): Readonly<Record<string, string>> {
  if (given === undefined) return {}
  const versionless = features.find(({ version }) => version === undefined)
  if (versionless)
    throw usage(
      `--rows: ${versionless.set}:${versionless.feature} names no version`,
      'Exported rows are of one version: write SET@N:FEATURE.',
    )
  const names = [...new Set(features.map(({ set, version }) => `${set}@${version}`))]
  const words = String(given).split(',')
  if (words.length === 1 && names.length === 1 && !words[0]!.includes('=')) return { [names[0]!]: words[0]! }
  return Object.fromEntries(
    words.map((word) => {
      const [, name, folder] = /^([a-z][a-z0-9_]*@\d+)=(.+)$/.exec(word) ?? []
      if (name === undefined || !names.includes(name))
        throw usage(
          `--rows ${word} is not SET@N=DIR of a version that is asked for`,
          `Write e.g. --rows ${names.map((one) => `${one}=DIR`).join(',')}.`,
        )
      return [name, folder!]
    }),
  )
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }

export function maxAgeMicros(text: string | null): number {
  if (text === null) return Infinity
  const [, number, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  if (number === undefined) throw usage(`--max-age ${text} is no length of time`, 'Write e.g. 90d, 12h or 30m.')
  return Number(number) * units[unit!]! * 1_000_000
}

function fromManifest(path: string, given: Options): TrainingWords {
  const other = ['time', 'features', 'known', 'asServed', 'before', 'utc', 'maxAge', 'with', 'sql'].find(
    (name) => given[name] !== undefined,
  )
  if (other !== undefined)
    throw usage(
      '--from says already what the training set is',
      'Give no more than --out beside it, and --labels and --rows where they were moved.',
    )
  let from: Manifest
  try {
    from = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  } catch (cause) {
    throw usage(
      `${path} cannot be read as a manifest (${(cause as Error).message.replace(/\s+/g, ' ')})`,
      'Name the .manifest.json beside a training set.',
    )
  }
  if (from.tidemark !== 'training set' || from.manifest !== 1)
    throw usage(`${path} is no manifest of a training set`, 'Name the .manifest.json beside one.')
  const { out, labels, rows } = given
  if (typeof out !== 'string') throw usage('--out is missing', `Name the file to make, e.g. --out again.${from.options.format}.`)
  if (formatOf(out) !== from.options.format)
    throw usage(`--out ${out} is not what it was`, `It was ${from.options.format}: name a file .${from.options.format}.`)
  const features = from.features.map(({ set, version, feature }) => ({ set, version, feature }))
  return {
    labels: typeof labels === 'string' ? labels : from.labels.file,
    features,
    options: rows === undefined ? from.options : { ...from.options, rows: rowsOf(rows, features) },
    from,
  }
}
