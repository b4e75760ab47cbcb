/** `init`: the files that a new store of somebody's own records begins with. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shopSources } from '../examples/invoices/generate.ts'
import { guessRecord, type GuessedField, type GuessedRecord } from '../schemas/csv/guess-record.ts'
import { likeDeadLetters } from '../feature-defs/applicable.ts'
import { sqlWords } from '../schemas/sql-words.ts'
import type { Source } from '../utilities/source.ts'
import { count } from '../utilities/values/digits.ts'
import { Problem } from '../utilities/values/problem.ts'

const configFile = 'tidemark.json'
const definitionsFile = 'definitions.ts'
const editorFile = 'tsconfig.json'

export type Begun = {
  readonly files: readonly string[]
  readonly record: string
  readonly set: string
  /** undefined where the record is the example's. */
  readonly guessed: GuessedRecord | undefined
  /** The commands that come next. */
  readonly next: readonly string[]
}

/** `file` as the config is to have it. */
type From = { readonly source: Source; readonly file: string; readonly signal: AbortSignal; readonly report: (rows: number) => void }
export type Example = 'loans' | 'invoices'

type Beginning = Omit<Begun, 'files'> & { readonly definitions: string; readonly sources?: object }

export async function beginWith(folder: string, from: From | Example): Promise<Begun> {
  refuseThere(folder, [configFile, definitionsFile, editorFile])
  const { definitions, sources, ...about } = typeof from === 'string' ? examples[from]() : await guessed(from)
  const texts = new Map([
    [configFile, configText(sources)],
    [definitionsFile, definitions],
    [editorFile, editorText()],
  ])
  for (const [name, text] of texts) writeFileSync(join(folder, name), text, { flag: 'wx' })
  return { files: [...texts.keys()], ...about }
}

/** Before a large file is read for it. */
function refuseThere(folder: string, names: readonly string[]): void {
  const there = names.filter((name) => existsSync(join(folder, name)))
  if (there.length === 0) return
  throw new Problem(
    `${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there already`,
    'Begin in a folder of its own, or move what is there away.',
  )
}

async function guessed(from: From): Promise<Beginning> {
  const guessed = await guessRecord(from.source, from)
  const record = recordName(from.file)
  const set = `${record}_features`
  const sources = { [record]: { file: from.file, ...guessed.form } }
  return { record, set, guessed, definitions: definitionsText(record, set, guessed), sources, next: producing(set) }
}

const producing = (set: string): readonly string[] => [
  `apply ${set}@0 --yes`,
  'produce',
  'up --until-caught-up',
  `query "SELECT * FROM ${set} ORDER BY _seq DESC LIMIT 5"`,
]

const examples: { readonly [example in Example]: () => Beginning } = {
  loans: () => ({
    record: 'rejected_loan',
    set: 'loans',
    guessed: undefined,
    definitions: loansText,
    next: ['generate --years 2007-2012 --rows 100000 --out data/rejected.csv.gz', ...producing('loans')],
  }),
  invoices: () => ({
    record: 'sale_line',
    set: 'account_invoices',
    guessed: undefined,
    definitions: shopText(),
    sources: shopSources('shop'),
    next: [
      'generate --example invoices --out shop',
      'apply account_invoices@0 --yes',
      'load',
      'up --until-caught-up',
      'query "SELECT account_id, business, owing, overdue FROM account_invoices_latest ORDER BY owing DESC LIMIT 5"',
    ],
  }),
}

const recordName = (file: string): string => {
  const plain = basename(file)
    .replace(/[.*?].*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 40)
  const begun = /^[a-z]/.test(plain) ? plain : `rows${plain === '' ? '' : `_${plain}`}`
  return sqlWords.has(begun) || likeDeadLetters.test(begun) || /(_v\d+|_rows)$|^(inflow|outflow|dead_letter|tidemark|sqlite)/.test(begun)
    ? `${begun}_file`
    : begun
}

/** A list on one line. */
const inLines = (sources: object) =>
  JSON.stringify(sources, null, 2)
    .replace(/\[[^\]]*\]/g, (list) => list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'))
    .replaceAll('\n', '\n  ')

