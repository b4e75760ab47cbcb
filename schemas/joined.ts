/** What facts and events have in common: fields that are made of a row and of what it refers to, and what these hang on. */
import type { Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { computedBy, type Computed } from './computed.ts'
import { assigned } from './expressions/assigned.ts'
import { columnsRead } from './expressions/expression.ts'
import { inWords } from './expressions/kind.ts'
import type { EventOf, FactOf, Field, Fields, Join, RecordSchema, Table } from './record.ts'

/** A fact or an event. */
export type JoinedRecord = RecordSchema & ({ readonly fact: FactOf } | { readonly event: EventOf })

export const isJoined = (record: RecordSchema): record is JoinedRecord => record.fact !== undefined || record.event !== undefined

/** The key is a table's: a record has none. */
type MadeOf = {
  readonly of: { readonly name: string; readonly fields: Fields; readonly key?: readonly string[] }
  readonly join: { readonly [name: string]: Join }
}

const madeOf = ({ fact, event }: RecordSchema): MadeOf => (fact ?? event)!

/** The tables that it is made of, each once. */
export const tablesOf = ({ fact, event }: JoinedRecord): readonly Table[] => {
  const joined = Object.values((fact ?? event)!.join).map(({ table }) => table)
  return [...new Set(fact ? [fact.of, ...joined] : joined)]
}

/** What its fields can be made of: the columns of its row by their names, and those of what it joins as `joined.column`. */
export function columnsJoined(record: JoinedRecord): ReadonlyMap<string, Field> {
  const { of, join } = madeOf(record)
  const columns = new Map(Object.entries(of.fields))
  for (const [joined, { table, optional }] of Object.entries(join))
    for (const [own, field] of Object.entries(table.fields))
      columns.set(`${joined}.${own}`, optional ? { ...field, nullable: true } : field)
  return columns
}

/** What makes its fields, of batches that have the columns that it joins; rows of which one cannot be made are left out, and named. */
export const joinedFields = (record: JoinedRecord): ((joined: Columns) => Computed) =>
  computedBy(Object.keys(record.fields).map((own) => ({ name: own, of: fieldOf(record, own) })))

function fieldOf(record: JoinedRecord, own: string): ReturnType<typeof assigned> {
  const field = record.fields[own]!
  return assigned(`${own} of ${record.name}`, expressionOf(field), columnsJoined(record), field)
}

const expressionOf = ({ sql, csv }: Field): string =>
  sql ??
  csv
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')

/**
 * All that the values of these fields depend on: how each is made, of columns of which kind, and which facts or events there are. A column
 * that none of them reads is nothing to them, and so is how long an event waits.
 */
export function meaningOf(record: JoinedRecord, fields: readonly string[]) {
  const { of, join } = madeOf(record)
  const columns = columnsJoined(record)
  const kinds = (names: readonly string[]) => names.map((name) => ({ name, ...typeOf(columns.get(name)!) }))
  const made = fields.map((own) => {
    const text = expressionOf(record.fields[own]!)
    return { name: own, text, columns: kinds(columnsRead(`${own} of ${record.name}`, text, columns)) }
  })
  const joins = Object.entries(join).map(([name, { table, on, optional }]) => ({ name, table: table.name, key: table.key, on, optional }))
  return { of: of.name, key: of.key && kinds(of.key), join: joins, made }
}

/** A record may make the column itself. */
const typeOf = (field: Field) => ({
  kind: field.kind,
  ...(field.kind === 'decimal' && { scale: field.scale }),
  ...(field.sql !== undefined && { sql: field.sql }),
})

/** The columns that its fields are made of. */
export const columnsNeeded = (record: JoinedRecord): readonly string[] => [
  ...new Set(meaningOf(record, Object.keys(record.fields)).made.flatMap(({ columns }) => columns.map(({ name }) => name))),
]

const typeInWords = (field: Field) => (field.kind === 'decimal' ? `a decimal of scale ${field.scale}` : inWords(field))

/** A Problem when it cannot be made. */
export function checkJoined(record: JoinedRecord): void {
  const { name, at, fields } = record
  const { of, join } = madeOf(record)
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`fact ${name}: ${what}`, todo)
  }
  const atField = fields[at]
  if (atField?.kind !== 'date' && atField?.kind !== 'timestamp')
    return refuse(
      `${at}, which should say when it happened, is no date or timestamp field of it`,
      'Name one of its date or timestamp fields.',
    )
  if (atField.nullable) refuse(`${at}, which says when it happened, may be null`, 'Write nullable: false; rows without it make no fact.')
  const columns = new Map(Object.entries(of.fields))
  for (const [joined, { table, on }] of Object.entries(join)) {
    if (!/^[a-z][a-z0-9_]*$/.test(joined)) refuse(`the join ${joined} is not named by lower case letters, digits and _`, 'Rename it.')
    if (on.length !== table.key.length)
      refuse(
        `the join ${joined} gives ${on.join(', ')} for the key of ${table.name}, which is ${table.key.join(', ')}`,
        'Give one for each.',
      )
    for (const [i, own] of table.key.entries()) {
      const given = columns.get(on[i]!)
      if (!given)
        refuse(`the join ${joined} is by ${on[i]}, and there is no such column before it`, `There are ${[...columns.keys()].join(', ')}.`)
      const wanted = table.fields[own]!
      if (given!.kind !== wanted.kind || (given!.kind === 'decimal' && wanted.kind === 'decimal' && given!.scale !== wanted.scale))
        refuse(
          `the join ${joined} is by ${on[i]}, ${typeInWords(given!)}, and ${own} of ${table.name} is ${typeInWords(wanted)}`,
          'Make them alike.',
        )
    }
    for (const [own, field] of Object.entries(table.fields)) columns.set(`${joined}.${own}`, field)
  }
  for (const [own, { sql, csv }] of Object.entries(fields)) {
    if (sql !== undefined && csv !== own) refuse(`${own} has both from and sql`, 'Keep one of them.')
    if (sql === undefined && !columns.has(csv))
      refuse(`${own} is ${csv}, and there is no such column`, `There are ${[...columns.keys()].join(', ')}.`)
    fieldOf(record, own)
  }
}
