/** The SQL text of the warehouse's tables and views, for every dialect: pure, so that a plan shows exactly what would run. */
import { createHash } from 'node:crypto'
import { Problem } from '../values/problem.ts'
import { factRowColumns, ownColumns, rowColumns, type Layout, type SqlColumn } from '../warehouse.ts'
import { columnsFor, type StoredColumn } from './declared.ts'
import {
  checkSet,
  identifier,
  named,
  newestIndex,
  newestTable,
  qualified,
  rowsTable,
  standingName,
  standingTable,
  type Target,
} from './names.ts'
import { keyColumn, viewsOf } from './views.ts'

/**
 * What is there: the declared type of each column of the rows table (none: no table) and of the table of standing facts, whether there is
 * a table of the newest rows, and of each view that `ownsView`, and of the facts' one, the mark of its text.
 */
export type TablesThere = {
  readonly columns: ReadonlyMap<string, string>
  readonly standing?: (fact: string) => ReadonlyMap<string, string>
  readonly newest?: boolean
  readonly views: ReadonlyMap<string, string>
  /** What has to be kept of a view where others may have been let in. */
  readonly kept?: ReadonlyMap<string, KeptView>
}

export type KeptView = {
  readonly columns: readonly string[]
  /** The statements that give again what others may do with it. */
  readonly grants: readonly string[]
}

const typesOf = (target: Target, columns: readonly SqlColumn[]): Map<string, string> =>
  new Map(columns.flatMap((one) => columnsFor(target, one)).map(({ name, type }) => [name, type]))

const own = (...names: readonly string[]) => names.map((name): SqlColumn => ({ name, type: ownColumns[name]! }))

/** Every column of the rows table, with its type. */
const columnTypes = (target: Target, { record, features, facts }: Layout) =>
  typesOf(target, [...record, ...own(...Object.keys({ ...rowColumns, ...(facts && factRowColumns) })), ...features])

/**
 * What is kept to tell whether a view is still the one we made: SQLite keeps its text, Redshift rewrites it, so there a comment on the view
 * does.
 */
const markOf = ({ dialect }: Target, text: string) =>
  dialect === 'sqlite' ? text : `tidemark ${createHash('sha256').update(text).digest('hex')}`

/**
 * The statements that lead from what is there to the layout, in order, and the views that they change, of which some are dropped on the
 * way.
 */
export type Changes = { readonly statements: readonly string[]; readonly views: readonly string[]; readonly dropped: readonly string[] }

/** Nothing when it is there already. */
export function changes(target: Target, layout: Layout, found: TablesThere): Changes {
  checkSet(layout.set)
  const wanted = viewsOf(target, layout)
  const isThere = (name: string) => found.views.get(name) === markOf(target, wanted.get(name)?.text ?? '')
  // Replaced in place, a view keeps its grants and whatever is built on it, but it must keep its columns too.
  const stays = (name: string) => sameColumns(found.kept?.get(name)?.columns, wanted.get(name)?.columns)
  const due = [...wanted].filter(([name]) => !isThere(name))
  const dropped = [...found.views.keys()].filter((name) => !isThere(name) && !stays(name))
  const made = due.flatMap(([name, { text }]) => {
    if (target.dialect === 'sqlite') return [text]
    const comment = `COMMENT ON VIEW ${qualified(target, name)} IS '${markOf(target, text)}'`
    return stays(name)
      ? [text.replace('CREATE VIEW', 'CREATE OR REPLACE VIEW'), comment]
      : [text, comment, ...(found.kept?.get(name)?.grants ?? [])]
  })
  const tables = tableChanges(target, layout, found)
  const drops = dropped.map((name) => `DROP VIEW ${qualified(target, name)}`)
  return {
    // A table goes once nothing shows it.
    statements: [...tables.made, ...drops, ...made, ...tables.dropped],
    views: [...new Set([...dropped, ...due.map(([name]) => name)])],
    dropped,
  }
}

const sameColumns = (some?: readonly string[], others?: readonly string[]) =>
  some !== undefined && others !== undefined && some.length === others.length && some.every((name, i) => name === others[i])