const configText = (sources: object | undefined): string =>
  `{
  // Everything in one folder, no server. See docs/configuration.md for Kafka, Glue, Redshift.
  "dataDir": ".tidemark",
  "features": "${definitionsFile}"${sources ? `,\n  "sources": ${inLines(sources)}` : ''}
}
`

/** What definitions import the language from. */
const ours = `'tidemark'`

const loansText = `// The loans that come with Tidemark: tidemark generate --out data/rejected.csv.gz makes a file of them.
import { featureSet, mean, rejectedLoan } from ${ours}

export const v0 = featureSet({ name: 'loans', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
`

/** The example's own definitions, importing the language as users do. */
function shopText(): string {
  const definitions = new URL('../examples/invoices/definitions.ts', import.meta.url)
  return readFileSync(definitions, 'utf8').replaceAll(/'[./]*feature-defs\/language\.ts'/g, ours)
}

function definitionsText(record: string, set: string, { fields, at, rows }: GuessedRecord): string {
  const amount =
    fields.find(({ guess }) => guess.kind === 'decimal') ?? fields.find(({ guess }) => guess.kind === 'number' || guess.kind === 'integer')
  const features = [
    `  rows_30d: count('${at}', { days: 30 }),`,
    ...(amount ? [`  ${`mean_${amount.name}`.slice(0, 60)}: mean('${amount.name}', { last: 50, round: 2 }),`] : []),
  ]
  const kinds = [...new Set(fields.map(({ guess }) => guess.kind))]
  const words = [...kinds, 'count', ...(amount ? ['mean'] : []), 'featureSet', 'record'].sort()
  return [
    `// Guessed from ${count(rows)} rows. Correct what is wrong before you apply it: what is released is never edited.`,
    `import { ${words.join(', ')} } from ${ours}`,
    '',
    `export const ${camel(record)} = record('${record}', '${at}', {`,
    ...fields.map((field) => `  ${field.name}: ${fieldText(field, at)},${doubtText(field)}`),
    '})',
    '',
    `// A version is never edited: the next one is made with v0.add({ … }) or v0.replace({ … }).`,
    `// With a key, say per: 'FIELD', each of its values has features of its own.`,
    `export const v0 = featureSet({ name: '${set}', of: ${camel(record)} }, {`,
    ...features,
    '})',
    '',
  ].join('\n')
}

/** As the formatters of most projects would have it. */
const quoted = (text: string) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

/** A word of JavaScript's own is none for a constant. */
const camel = (name: string) => `${name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Record`

function fieldText({ name, column, guess }: GuessedField, at: string): string {
  const options = [
    ...(guess.digits === undefined ? [] : [`digits: ${guess.digits}`, `scale: ${guess.scale}`]),
    ...(guess.bytes === undefined ? [] : [`bytes: ${guess.bytes}`]),
    ...(column === name ? [] : [`from: ${quoted(column)}`]),
    ...(name === at ? ['nullable: false'] : []),
  ]
  return `${guess.kind}(${options.length > 0 ? `{ ${options.join(', ')} }` : ''})`
}

const doubtText = ({ guess: { doubts, nulls } }: GuessedField): string => {
  const said = [...doubts.filter((doubt) => !doubt.startsWith('only ')), ...(nulls > 0 ? [`${nulls} empty`] : [])]
  return said.length > 0 ? ` // ${said.join('; ')}` : ''
}

/** Where editors and the compiler find what \`tidemark\` is, also where it is not installed in the folder. */
function editorText(): string {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  const source = here('../definitions.ts')
  const types = existsSync(source) ? source : here('../definitions.d.ts')
  const options = {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [here(existsSync(source) ? '../node_modules/@types' : '../../node_modules/@types')],
    paths: { tidemark: [types] },
  }
  // What the sources say of Node beyond its own types.
  const more = existsSync(source) ? [here('../utilities/values/buffer-slices.d.ts')] : []
  return `${JSON.stringify({ compilerOptions: options, include: ['*.ts', ...more] }, null, 2)}\n`
}
