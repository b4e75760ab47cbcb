/** The statement for warehouses, run by SQLite: its answers are those of a look at every row for each label. */
import { describe, expect, it } from 'vitest'
import { answersOfWarehouse, type AskWarehouse } from '../training/statement.ts'
import { memoryDatabase, openMemoryWarehouse } from '../utilities/memory/warehouse.ts'
import { answerColumns, asOfText, labelColumns } from '../utilities/sql/as-of.ts'
import { columnFrom, type Cell } from '../utilities/sql/cells.ts'
import type { Sqlite } from '../utilities/sqlite/database.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { isLong, seed } from './seeded.ts'
import { expectedRows, filled, labelsText, made, outcomesOf } from './training-made.ts'
import { answerFor, chanceFor, featureNames, sets } from './training-model.ts'

const runs = isLong ? 200 : 30

const askIn = (database: Sqlite): AskWarehouse =>
  async function* ask(asked, labels) {
    const columns = labelColumns(asked.per)
    database.exec('DROP TABLE IF EXISTS labels')
    database.exec(
      `CREATE TABLE labels (${columns.map(({ name, type }) => `"${name}" ${type === 'bigint' ? 'BIGINT' : 'TEXT'}`).join(', ')})`,
    )
    const put = database.prepare(`INSERT INTO labels VALUES (${columns.map(() => '?').join(', ')})`)
    const texts = columns.map(({ name }) => textsOf(labels.byName.get(name)!))
    for (let row = 0; row < labels.count; row++) put.run(...texts.map((textAt) => textAt(row)))
    const [, ...parts] = [...database.select(asOfText({ dialect: 'sqlite' }, 'labels', asked))]
    for (const { rows } of parts) {
      const all = answerColumns(asked)
      // As the answers of Redshift come: no column is one of ours.
      const byName = new Map(
        all.map((column, at) => [column.name, columnFrom({ ...column, name: `x${column.name}` }, rows as readonly Cell[][], at)]),
      )
      yield { count: rows.length, byName }
    }
  }

describe.each(sets.map((versions) => [versions[0].set, versions] as const))('the statement over %s', (_, versions) => {
  it.each(Array.from({ length: runs }, (_, i) => seed + i))('answers each label as a look at all rows does (seed %i)', async (one) => {
    const { rows: chosen, labels, rule, random } = chanceFor(one, versions)
    // SQLite's decimals have their digits in a column of their own, which the statement leaves out.
    const rows = chosen.map((row) => ({ ...row, exact: row.exact === null ? null : row.exact % 1000n }))
    const definition = versions[random() < 0.5 ? 0 : 1]
    const features = featureNames(definition.version)
    const database = memoryDatabase()
    const warehouse = await filled(openMemoryWarehouse(database), versions, rows)
    const options = { rule, maxAge: rule.maxAge, signal: new AbortController().signal, report: () => {} }
    const { rows: found, manifest } = await made({
      warehouse,
      definition,
      features,
      labels: labelsText(labels),
      rule,
      ask: (set, block) => answersOfWarehouse(askIn(database), set, block, options),
    })
    const answers = labels.map((label) => answerFor(definition, rows, label, rule))
    expect(found).toEqual(expectedRows(definition, features, labels, answers))
    expect(manifest.sets[0]!.labels).toEqual(outcomesOf(answers))
    await warehouse.close()
  })
})
