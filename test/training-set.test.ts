/** Training sets against a look at every row for each label: sets over records and over facts, by chance. */
import { describe, expect, it } from 'vitest'
import type { Definition } from '../feature-defs/feature-set.ts'
import type { TrainingOptions } from '../use-cases/training-manifest.ts'
import { rowsInWarehouse } from '../use-cases/rows-there.ts'
import { trainingSet } from '../use-cases/training-set.ts'
import { memoryDatabase, openMemoryWarehouse } from '../utilities/memory/warehouse.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { isoText } from '../utilities/values/timestamp.ts'
import type { VersionRecord, Warehouse } from '../utilities/warehouse.ts'
import { layoutOf } from '../versions/layout.ts'
import { isLong, seed } from './seeded.ts'
import { answerFor, chanceFor, columnsOfRows, featureNames, sets, timeOf, type ModelLabel, type ModelRow, type ModelRule } from './training-model.ts'

const runs = isLong ? 400 : 60

async function filled(versions: readonly Definition[], rows: readonly ModelRow[]): Promise<Warehouse> {
  const warehouse = openMemoryWarehouse(memoryDatabase())
  const records = versions.map(
    (definition): VersionRecord => ({
      set: definition.set,
      version: definition.version,
      state: definition.version === 1 ? 'promoted' : 'superseded',
      mode: 'first',
      schemaId: '',
      definition: JSON.stringify(definition),
      switches: [],
      promotion: definition.version + 1,
      acts: [],
    }),
  )
  await warehouse.arrange(layoutOf(versions, records), records)
  for (const definition of versions) {
    const own = rows.filter(({ version }) => version === definition.version).toSorted((a, b) => a.seq - b.seq)
    if (own.length > 0) await warehouse.write(definition.set, columnsOfRows(definition, own, definition.version))
  }
  return warehouse
}

const cell = (text: string | number | null) => (text === null ? '' : /[",\n]/.test(String(text)) ? `"${String(text).replaceAll('"', '""')}"` : String(text))

export const labelsText = (labels: readonly ModelLabel[]) =>
  ['id,account,item,when', ...labels.map(({ account, item, time }, id) => [id, account, item, isoText(time)].map(cell).join(','))].join('\n')

type Row = { readonly [column: string]: string | null }

const plainOptions: TrainingOptions = { time: 'when', known: false, asServed: false, before: false, utc: false, maxAge: null, with: ['version', 'age'], format: 'csv', rows: {} }

async function made(warehouse: Warehouse, definition: Definition, features: readonly string[], text: string, rule?: ModelRule) {
  const promotions = rule?.promotions.map(({ version, from }) => ({ version, at: isoText(from) })) ?? []
  const found: Row[] = []
  const manifest = await trainingSet(await rowsInWarehouse(warehouse, async () => promotions), {
    labels: { csv: { place: 'labels.csv', form: {}, read: () => bytesOf(text) }, mark: { file: 'labels.csv', bytes: text.length, sha256: '' } },
    features: features.map((feature) => ({ set: definition.set, version: definition.version, feature })),
    options: { ...plainOptions, ...(rule && { known: rule.known, asServed: rule.asServed, before: rule.before }) },
    maxAge: rule?.maxAge ?? Infinity,
    async makeFile(columns, fill) {
      await fill(async ({ count, byName }) => {
        const texts = columns.map(({ name }) => [name, textsOf(byName.get(name)!)] as const)
        for (let row = 0; row < count; row++) found.push(Object.fromEntries(texts.map(([name, textAt]) => [name, textAt(row)])))
      })
      return { file: 'out.csv', bytes: 0, sha256: '' }
    },
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

describe.each(sets.map((versions) => [versions[0].set, versions] as const))('a training set of %s', (_, versions) => {
  it.each(Array.from({ length: runs }, (_, i) => seed + i))('has for each label what a look at all rows finds (seed %i)', async (one) => {
    const { rows, labels, rule, random } = chanceFor(one, versions)
    const definition = versions[random() < 0.5 ? 0 : 1]
    const features = featureNames(definition.version)
    const warehouse = await filled(versions, rows)
    const { rows: found, manifest } = await made(warehouse, definition, features, labelsText(labels), rule)
    const answers = labels.map((label) => answerFor(definition, rows, label, rule))
    const expected = labels.map(({ account, item, time }, id) => {
      const { row, age } = answers[id]!
      const values: Row = { one: named(row?.one ?? null), two: named(row?.two ?? null), name: row?.name ?? null, exact: exactText(row?.exact ?? null) }
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
    expect(found).toEqual(expected)
    const counts = Object.fromEntries(Object.entries(Object.groupBy(answers, ({ outcome }) => outcome)).map(([outcome, some]) => [outcome, some!.length]))
    expect(manifest.sets[0]!.labels).toEqual({ found: 0, noSuchKey: 0, beforeFirstLoad: 0, beforeFirstRow: 0, tooOld: 0, beforePromotion: 0, ...counts })
    await warehouse.close()
  })

  it('is the same whatever becomes of the future', async () => {
    for (let one = seed; one < seed + runs / 4; one++) {
      const { rows, labels, rule, random } = chanceFor(one, versions)
      const latest = Math.max(...labels.map(({ time }) => time), 0)
      const cutoff = labels.toSorted((a, b) => a.time - b.time)[Math.floor(labels.length / 2)]?.time ?? latest
      const early = labels.filter(({ time }) => time <= cutoff)
      const isFuture = (row: ModelRow) => timeOf(versions[0], rows, row) > BigInt(cutoff) * 1000n
      // Other values, other keys, other rows: none of it can be seen from before.
      const others = rows.map((row): ModelRow => {
        if (!isFuture(row)) return row
        const other = rows.filter(isFuture)[Math.floor(random() * rows.filter(isFuture).length)]!
        return { ...row, one: other.one === null ? 7 : null, name: 'another', exact: other.exact }
      })
      // Of a key all or nothing: what is left of it would not rest on what is gone any more.
      const left = new Map(rows.map(({ account }) => [account ?? '', random() < 0.5]))
      const fewer = rows.filter((row) => !isFuture(row) || left.get(row.account ?? '')!)
      const [first, ...more] = await Promise.all(
        [rows, others, fewer].map(async (some) => (await made(await filled(versions, some), versions[1], featureNames(1), labelsText(early), rule)).rows),
      )
      for (const other of more) expect({ seed: one, rows: other }).toEqual({ seed: one, rows: first })
    }
  })
})
