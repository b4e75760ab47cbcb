/** What is asked of a warehouse that looks for itself: a statement for each version, and its answers put where the labels are. */
import { fieldsOfKeys } from '../feature-defs/fields-of-keys.ts'
import { sqlType } from '../schemas/sql.ts'
import type { AsOf, Warehouse } from '../utilities/warehouse.ts'
import { columnOf, wholeAt, type Column, type Columns } from '../utilities/values/columns.ts'
import { pointed, servedAt, type AnswerOptions, type Answers, type Found } from './answers.ts'
import type { AskedSet, AskedVersion } from './asked.ts'
import { keyName, type Block } from './block.ts'
import { newKept } from './kept.ts'
import { textOf } from './keys.ts'
import type { Rule } from './times.ts'

/** Answers each of the labels, in whatever order. */
export type AskWarehouse = NonNullable<Warehouse['asOf']>

/** undefined where the version has no rows. */
export function asOfOf({ set, per, of, features }: AskedSet, { version, has, lastSeq }: AskedVersion, rule: Rule): AsOf | undefined {
  if (lastSeq === null) return undefined
  return {
    set,
    version,
    per: per.map(({ name, field }) => ({ name, type: sqlType(field) })),
    at: { name: of.at, type: of.atType },
    facts: of.facts,
    features: features.filter(({ name }) => has.includes(name)).map(({ name, type }) => ({ name, type: sqlType(type) })),
    lastSeq,
    known: rule.known && of.hasKnown,
    computed: rule.asServed,
    before: rule.before,
  }
}

export async function answersOfWarehouse(ask: AskWarehouse, asked: AskedSet, block: Block, options: AnswerOptions): Promise<Answers> {
  const served = asked.promotions && servedAt(asked.promotions, block.moments)
  const found: Found[] = []
  for (const one of asked.versions) {
    const own = Int32Array.from({ length: block.count }, (_, label) => label).filter((label) => !served || served[label] === one.version)
    if (own.length > 0) found.push(await foundBy(ask, asked, one, { block, own }, options))
  }
  return pointed(asked, block, { found, served, maxAge: options.maxAge })
}

type Own = { readonly block: Block; readonly own: Int32Array }

async function foundBy(
  ask: AskWarehouse,
  asked: AskedSet,
  one: AskedVersion,
  { block, own }: Own,
  { rule, signal, report }: AnswerOptions,
): Promise<Found> {
  const { features, of } = asked
  const kept = new Map(features.map(({ name, type }) => [name, newKept(type, block.count)]))
  const times = new Float64Array(block.count).fill(NaN)
  const met = new Uint8Array(block.count)
  const statement = asOfOf(asked, one, rule)
  let earliest = Infinity
  if (statement) {
    for await (const part of ask(statement, labelsOf(asked, block, own), signal)) {
      const labels = columnOf(part, '_label', 'integer')
      const slots = Int32Array.from(labels.values)
      const best = { rows: Int32Array.from({ length: part.count }, (_, row) => row), slots }
      for (const { name, type } of statement.features) kept.get(name)!.keep(momentsAgain(part.byName.get(name)!, type), best)
      const time = columnOf(part, '_time', 'integer').values
      const isMet = columnOf(part, '_met', 'integer').values
      for (let row = 0; row < part.count; row++) {
        times[slots[row]!] = time[row]!
        met[slots[row]!] = isMet[row]! > 0 ? 1 : 0
      }
      if (of.facts && part.count > 0) earliest = Number(wholeAt(columnOf(part, '_earliest', 'integer'), 0) ?? Infinity)
      report(part.count)
    }
  }
  return {
    version: one.version,
    kept,
    nulls: block.count,
    placeOf: (label) => (times[label] === times[label] ? label : -1),
    timeOf: (place) => times[place]!,
    isMet: (label) => met[label] === 1,
    earliest,
  }
}

const momentsAgain = (column: Column, type: AsOf['features'][number]['type']): Column =>
  type === 'timestamp' && column.kind === 'integer' ? { ...column, kind: 'timestamp' } : column

/** With a number for each, and its moment. */
function labelsOf({ per }: AskedSet, { keys: byName, moments }: Block, own: Int32Array): Columns {
  const { keys, numbers } = byName.get(keyName(per))!
  const fields = Object.fromEntries(per.map(({ name, field }) => [name, field]))
  const names = per.map(({ name }) => name)
  const texts = Array.from(own, (label) => textOf(keys, numbers[label]!))
  return {
    count: own.length,
    byName: new Map<string, Column>([
      ['_label', { kind: 'integer', values: Float64Array.from(own) }],
      ...fieldsOfKeys(texts, names.length === 0 ? null : names, fields),
      ['_moment', { kind: 'integer', values: Float64Array.from(own, (label) => moments[label]!) }],
    ]),
  }
}
