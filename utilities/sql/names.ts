/** The names of the warehouse's tables and views, for every dialect. */
import { Problem } from '../values/problem.ts'
import type { Layout, SqlColumn } from '../warehouse.ts'
import type { Dialect } from './declared.ts'

export type Target = { readonly dialect: Dialect; /** Put before every table and view. */ readonly schema?: string }

const identifierPattern = /^[a-z_][a-z0-9_]{0,126}$/

/** The only way a name gets into a statement. */
export function identifier(name: string): string {
  if (!identifierPattern.test(name)) {
    const what = `${JSON.stringify(name)} cannot be the name of a column, table or view`
    throw new Problem(what, 'Use lower case letters, digits and _, beginning with a letter.')
  }
  return `"${name}"`
}

export const qualified = ({ schema }: Target, name: string) =>
  schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`

/** Several, as a list of columns. */
export const named = (names: readonly string[]) => names.map(identifier).join(', ')

export const namesOf = (columns: readonly SqlColumn[]) => columns.map(({ name }) => name)

/** A set's rows and views, and facts, share the warehouse with those of others: names that would meet are refused. */
export function checkSet(set: string): void {
  if (/_(v\d+|rows)$|^(tidemark|sqlite)_/.test(set)) {
    const what = `a feature set cannot be named ${set}: the warehouse gives such names itself`
    throw new Problem(what, 'Choose a name that does not end in _rows or _vN, nor begin with tidemark_ or sqlite_.')
  }
}

export const ownTable = (target: Target, name: 'tidemark_versions' | 'tidemark_progress') => qualified(target, name)

export const rowsTable = (target: Target, set: string) => qualified(target, `${set}_rows`)

/** The newest row of each key, by version: made where views of them would else look at all rows. */
export const newestTable = (target: Target, set: string) => qualified(target, newestName(set))
/** Of the fields of the key. */
export const newestIndex = (set: string) => `tidemark_newest_by_key_${set}`
export const newestName = (set: string) => `tidemark_newest_${set}`

export const standingTable = (target: Target, fact: string) => qualified(target, standingName(fact))
export const standingName = (fact: string) => `tidemark_standing_${fact}`

/** Whether a view of that name is made, and dropped, by the layout of the set. */
export const ownsView = (set: string, view: string) =>
  view === set || (view.startsWith(`${set}_`) && /^(v\d+|latest|v\d+_latest)$/.test(view.slice(set.length + 1)))

/** The facts that have a table and a view, or had. */
export const factsOf = ({ facts = [], gone = [] }: Layout): readonly string[] => [...facts.map(({ name }) => name), ...gone]
