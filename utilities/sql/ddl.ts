/** The SQL text of the warehouse's tables and views, for every dialect: pure, so that a plan shows exactly what would run. */
import { createHash } from 'node:crypto'
import { Problem } from '../values/problem.ts'
import { rowColumns, viewColumns, type Layout, type SqlColumn } from '../warehouse.ts'
import { columnsFor, type Dialect, type StoredColumn } from './declared.ts'

export type Target = { readonly dialect: Dialect; /** Put before every table and view. */ readonly schema?: string }

/**
 * What is there: the declared type of each column of the rows table (none: no table), and of each view that `ownsView` the mark of its
 * text.
 */
export type TablesThere = {
  readonly columns: ReadonlyMap<string, string>
  readonly views: ReadonlyMap<string, string>
  /** What has to be kept of a view where others may have been let in. */
  readonly kept?: ReadonlyMap<string, KeptView>
}

export type KeptView = {
  readonly columns: readonly string[]
  /** The statements that give again what others may do with it. */
  readonly grants: readonly string[]
}

const identifierPattern = /^[a-z_][a-z0-9_]{0,126}$/

/** The only way a name gets into a statement. */
export function identifier(name: string): string {
  if (!identifierPattern.test(name)) {
    const what = `${JSON.stringify(name)} cannot be the name of a column, table or view`
    throw new Problem(what, 'Use lower case letters, digits and _, beginning with a letter.')
  }
  return `"${name}"`
}

const qualified = ({ schema }: Target, name: string) =>
  schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`

const named = (names: readonly string[]) => names.map(identifier).join(', ')

const namesOf = (columns: readonly SqlColumn[]) => columns.map(({ name }) => name)

/** A set's rows, base view and version views share the warehouse with those of other sets: names that would meet are refused. */
function checkSet(set: string): void {
  if (/_(v\d+|rows)$|^(tidemark|sqlite)_/.test(set)) {
    const what = `a feature set cannot be named ${set}: the warehouse gives such names itself`
    throw new Problem(what, 'Choose a name that does not end in _rows or _vN, nor begin with tidemark_ or sqlite_.')
  }
}

export const ownTable = (target: Target, name: 'tidemark_versions' | 'tidemark_progress') => qualified(target, name)

export const rowsTable = (target: Target, set: string) => qualified(target, `${set}_rows`)

/** Whether a view of that name is made, and dropped, by the layout of the set. */
export const ownsView = (set: string, view: string) =>
  view === set || (view.startsWith(`${set}_v`) && /^\d+$/.test(view.slice(set.length + 2)))

/** Every column of the rows table, with its type. */
const columnTypes = (target: Target, { record, features }: Layout): Map<string, string> => {
  const own = Object.entries(rowColumns).map(([name, type]): SqlColumn => ({ name, type }))
  return new Map([...record, ...own, ...features].flatMap((one) => columnsFor(target, one)).map(({ name, type }) => [name, type]))
}

/** The statement that makes a view, and the columns it shows. */
type View = { readonly text: string; readonly columns: readonly string[] }

/** The views of a layout by name; the base view last. */
function viewsOf(target: Target, layout: Layout): Map<string, View> {
  const { set, versions, chain } = layout
  const rows = rowsTable(target, set)
  const views = new Map<string, View>()
  for (const { version, shows } of versions) {
    const name = `${set}_v${version}`
    const columns = namesOf(viewColumns(layout, shows))
    const select = [`SELECT ${named(columns)}`, `FROM ${rows}`, `WHERE "_version" = ${whole(version)}`]
    views.set(name, { text: [`CREATE VIEW ${qualified(target, name)} AS`, ...select].join('\n'), columns })
  }
  if (chain.length > 0) {
    const promoted = versions.find(({ version }) => version === chain[0])
    if (!promoted) throw new TypeError(`${set}: version ${chain[0]} is promoted but has no view`)
    const columns = namesOf(viewColumns(layout, promoted.shows))
    views.set(set, { text: `CREATE VIEW ${qualified(target, set)} AS\n${chainText(rows, columns, chain)}`, columns })
  }
  return views
}

/** Each row from the first version of the chain that has it. NOT EXISTS, one newer version at a time, is a look-up of the key. */
const chainText = (rows: string, columns: readonly string[], chain: readonly number[]) =>
  chain
    .map((version, i) => {
      const newer = chain
        .slice(0, i)
        .map(
          (one) =>
            `  AND NOT EXISTS (SELECT 1 FROM ${rows} AS newer WHERE newer."_version" = ${whole(one)} AND newer."_seq" = older."_seq")`,
        )
      return [`SELECT ${named(columns)}`, `FROM ${rows} AS older`, `WHERE older."_version" = ${whole(version)}`, ...newer].join('\n')
    })
    .join('\nUNION ALL\n')

function whole(version: number): string {
  if (!Number.isSafeInteger(version) || version < 0) throw new RangeError(`version ${version}`)
  return String(version)
}

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
  const drops = dropped.map((name) => `DROP VIEW ${qualified(target, name)}`)
  return {
    statements: [...tableChanges(target, layout, found.columns), ...drops, ...made],
    views: [...new Set([...dropped, ...due.map(([name]) => name)])],
    dropped,
  }
}

const sameColumns = (some?: readonly string[], others?: readonly string[]) =>
  some !== undefined && others !== undefined && some.length === others.length && some.every((name, i) => name === others[i])

export type Grant = {
  readonly view: string
  readonly privilege: string
  readonly to: { readonly kind: 'user' | 'role' | 'group' | 'public'; readonly name: string }
  readonly grantable: boolean
}

/** Names of other people's making may hold anything. */
const foreignName = (name: string) => `"${name.replaceAll('"', '""')}"`

