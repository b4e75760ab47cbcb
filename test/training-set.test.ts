/** Training sets against a look at every row for each label: sets over records and over facts, by chance. */
import { describe, expect, it } from 'vitest'
import { memoryDatabase, openMemoryWarehouse } from '../utilities/memory/warehouse.ts'
import { isLong, seed } from './seeded.ts'
import { expectedRows, filled, labelsText, made, outcomesOf } from './training-made.ts'
import { answerFor, chanceFor, featureNames, sets, timeOf, type ModelRow } from './training-model.ts'

const runs = isLong ? 400 : 60
const empty = () => openMemoryWarehouse(memoryDatabase())

describe.each(sets.map((versions) => [versions[0].set, versions] as const))('a training set of %s', (_, versions) => {
  it.each(Array.from({ length: runs }, (_, i) => seed + i))('has for each label what a look at all rows finds (seed %i)', async (one) => {
    const { rows, labels, rule, random } = chanceFor(one, versions)
    const definition = versions[random() < 0.5 ? 0 : 1]
    const features = featureNames(definition.version)
    const warehouse = await filled(empty(), versions, rows)
    const { rows: found, manifest } = await made({ warehouse, definition, features, labels: labelsText(labels), rule })
    const answers = labels.map((label) => answerFor(definition, rows, label, rule))
    expect(found).toEqual(expectedRows(definition, features, labels, answers))
    expect(manifest.sets[0]!.labels).toEqual(outcomesOf(answers))
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
      const asked = { definition: versions[1], features: featureNames(1), labels: labelsText(early), rule }
      const [first, ...more] = await Promise.all(
        [rows, others, fewer].map(async (some) => (await made({ ...asked, warehouse: await filled(empty(), versions, some) })).rows),
      )
      for (const other of more) expect({ seed: one, rows: other }).toEqual({ seed: one, rows: first })
    }
  })
})

it('labels in several blocks, read in parts that end elsewhere, have the answers that each has alone', async () => {
  const versions = sets[0]!
  const { rows, labels: some, rule } = chanceFor(seed, versions)
  const count = 12_000
  const labels = Array.from({ length: count }, (_, i) => some[i % some.length] ?? { account: null, item: null, time: 0 })
  const definition = versions[1]
  const features = featureNames(1)
  const warehouse = await filled(empty(), versions, rows)
  // So long that the reader of all columns gives fewer rows at a time.
  const [header, ...lines] = labelsText(labels).split('\n')
  const long = [`${header},note`, ...lines.map((line) => `${line},${'x'.repeat(1_500)}`)].join('\n')
  const { rows: found } = await made({ warehouse, definition, features, labels: long, rule, labelsPerBlock: 1 })
  const answers = labels.map((label) => answerFor(definition, rows, label, rule))
  expect(found.map(({ note: _, ...row }) => row)).toEqual(expectedRows(definition, features, labels, answers))
  await warehouse.close()
})