/** A table column for each name, or a Problem. */
export function checkColumns(set: string, stored: readonly StoredColumn[], names: readonly string[]): void {
  if (stored.length === 0) {
    const todo = `Run: tidemark apply ${set}@0, or where it was applied before: tidemark repair ${set}`
    throw new Problem(`the warehouse has no table for ${set}`, todo)
  }
  const missing = names.find((name) => !stored.some((column) => column.name === name))
  if (missing === undefined) return
  throw new Problem(`the table ${set}_rows has no column ${missing}`, 'Run the last tidemark apply again: it finishes what was left.')
}

/** A column of the table of standing facts for each name, or a Problem. */
export function checkFactColumns(fact: string, stored: readonly StoredColumn[], names: readonly string[]): void {
  const missing = names.find((name) => !stored.some((column) => column.name === name))
  if (missing === undefined && stored.length > 0) return
  const what = stored.length === 0 ? 'no table' : `no column ${missing}`
  const todo = `Run: tidemark apply for a feature set over ${fact}, or where it was applied before: tidemark repair`
  throw new Problem(`the warehouse has ${what} for the facts ${fact} that stand`, todo)
}

function tableChanges(
  target: Target,
  layout: Layout,
  found: TablesThere,
): { readonly made: readonly string[]; readonly dropped: readonly string[] } {
  const { set, facts = [], gone = [] } = layout
  const key = ['_version', '_seq', ...(layout.facts ? ['_key'] : [])]
  const rows = tableChange(target, `${set}_rows`, rowsTable(target, set), columnTypes(target, layout), key, found.columns)
  const newest = target.dialect === 'sqlite' && !found.newest ? createNewest(target, layout) : []
  const standing = facts.flatMap(({ name, columns }) => {
    const types = typesOf(target, [...own('_key'), ...columns, ...own('_seq', '_known_ts')])
    return tableChange(target, standingName(name), standingTable(target, name), types, ['_key'], found.standing?.(name) ?? new Map())
  })
  const dropped = gone.filter((name) => (found.standing?.(name).size ?? 0) > 0).map((name) => `DROP TABLE ${standingTable(target, name)}`)
  return { made: [...rows, ...newest, ...standing], dropped }
}

function tableChange(
  target: Target,
  name: string,
  table: string,
  wanted: ReadonlyMap<string, string>,
  key: readonly string[],
  found: ReadonlyMap<string, string>,
): string[] {
  if (found.size === 0) return [createTable(target, table, wanted, key)]
  // A text may be longer or shorter than it was.
  const family = (type: string) => type.replace(/^VARCHAR.*/, 'VARCHAR')
  for (const [column, type] of wanted) {
    const there = found.get(column)
    if (there !== undefined && family(there) !== family(type)) {
      const what = `column ${column} of ${name} is ${there}, and the definitions say ${type}`
      throw new Problem(what, 'Give the field another name: the type of a column is never changed.')
    }
  }
  return [...wanted]
    .filter(([column]) => !found.has(column))
    .map(([column, type]) => `ALTER TABLE ${table} ADD COLUMN ${identifier(column)} ${type}`)
}

function createTable({ dialect }: Target, table: string, columns: ReadonlyMap<string, string>, key: readonly string[]): string {
  const lines = [...columns].map(
    ([name, type]) => `  ${identifier(name)} ${type}${key.includes(name) || Object.hasOwn(ownColumns, name) ? ' NOT NULL' : ''}`,
  )
  const body = (more: readonly string[]) => `CREATE TABLE ${table} (\n${[...lines, ...more].join(',\n')}\n)`
  return dialect === 'sqlite' ? `${body([`  PRIMARY KEY (${named(key)})`])} WITHOUT ROWID` : `${body([])} SORTKEY (${named(key)})`
}

/** Where the newest row of each key lies: found by the key's text, and by its fields, which are what people ask for. */
function createNewest(target: Target, layout: Layout): string[] {
  const { set, record, per } = layout
  const table = newestTable(target, set)
  const key = keyColumn(layout)
  const fields = typesOf(
    target,
    per.map((name) => record.find((one) => one.name === name)!),
  )
  const columns = new Map([...typesOf(target, own('_version', ...(key === '_key' ? ['_key'] : []), '_seq')), ...fields])
  const index = `CREATE INDEX ${identifier(newestIndex(set))} ON ${table} (${named(['_version', ...per])})`
  const made = createTable(target, table, columns, ['_version', key])
  return [made, ...(key === '_key' && per.length > 0 ? [index] : [])]
}
