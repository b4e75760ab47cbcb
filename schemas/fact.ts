/**
 * A fact: a record made from a table's row and what that refers to. There is one for each row whose needs are all there; it changes when
 * any of them does, and is gone when one that it needs is gone.
 */
import type { Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { computedBy, type Computed } from './computed.ts'
import { assigned } from './expressions/assigned.ts'
import { columnsRead } from './expressions/expression.ts'
import { inWords } from './expressions/kind.ts'
import { namedBySource, type FactOf, type Field, type Fields, type Join, type RecordSchema, type Table } from './record.ts'

export type FactSchema<F extends Fields = Fields> = RecordSchema<F> & { readonly fact: FactOf }

type On = string | readonly string[]
type JoinWords = readonly [table: Table, on: On] | readonly [table: Table, on: On, options: { readonly optional?: boolean }]
type Source<F extends Fields> = {
  readonly of: Table
  /** The field that says when it happened. */
  readonly at: keyof F & string
  readonly join?: { readonly [name: string]: JoinWords }
}

type Free<Taken> = { readonly [K in keyof Taken]?: never }
type Nullable = { readonly [name: string]: Field & { readonly nullable: true } }

/** A fact of the definitions: its next version is made from it. */
export type GrowingFact<F extends Fields> = FactSchema<F> & {
  /** The next version: these fields too. */
  add<const M extends Nullable>(more: M & Free<F>): GrowingFact<F & M>
  /** The next version: the same fields, made differently. */
  replace<const M extends { readonly [K in keyof F]?: Field }>(
    changed: M & { readonly [K in Exclude<keyof M, keyof F>]: never },
  ): GrowingFact<F>
}

/** `from` names a column, of the row itself or as `joined.column`; `sql` is an expression over them. */
export function fact<const F extends Fields>(name: string, source: Source<F>, fields: F): GrowingFact<F> {
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`fact ${name}: ${what}`, todo)
  }
  const mustBeTable = (table: Table, what: string) => {
    if (!Array.isArray((table as Partial<Table> | undefined)?.key))
      refuse(`${what} is no table`, "Make one by table('name', { key }, { … }).")
  }
  mustBeTable(source.of, 'what it is of')
  const join = Object.fromEntries(
    Object.entries(source.join ?? {}).map(([joined, [table, on, options = {}]]): [string, Join] => {
      mustBeTable(table, `what it joins as ${joined}`)
      const unknown = Object.keys(options).find((option) => option !== 'optional')
      if (unknown !== undefined) refuse(`the join ${joined} has no option ${unknown}`, 'Its option is optional.')
      return [joined, { table, on: typeof on === 'string' ? [on] : on, optional: options.optional === true }]
    }),
  )
  return factVersion<F>({ name, at: source.at, fields: namedBySource(fields) as F, fact: { version: 0, of: source.of, join } })
}

function factVersion<F extends Fields>(self: FactSchema<F>): GrowingFact<F> {
  checkFact(self)
  const next = <G extends Fields>(fields: Fields) =>
    factVersion<G>({ ...self, fields: namedBySource(fields) as G, fact: { ...self.fact, version: self.fact.version + 1 } })
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`fact ${self.name}: ${what}`, todo)
  }
  const add: GrowingFact<F>['add'] = (more) => {
    const taken = Object.keys(more).find((one) => Object.hasOwn(self.fields, one))
    if (taken !== undefined) refuse(`it already has a field ${taken}`, 'Use replace to make it differently, or choose another name.')
    return next<F & typeof more>({ ...self.fields, ...(more as Fields) })
  }
  const replace: GrowingFact<F>['replace'] = (changed) => {
    const unknown = Object.keys(changed).find((one) => !Object.hasOwn(self.fields, one))
    if (unknown !== undefined) refuse(`it has no field ${unknown} to replace`, 'Use add for a new field.')
    return next<F>({ ...self.fields, ...(changed as Fields) })
  }
  // A fact is plain data to all but its author.
  return Object.defineProperties(self, { add: { value: add }, replace: { value: replace } }) as GrowingFact<F>
}

export const isFact = (record: RecordSchema): record is FactSchema => record.fact !== undefined

/** Those that it is made of, each once. */
export const tablesOf = ({ fact: { of, join } }: FactSchema): readonly Table[] => [
  ...new Set([of, ...Object.values(join).map(({ table }) => table)]),
]

/** What a fact's fields can be made of: the columns of its row by their names, and those of what it joins as `joined.column`. */
export function columnsJoined({ fact: { of, join } }: FactSchema): ReadonlyMap<string, Field> {
  const columns = new Map(Object.entries(of.fields))
  for (const [joined, { table, optional }] of Object.entries(join))
    for (const [own, field] of Object.entries(table.fields))
      columns.set(`${joined}.${own}`, optional ? { ...field, nullable: true } : field)
  return columns
}

/** What makes a fact's fields, of batches that have the columns that it joins; rows of which one cannot be made are left out, and named. */
export const factFields = (fact: FactSchema): ((joined: Columns) => Computed) =>
  computedBy(Object.keys(fact.fields).map((own) => ({ name: own, of: fieldOf(fact, own) })))

function fieldOf(fact: FactSchema, own: string): ReturnType<typeof assigned> {
  const field = fact.fields[own]!
  return assigned(`${own} of ${fact.name}`, expressionOf(field), columnsJoined(fact), field)
}

const expressionOf = ({ sql, csv }: Field): string =>
  sql ??
  csv
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')

/**
 * All that the values of these fields depend on: how each is made, of columns of which kind, and which facts there are. A column of a table
 * that none of them reads is nothing to them.
 */
export function meaningOf(fact: FactSchema, fields: readonly string[]) {
  const { of, join } = fact.fact
  const columns = columnsJoined(fact)
  const kinds = (names: readonly string[]) => names.map((name) => ({ name, ...typeOf(columns.get(name)!) }))
  const made = fields.map((own) => {
    const text = expressionOf(fact.fields[own]!)
    return { name: own, text, columns: kinds(columnsRead(`${own} of ${fact.name}`, text, columns)) }
  })
  const joins = Object.entries(join).map(([name, { table, on, optional }]) => ({ name, table: table.name, key: table.key, on, optional }))
  return { of: of.name, key: kinds(of.key), join: joins, made }
}

const typeOf = (field: Field) => (field.kind === 'decimal' ? { kind: field.kind, scale: field.scale } : { kind: field.kind })

const typeInWords = (field: Field) => (field.kind === 'decimal' ? `a decimal of scale ${field.scale}` : inWords(field))

/** A Problem when it cannot be made. */
export function checkFact(self: FactSchema): void {
  const { name, at, fields, fact } = self
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
  const columns = new Map(Object.entries(fact.of.fields))
  for (const [joined, { table, on }] of Object.entries(fact.join)) {
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
  if (Object.hasOwn(fields, 'group_end')) refuse('a field is called group_end, which says where a group of its changes ends', 'Rename it.')
  for (const [own, { sql, csv }] of Object.entries(fields)) {
    if (sql !== undefined && csv !== own) refuse(`${own} has both from and sql`, 'Keep one of them.')
    if (sql === undefined && !columns.has(csv))
      refuse(`${own} is ${csv}, and there is no such column`, `There are ${[...columns.keys()].join(', ')}.`)
    fieldOf(self, own)
  }
}
