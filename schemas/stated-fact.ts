/** A fact read back from what a schema says that it is made of, which is looked at as if a stranger had written it. */
import { Problem } from '../utilities/values/problem.ts'
import { checkFact, type FactSchema } from './fact.ts'
import type { Field, FieldType, Join, RecordSchema, Table } from './record.ts'
import { table } from './table.ts'

type Stated = { readonly [name: string]: unknown }

/** `stated` is plain data. */
export function factOf(record: RecordSchema, stated: unknown): FactSchema {
  const { version, of, join } = objectIn(stated, 'what it is made of')
  if (!Number.isSafeInteger(version) || Number(version) < 0) refuse(`version ${JSON.stringify(version)}`)
  const joins = Object.entries(objectIn(join, 'joins')).map(([name, one]): [string, Join] => [name, joinOf(one, name)])
  const fact = { ...record, fact: { version: Number(version), of: tableOf(of), join: Object.fromEntries(joins) } }
  checkFact(fact)
  return fact
}

const refuse = (what: string): never => {
  throw new Problem(`the schema does not describe a fact: ${what}`, 'Use a schema that inflowSchema made.')
}

const objectIn = (given: unknown, what: string): Stated =>
  typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Stated) : refuse(`${what}: ${JSON.stringify(given)}`)

const textsIn = (given: unknown, what: string): readonly string[] =>
  Array.isArray(given) && given.every((one) => typeof one === 'string') ? given : refuse(`${what}: ${JSON.stringify(given)}`)

function joinOf(given: unknown, name: string): Join {
  const { table: joined, on, optional } = objectIn(given, `the join ${name}`)
  if (typeof optional !== 'boolean') return refuse(`the join ${name}: optional is ${JSON.stringify(optional)}`)
  return { table: tableOf(joined), on: textsIn(on, `the join ${name}`), optional }
}

function tableOf(given: unknown): Table {
  const { name, key, fields } = objectIn(given, 'a table')
  if (typeof name !== 'string') return refuse(`a table is called ${JSON.stringify(name)}`)
  const described = Object.entries(objectIn(fields, `the fields of ${name}`))
  const own = described.map(([field, one]): [string, Field] => [field, fieldOf(one, `field ${field} of ${name}`)])
  return table(name, { key: textsIn(key, `the key of ${name}`) }, Object.fromEntries(own))
}

const kinds: readonly unknown[] = ['number', 'integer', 'date', 'timestamp', 'flag'] satisfies FieldType['kind'][]

function fieldOf(given: unknown, what: string): Field {
  const { kind, csv, nullable, digits, scale, bytes } = objectIn(given, what)
  if (typeof csv !== 'string' || typeof nullable !== 'boolean') return refuse(`${what}: ${JSON.stringify(given)}`)
  if (kind === 'decimal' && Number.isSafeInteger(digits) && Number.isSafeInteger(scale))
    return { kind, csv, nullable, digits: Number(digits), scale: Number(scale) }
  if (kind === 'text' && Number.isSafeInteger(bytes)) return { kind, csv, nullable, bytes: Number(bytes) }
  return kinds.includes(kind) ? ({ kind, csv, nullable } as Field) : refuse(`${what}: ${JSON.stringify(given)}`)
}
