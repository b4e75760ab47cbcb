/** A fact or an event read back from what a schema says that it is made of, which is looked at as if a stranger had written it. */
import { Problem } from '../utilities/values/problem.ts'
import { checkEvent, type EventSchema } from './event.ts'
import { checkFact, type FactSchema } from './fact.ts'
import {
  record as recordWith,
  type EventJoin,
  type Field,
  type Fields,
  type FieldType,
  type Join,
  type RecordSchema,
  type Table,
} from './record.ts'
import { table } from './table.ts'

type Stated = { readonly [name: string]: unknown }

/** `stated` is plain data. */
export function statedFact(record: RecordSchema, stated: unknown): FactSchema {
  const { version, of, join } = objectIn(stated, 'what it is made of')
  if (!Number.isSafeInteger(version) || Number(version) < 0) refuse(`version ${JSON.stringify(version)}`)
  const joins = Object.entries(objectIn(join, 'joins')).map(([name, one]): [string, Join] => [name, joinOf(one, name)])
  const fact = { ...record, fact: { version: Number(version), of: tableOf(of), join: Object.fromEntries(joins) } }
  checkFact(fact)
  return fact
}

/** `stated` is plain data. */
export function statedEvent(record: RecordSchema, stated: unknown): EventSchema {
  const { of, join } = objectIn(stated, 'what it is made of')
  const joins = Object.entries(objectIn(join, 'joins')).map(([name, one]): [string, EventJoin] => {
    const { waitMs } = objectIn(one, `the join ${name}`)
    return [
      name,
      {
        ...joinOf(one, name),
        waitMs: typeof waitMs === 'number' ? waitMs : refuse(`the join ${name}: waitMs is ${JSON.stringify(waitMs)}`),
      },
    ]
  })
  const event = { ...record, event: { of: sourceOf(of), join: Object.fromEntries(joins) } }
  checkEvent(event)
  return event
}

function sourceOf(given: unknown): RecordSchema {
  const { name, at, fields } = objectIn(given, 'a record')
  if (typeof name !== 'string') return refuse(`a record is called ${JSON.stringify(name)}`)
  if (typeof at !== 'string') return refuse(`${name} happens at ${JSON.stringify(at)}`)
  return { ...recordWith(name, at, fieldsOf(fields, name)) }
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
  return table(name, { key: textsIn(key, `the key of ${name}`) }, fieldsOf(fields, name))
}

function fieldsOf(given: unknown, name: string): Fields {
  const described = Object.entries(objectIn(given, `the fields of ${name}`))
  return Object.fromEntries(described.map(([field, one]): [string, Field] => [field, fieldOf(one, `field ${field} of ${name}`)]))
}

const kinds: readonly unknown[] = ['number', 'integer', 'date', 'timestamp', 'flag'] satisfies FieldType['kind'][]

function fieldOf(given: unknown, what: string): Field {
  const { kind, csv, nullable, digits, scale, bytes, sql } = objectIn(given, what)
  const isText = typeof sql === 'string' || sql === undefined
  if (typeof csv !== 'string' || typeof nullable !== 'boolean' || !isText) return refuse(`${what}: ${JSON.stringify(given)}`)
  const named = { csv, nullable, ...(sql !== undefined && { sql }) }
  if (kind === 'decimal' && Number.isSafeInteger(digits) && Number.isSafeInteger(scale))
    return { kind, ...named, digits: Number(digits), scale: Number(scale) }
  if (kind === 'text' && Number.isSafeInteger(bytes)) return { kind, ...named, bytes: Number(bytes) }
  return kinds.includes(kind) ? ({ kind, ...named } as Field) : refuse(`${what}: ${JSON.stringify(given)}`)
}