export function grantText(target: Target, { view, privilege, to, grantable }: Grant): string {
  if (!/^[A-Z]+$/.test(privilege)) throw new TypeError(`privilege ${JSON.stringify(privilege)}`)
  const grantee = {
    user: foreignName(to.name),
    role: `ROLE ${foreignName(to.name)}`,
    group: `GROUP ${foreignName(to.name)}`,
    public: 'PUBLIC',
  }[to.kind]
  return `GRANT ${privilege} ON ${qualified(target, view)} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''}`
}

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

function tableChanges(target: Target, layout: Layout, found: TablesThere['columns']): string[] {
  const rows = rowsTable(target, layout.set)
  const wanted = columnTypes(target, layout)
  if (found.size === 0) return [createRows(target, rows, wanted)]
  // A text may be longer or shorter than it was.
  const family = (type: string) => type.replace(/^VARCHAR.*/, 'VARCHAR')
  for (const [name, type] of wanted) {
    const there = found.get(name)
    if (there !== undefined && family(there) !== family(type)) {
      const what = `column ${name} of ${layout.set}_rows is ${there}, and the definitions say ${type}`
      throw new Problem(what, 'Give the field another name: the type of a column is never changed.')
    }
  }
  return [...wanted]
    .filter(([name]) => !found.has(name))
    .map(([name, type]) => `ALTER TABLE ${rows} ADD COLUMN ${identifier(name)} ${type}`)
}

function createRows({ dialect }: Target, rows: string, columns: ReadonlyMap<string, string>): string {
  const always = new Set(Object.keys(rowColumns))
  const lines = [...columns].map(([name, type]) => `  ${identifier(name)} ${type}${always.has(name) ? ' NOT NULL' : ''}`)
  const body = (more: readonly string[]) => `CREATE TABLE ${rows} (\n${[...lines, ...more].join(',\n')}\n)`
  return dialect === 'sqlite' ? `${body(['  PRIMARY KEY ("_version", "_seq")'])} WITHOUT ROWID` : `${body([])} SORTKEY ("_version", "_seq")`
}

/** The tables of our own by name, each as the statement that makes it. */
export function bookkeeping(target: Target): { readonly tidemark_versions: string; readonly tidemark_progress: string } {
  const table = (name: string, columns: readonly string[], key: string) =>
    `CREATE TABLE ${qualified(target, name)} (\n${[...columns, `PRIMARY KEY (${key})`].map((line) => `  ${line}`).join(',\n')}\n)`
  return {
    tidemark_versions: table(
      'tidemark_versions',
      [
        'feature_set VARCHAR(64) NOT NULL',
        'version INTEGER NOT NULL',
        'state VARCHAR(16) NOT NULL',
        'mode VARCHAR(16) NOT NULL',
        'schema_version_id VARCHAR(36) NOT NULL',
        'definition VARCHAR(65535) NOT NULL',
        'switches VARCHAR(65535) NOT NULL',
        'promotion INTEGER',
        'acts VARCHAR(65535) NOT NULL',
      ],
      'feature_set, version',
    ),
    tidemark_progress: table(
      'tidemark_progress',
      ['reader VARCHAR(256) NOT NULL', 'next_offset BIGINT NOT NULL', 'updated_at TIMESTAMP NOT NULL'],
      'reader',
    ),
  }
}
