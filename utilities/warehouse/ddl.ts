/** The SQL text of the warehouse's tables and views, for every dialect: pure, so that a plan shows exactly what would run. */
import { Problem } from '../problem.ts'
import type { Layout, SqlType } from './warehouse.ts'

export type Target = { readonly dialect: 'sqlite' | 'redshift'; /** Put before every table and view. */ readonly schema?: string }

/** What is there: the declared type of each column of the rows table (none: no table), the text of each view that `ownsView`. */
export type Found = { readonly columns: ReadonlyMap<string, string>; readonly views: ReadonlyMap<string, string> }

const identifierPattern = /^[a-z_][a-z0-9_]{0,126}$/

/** The only way a name gets into a statement. */
export function identifier(name: string): string {
  if (!identifierPattern.test(name)) {
    const what = `${JSON.stringify(name)} cannot be the name of a column, table or view`
    throw new Problem(what, 'Use lower case letters, digits and _, beginning with a letter.')
  }
  return `"${name}"`
}

const qualified = ({ schema }: Target, name: string) => (schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`)

const named = (names: readonly string[]) => names.map(identifier).join(', ')

/** A set's rows, base view and version views share the warehouse with those of other sets: names that would meet are refused. */
function checkSet(set: string): void {
  if (/_(v\d+|rows)$|^(tidemark|sqlite)_/.test(set)) {
    const what = `a feature set cannot be named ${set}: the warehouse gives such names itself`
    throw new Problem(what, 'Choose a name that does not end in _rows or _vN, nor begin with tidemark_ or sqlite_.')
  }
}

export const rowsTable = (target: Target, set: string) => qualified(target, `${set}_rows`)

/** Whether a view of that name is made, and dropped, by the layout of the set. */
export const ownsView = (set: string, view: string) => view === set || (view.startsWith(`${set}_v`) && /^\d+$/.test(view.slice(set.length + 2)))

/** A plain DATE would make SQLite compare dates as numbers, and `application_date >= '2008'` hold for every row. */
const dateTypes = { sqlite: 'DATE TEXT', redshift: 'DATE' } as const

function typeText({ dialect }: Target, type: SqlType): string {
  if (type === 'date') return dateTypes[dialect]
  if (type === 'double') return 'DOUBLE PRECISION'
  if (typeof type === 'string') return type.toUpperCase()
  if (!Number.isInteger(type.varchar) || type.varchar < 1 || type.varchar > 65535) throw new RangeError(`VARCHAR(${type.varchar})`)
  return `VARCHAR(${type.varchar})`
}

/** Every column of the rows table. */
const columnTypes = (target: Target, { record, features }: Layout): Map<string, string> => new Map([
  ...record.map(({ name, type }) => [name, typeText(target, type)] as const),
  ['_modified_ts', 'BIGINT'],
  ['_version', 'INTEGER'],
  ['_seq', 'BIGINT'],
  ...features.map((feature) => [feature, typeText(target, 'double')] as const),
])

/** The columns that a view with these features shows, in the original store's order; later features come behind it. */
function viewColumns({ record, features, leading }: Layout, shown: readonly string[]): string[] {
  const has = (feature: string) => shown.includes(feature)
  const leadingShown = features.slice(0, leading).filter(has)
  const laterShown = features.slice(leading).filter(has)
  return [...record.map(({ name }) => name), ...leadingShown, '_modified_ts', '_version', ...laterShown, '_seq']
}

/** The views of a layout by name, each as the statement that makes it; the base view last. */
function viewTexts(target: Target, layout: Layout): Map<string, string> {
  const { set, versions, chain } = layout
  const rows = rowsTable(target, set)
  const texts = new Map<string, string>()
  for (const { version, features } of versions) {
    const name = `${set}_v${version}`
    const select = [`SELECT ${named(viewColumns(layout, features))}`, `FROM ${rows}`, `WHERE "_version" = ${whole(version)}`]
    texts.set(name, [`CREATE VIEW ${qualified(target, name)} AS`, ...select].join('\n'))
  }
  if (chain.length > 0) {
    const promoted = versions.find(({ version }) => version === chain[0])
    if (!promoted) throw new TypeError(`${set}: version ${chain[0]} is promoted but has no view`)
    texts.set(set, `CREATE VIEW ${qualified(target, set)} AS\n${chainText(rows, viewColumns(layout, promoted.features), chain)}`)
  }
  return texts
}

/** Each row from the first version of the chain that has it. NOT EXISTS, one newer version at a time, is a look-up of the key. */
const chainText = (rows: string, columns: readonly string[], chain: readonly number[]) => chain.map((version, i) => {
  const newer = chain.slice(0, i).map((one) =>
    `  AND NOT EXISTS (SELECT 1 FROM ${rows} AS newer WHERE newer."_version" = ${whole(one)} AND newer."_seq" = older."_seq")`)
  return [`SELECT ${named(columns)}`, `FROM ${rows} AS older`, `WHERE older."_version" = ${whole(version)}`, ...newer].join('\n')
}).join('\nUNION ALL\n')

function whole(version: number): string {
  if (!Number.isSafeInteger(version) || version < 0) throw new RangeError(`version ${version}`)
  return String(version)
}

/** The statements that lead from what is there to the layout, in order; none when it is there already. */
export function changes(target: Target, layout: Layout, found: Found): string[] {
  checkSet(layout.set)
  const wanted = viewTexts(target, layout)
  const stale = [...found.views].filter(([name, text]) => wanted.get(name) !== text)
  const missing = [...wanted].filter(([name, text]) => found.views.get(name) !== text)
  return [
    ...tableChanges(target, layout, found.columns),
    ...stale.map(([name]) => `DROP VIEW ${qualified(target, name)}`),
    ...missing.map(([, text]) => text),
  ]
}

function tableChanges(target: Target, layout: Layout, found: Found['columns']): string[] {
  const rows = rowsTable(target, layout.set)
  const wanted = columnTypes(target, layout)
  if (found.size === 0) return [createRows(target, rows, wanted)]
  const family = (type: string) => type.replace(/\(.*/, '')
  for (const [name, type] of wanted) {
    const there = found.get(name)
    if (there !== undefined && family(there) !== family(type)) {
      const what = `column ${name} of ${layout.set}_rows is ${there}, and the definitions say ${type}`
      throw new Problem(what, 'Give the field another name: the type of a column is never changed.')
    }
  }
  return [...wanted].filter(([name]) => !found.has(name)).map(([name, type]) => `ALTER TABLE ${rows} ADD COLUMN ${identifier(name)} ${type}`)
}

function createRows({ dialect }: Target, rows: string, columns: ReadonlyMap<string, string>): string {
  const always = new Set(['_modified_ts', '_version', '_seq'])
  const lines = [...columns].map(([name, type]) => `  ${identifier(name)} ${type}${always.has(name) ? ' NOT NULL' : ''}`)
  const body = (more: readonly string[]) => `CREATE TABLE ${rows} (\n${[...lines, ...more].join(',\n')}\n)`
  return dialect === 'sqlite' ? `${body(['  PRIMARY KEY ("_version", "_seq")'])} WITHOUT ROWID` : `${body([])} SORTKEY ("_version", "_seq")`
}

/** The tables of our own by name, each as the statement that makes it. */
export function bookkeeping(target: Target): { readonly tidemark_versions: string; readonly tidemark_progress: string } {
  const table = (name: string, columns: readonly string[], key: string) =>
    `CREATE TABLE ${qualified(target, name)} (\n${[...columns, `PRIMARY KEY (${key})`].map((line) => `  ${line}`).join(',\n')}\n)`
  return {
    tidemark_versions: table('tidemark_versions', [
      'feature_set VARCHAR(64) NOT NULL',
      'version INTEGER NOT NULL',
      'state VARCHAR(16) NOT NULL',
      'mode VARCHAR(16) NOT NULL',
      'schema_version_id VARCHAR(36) NOT NULL',
      'definition VARCHAR(65535) NOT NULL',
      'switches VARCHAR(65535) NOT NULL',
      'promotion INTEGER',
      'acts VARCHAR(65535) NOT NULL',
    ], 'feature_set, version'),
    tidemark_progress: table('tidemark_progress', [
      'reader VARCHAR(256) NOT NULL',
      'next_offset BIGINT NOT NULL',
      'updated_at TIMESTAMP NOT NULL',
    ], 'reader'),
  }
}
