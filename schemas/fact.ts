/**
 * A fact: a record made from a table's row and what that refers to. There is one for each row whose needs are all there; it changes when
 * any of them does, and is gone when one that it needs is gone.
 */
import { Problem } from '../utilities/values/problem.ts'
import { eventOf, isRecord, type EventSchema, type EventSource } from './event.ts'
import { joinsOf, mustBeTable, type JoinWords } from './join-words.ts'
import { checkJoined } from './joined.ts'
import { namedBySource, type FactOf, type Field, type Fields, type RecordSchema, type Table } from './record.ts'

export type FactSchema<F extends Fields = Fields> = RecordSchema<F> & { readonly fact: FactOf }

type Source<F extends Fields> = {
  readonly of: Table
  /** The field that says when it happened. */
  readonly at: keyof F & string
  readonly join?: { readonly [name: string]: JoinWords<{ readonly optional?: boolean }> }
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

/** `from` names a column, of the row itself or as `joined.column`; `sql` is an expression over them. Of a record it gives an event. */
export function fact<const F extends Fields>(name: string, source: Source<F>, fields: F): GrowingFact<F>
export function fact<const F extends Fields>(name: string, source: EventSource<F>, fields: F): EventSchema<F>
export function fact<const F extends Fields>(name: string, source: Source<F> | EventSource<F>, fields: F): GrowingFact<F> | EventSchema<F> {
  if (isRecord(source.of)) return eventOf<F>(name, source as EventSource<F>, fields)
  const { of, at, join } = source as Source<F>
  mustBeTable(name, of, 'what it is of')
  const joins = joinsOf(name, join, ['optional'], (one) => one)
  return factVersion<F>({ name, at, fields: namedBySource(fields) as F, fact: { version: 0, of, join: joins } })
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

/** A Problem when it cannot be made. */
export function checkFact(self: FactSchema): void {
  checkJoined(self)
  if (!Object.hasOwn(self.fields, 'group_end')) return
  throw new Problem(`fact ${self.name}: a field is called group_end, which says where a group of its changes ends`, 'Rename it.')
}
