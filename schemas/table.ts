/** A table: rows by key, kept as their source has them now. */
import { Problem } from '../utilities/values/problem.ts'
import { namedBySource, type Field, type Fields, type Table } from './record.ts'

type Key<F extends Fields> = keyof F & string

/** `key` is one field or several. */
export function table<const F extends Fields>(name: string, { key }: { readonly key: Key<F> | readonly Key<F>[] }, fields: F): Table<F> {
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`table ${name}: ${what}`, todo)
  }
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(name)) refuse('its name is not lower case letters, digits and _', 'Rename it, e.g. invoices.')
  const keys = typeof key === 'string' ? [key] : key
  const stranger = keys.find((one) => !Object.hasOwn(fields, one))
  if (stranger !== undefined)
    refuse(`its key names ${stranger}, and it has no such field`, `Its fields are ${Object.keys(fields).join(', ')}.`)
  if (keys.length === 0 || new Set(keys).size < keys.length)
    refuse(`its key is ${JSON.stringify(key)}`, 'Name a field, or several different ones.')
  const made = Object.keys(fields).find((one) => fields[one]!.sql !== undefined)
  if (made !== undefined) refuse(`field ${made} has sql`, 'Make it in a fact: a table is as its source has it.')
  // A row without its key is none.
  const sure = (own: string, field: Field): Field => (keys.includes(own) ? { ...field, nullable: false } : field)
  return {
    name,
    key: keys,
    fields: Object.fromEntries(Object.entries(namedBySource(fields)).map(([own, one]) => [own, sure(own, one)])) as F,
  }
}
