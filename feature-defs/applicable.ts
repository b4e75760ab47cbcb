/**
 * What could be defined and never applied is refused when definitions are loaded: names that are taken, options that nothing would read.
 */
import { isEvent } from '../schemas/event.ts'
import { isFact, type FactSchema } from '../schemas/fact.ts'
import { tablesOf } from '../schemas/joined.ts'
import type { Fields, RecordSchema, Table } from '../schemas/record.ts'
import { sqlWords } from '../schemas/sql-words.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Decimal } from '../utilities/warehouse.ts'
import { isModel, modelOptions } from './models/model.ts'
import { label, type Definition, type NamedFeature } from './feature-set.ts'
import { operatorOf, optionsOf, windowsGiven } from './known-operators.ts'
import { checkNames } from './names.ts'

/** Subjects of the registry and topics that are there for every set. */
const taken = new Set(['dead_letter', 'inflow', 'outflow'])
/** It names topics and a schema. */
const recordPattern = /^[a-z][a-z0-9_]{0,99}$/
/** A topic of its own would be named like the dead letters of another record, where a dot is an underscore, as in Kafka's metrics. */
export const likeDeadLetters = /(^|_)dead$/
const fieldPattern = /^[a-z][a-z0-9_]{0,126}$/
const likeTables = /(_v\d+|_rows|_latest)$|^(tidemark|sqlite)_/
const mostBytes = 65_535

/** A Problem that names the first of these definitions that no `apply` would take. */
export function checkApplicable(definitions: readonly Definition[]): void {
  const setOf = new Map(definitions.map(({ record, set }) => [record.name, set]))
  for (const definition of definitions) {
    const { set, record, features } = definition
    const refuse = (what: string, todo: string): never => {
      throw new Problem(`${label(definition)}: ${what}`, todo)
    }
    if (sqlWords.has(set)) refuse(wordOfSql(set), 'Give the set another name.')
    if (taken.has(set)) refuse(`${set} is a name that Tidemark gives itself`, 'Give the set another name.')
    if (setOf.has(set)) {
      const whose = set === record.name ? `its ${isFact(record) ? 'fact' : 'record'}` : `the record of ${setOf.get(set)}`
      refuse(`the set is named like ${whose}, and the registry has one schema for each name`, 'Give one of the two another name.')
    }
    checkRecord(record, refuse)
    if (isFact(record)) checkFact(record, refuse)
    if (isEvent(record)) {
      checkRecord(record.event.of, refuse)
      for (const { name: table, fields } of tablesOf(record)) checkFields(table, fields, refuse)
    }
    for (const feature of features) checkFeature(feature, refuse)
  }
  checkNames(definitions)
}

type Refuse = (what: string, todo: string) => never

const wordOfSql = (name: string) => `${name} is a word of SQL, which queries would have to quote`

function checkRecord({ name: record, at, fields }: RecordSchema<Fields>, refuse: Refuse): void {
  const anew = 'Give the record another name.'
  if (taken.has(record)) refuse(`the record ${record} has a name that Tidemark gives itself`, anew)
  if (!recordPattern.test(record)) refuse(`the name of the record ${record} is not lower case letters, digits and _`, anew)
  if (likeDeadLetters.test(record)) refuse(`the record ${record} is named like the dead letters of another one`, anew)
  for (const name of Object.keys(fields)) {
    const what = `field ${name} of ${record}`
    if (name === 'seq') refuse(`${what}: a record has its position under that name`, rename)
    if (sqlWords.has(name)) refuse(`${what}: ${wordOfSql(name)}`, rename)
  }
  checkFields(record, fields, refuse)
  const when = `${at}, which says when a ${record} happened,`
  const field = Object.hasOwn(fields, at) ? fields[at] : undefined
  if (field?.kind !== 'date' && field?.kind !== 'timestamp')
    refuse(`${when} is not a date or timestamp field`, 'Name a date or timestamp field.')
  if (field?.nullable) refuse(`${when} may be empty`, 'Give it { nullable: false }: a row without it is rejected.')
}

const rename = 'Rename it; its name in the file stays.'

/** It is a view of the warehouse. */
function checkFact(fact: FactSchema, refuse: Refuse): void {
  const { name } = fact
  const anew = 'Give the fact another name.'
  if (sqlWords.has(name)) refuse(wordOfSql(name), anew)
  if (likeTables.test(name)) refuse(`the fact ${name} is named like tables and views of sets`, anew)
  for (const { name: table, fields } of tablesOf(fact)) checkFields(table, fields, refuse)
}

function checkFields(owner: string, fields: Table['fields'], refuse: Refuse): void {
  for (const [name, field] of Object.entries(fields)) {
    const what = `field ${name} of ${owner}`
    if (!fieldPattern.test(name)) refuse(`${what}: the name is not lower case letters, digits and _`, rename)
    if (field.kind === 'text' && !(Number.isInteger(field.bytes) && field.bytes >= 1 && field.bytes <= mostBytes)) {
      refuse(`${what}: bytes is ${field.bytes}`, `Use a whole number from 1 to ${mostBytes}, the longest VARCHAR.`)
    }
    if (field.kind === 'decimal' && !isDecimal(field)) {
      refuse(
        `${what}: it has ${field.digits} digits, ${field.scale} of them behind the point`,
        'Use up to 38 digits, and no larger a scale.',
      )
    }
  }
}

const isDecimal = ({ digits, scale }: Decimal) =>
  Number.isInteger(digits) && digits >= 1 && digits <= 38 && Number.isInteger(scale) && scale >= 0 && scale <= digits

function checkFeature({ name, spec }: NamedFeature, refuse: Refuse): void {
  const { op, of: _, ...options } = spec
  const known: readonly string[] = isModel(spec) ? modelOptions : optionsOf(operatorOf(spec))
  const unknown = Object.keys(options).find((option) => !known.includes(option))
  const given = isModel(spec) ? [] : windowsGiven(operatorOf(spec), spec)
  const what = `feature ${name}`
  if (sqlWords.has(name)) refuse(`${what}: ${wordOfSql(name)}`, 'Give the feature another name.')
  if (unknown !== undefined) refuse(`${what}: ${op} has no option ${unknown}`, `Its options are ${known.join(', ')}.`)
  if (given.length > 1) {
    refuse(`${what}: its window is given twice, as ${given.join(' and as ')}`, `Keep ${given.join(' or ')}.`)
  }
}
