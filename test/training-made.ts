/** Training sets made in memory: a warehouse with rows, labels as a CSV, and what comes out as plain rows. */
import type { Definition } from '../feature-defs/feature-set.ts'
import type { AskedSet } from '../training/asked.ts'
import type { Answers } from '../training/answers.ts'
import type { Block } from '../training/block.ts'
import { rowsInWarehouse } from '../use-cases/rows-there.ts'
import type { TrainingOptions } from '../use-cases/training-manifest.ts'
import { trainingSet } from '../use-cases/training-set.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { isoText } from '../utilities/values/timestamp.ts'
import type { VersionRecord, Warehouse } from '../utilities/warehouse.ts'
import { layoutOf } from '../versions/layout.ts'
import { columnsOfRows, type Answer, type ModelLabel, type ModelRow, type ModelRule } from './training-model.ts'

export async function filled(warehouse: Warehouse, versions: readonly Definition[], rows: readonly ModelRow[]): Promise<Warehouse> {
  const records = versions.map((definition): VersionRecord => ({
    set: definition.set,
    version: definition.version,
    state: definition.version === 1 ? 'promoted' : 'superseded',
    mode: 'first',
    schemaId: '',
    definition: JSON.stringify(definition),
    switches: [],
    promotion: definition.version + 1,
    acts: [],
  }))
  await warehouse.arrange(layoutOf(versions, records), records)
  for (const definition of versions) {
    const own = rows.filter(({ version }) => version === definition.version).toSorted((a, b) => a.seq - b.seq)
    if (own.length > 0) await warehouse.write(definition.set, columnsOfRows(definition, own, definition.version))
  }
  return warehouse
}

const cell = (text: string | number | null) =>
  text === null ? '' : /[",\n]/.test(String(text)) ? `"${String(text).replaceAll('"', '""')}"` : String(text)

export const labelsText = (labels: readonly ModelLabel[]) =>
  ['id,account,item,when', ...labels.map(({ account, item, time }, id) => [id, account, item, isoText(time)].map(cell).join(','))].join(
    '\n',
  )

export type Row = { readonly [column: string]: string | null }

const plainOptions: TrainingOptions = {
  time: 'when',
  known: false,
  asServed: false,
  before: false,
  utc: false,
  maxAge: null,
  with: ['version', 'age'],
  format: 'csv',
  rows: {},
}

type Asked = {
  readonly warehouse: Warehouse
  readonly definition: Definition
  readonly features: readonly string[]
  readonly labels: string
  readonly rule: ModelRule
  readonly ask?: (set: AskedSet, block: Block) => Promise<Answers>
  readonly labelsPerBlock?: number
}

export async function made({ warehouse, definition, features, labels: text, rule, ask, labelsPerBlock }: Asked) {
  const promotions = rule.promotions.map(({ version, from }) => ({ version, at: isoText(from) }))
  const found: Row[] = []
  const manifest = await trainingSet(await rowsInWarehouse(warehouse, async () => promotions), {
    labels: {
      csv: { place: 'labels.csv', form: {}, read: () => bytesOf(text) },
      mark: { file: 'labels.csv', bytes: text.length, sha256: '' },
    },
    features: features.map((feature) => ({ set: definition.set, version: definition.version, feature })),
    options: { ...plainOptions, known: rule.known, asServed: rule.asServed, before: rule.before },
    maxAge: rule.maxAge,
    async makeFile(columns, fill) {
      await fill(async ({ count, byName }) => {
        const texts = columns.map(({ name }) => [name, textsOf(byName.get(name)!)] as const)
        for (let row = 0; row < count; row++) found.push(Object.fromEntries(texts.map(([name, textAt]) => [name, textAt(row)])))
      })
      return { file: 'out.csv', bytes: 0, sha256: '' }
    },
    ...(ask && { ask }),
    ...(labelsPerBlock !== undefined && { labelsPerBlock }),
    signal: new AbortController().signal,
    report: () => {},
  })
  return { rows: found, manifest: manifest! }
}

async function* bytesOf(text: string) {
  yield Buffer.from(text)
}

const named = (value: number | null) => (value === null ? null : String(value))
const exactText = (value: bigint | null) => {
  if (value === null) return null
  const digits = String(value).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** The rows that a training set has by these answers. */
export const expectedRows = (
  definition: Definition,
  features: readonly string[],
  labels: readonly ModelLabel[],
  answers: readonly Answer[],
): readonly Row[] =>
  labels.map(({ account, item, time }, id) => {
    const { row, age } = answers[id]!
    const values: Row = {
      one: named(row?.one ?? null),
      two: named(row?.two ?? null),
      name: row?.name ?? null,
      exact: exactText(row?.exact ?? null),
    }
    return {
      id: String(id),
      account,
      item: named(item),
      when: isoText(time),
      ...Object.fromEntries(features.map((name) => [name, values[name]!])),
      [`${definition.set}__version`]: named(row?.version ?? null),
      [`${definition.set}__age`]: named(age),
    }
  })

export const outcomesOf = (answers: readonly Answer[]) => ({
  found: 0,
  noSuchKey: 0,
  beforeFirstLoad: 0,
  beforeFirstRow: 0,
  tooOld: 0,
  beforePromotion: 0,
  ...Object.fromEntries([...Map.groupBy(answers, ({ outcome }) => outcome)].map(([outcome, some]) => [outcome, some.length])),
})
