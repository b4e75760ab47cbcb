/** What Redshift's catalog says of a set's table and views: read in one transaction, so that it fits together. */
import type { KeptView, TablesThere } from '../sql/ddl.ts'
import { grantText, type Grant } from '../sql/grants.ts'
import { factsOf, ownsView, ownTable, standingName, type Target } from '../sql/names.ts'
import type { StoredColumn } from '../sql/declared.ts'
import type { Cell } from '../sql/cells.ts'
import type { Layout } from '../warehouse.ts'
import { textLiteral } from './literals.ts'

type Rows = readonly (readonly Cell[])[]

const begins = (column: string, text: string) => `position(${textLiteral(text)} in ${column}) = 1`
const inSchema = ({ schema }: Target) => textLiteral(schema!)

/** The columns of the set's table and views, and of ours. */
const columnsText = (
  target: Target,
  begin: string,
  views = textLiteral(begin),
) => `SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
FROM svv_columns WHERE table_schema = ${inSchema(target)}
AND (${begins('table_name', begin)} OR ${begins('table_name', 'tidemark_')} OR table_name IN (${views}))
ORDER BY table_name, ordinal_position`

export type Seen = { readonly stored: readonly StoredColumn[]; /** Whether our own tables are there. */ readonly bookkeeping: boolean }

export const seenStatements = (target: Target, table: string): readonly string[] => [columnsText(target, table)]

export function seenFrom(table: string, [columns]: readonly Rows[]): Seen {
  const isThere = (name: string) => columns!.some(([one]) => one === name)
  return { stored: columnsIn(table, columns!), bookkeeping: isThere('tidemark_versions') && isThere('tidemark_progress') }
}

const columnsIn = (table: string, columns: Rows): readonly StoredColumn[] =>
  columns
    .filter(([name]) => name === table)
    .map(([, name, type, ...sizes]) => ({ name: String(name), type: declared(String(type), sizes) }))

function declared(type: string, [length, digits, scale]: readonly Cell[]): string {
  if (type === 'character varying') return `VARCHAR(${length})`
  if (type === 'numeric') return `NUMERIC(${digits}, ${scale})`
  return type === 'timestamp without time zone' ? 'TIMESTAMP' : type.toUpperCase()
}

/** The number of a catalog's entry for pg_class in pg_description, which tells comments on tables and views from others. */
const classOfTables = 1259

const viewNames = (layout: Layout) => [layout.set, ...factsOf(layout)].map(textLiteral).join(', ')

/** The catalog of names lies on one node, that of rights on all: they cannot be joined. */
export const foundStatements = (target: Target, layout: Layout): readonly string[] => [
  columnsText(target, layout.set, viewNames(layout)),
  `SELECT c.relname, d.description, u.usename, array_to_string(c.relacl, CHR(10))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_user u ON u.usesysid = c.relowner
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = ${classOfTables}
WHERE n.nspname = ${inSchema(target)} AND c.relkind = 'v'
AND (${begins('c.relname', layout.set)} OR c.relname IN (${viewNames(layout)})) ORDER BY c.relname`,
  `SELECT relation_name, privilege_type, identity_type, identity_name, admin_option
FROM svv_relation_privileges WHERE namespace_name = ${inSchema(target)}
AND (${begins('relation_name', layout.set)} OR relation_name IN (${viewNames(layout)}))
ORDER BY relation_name, identity_type, identity_name, privilege_type`,
  `SELECT nspname FROM pg_namespace WHERE nspname = ${inSchema(target)}`,
]

export type FoundThere = Seen & {
  readonly found: TablesThere
  /** Whether the schema is there. */
  readonly schema: boolean
  /** Views with grants that this user may not see. */
  readonly veiled: readonly string[]
}

export function foundFrom(target: Target, layout: Layout, [columns, views, rights, schemas]: readonly Rows[]): FoundThere {
  const { set } = layout
  const seen = seenFrom(`${set}_rows`, [columns!])
  const own = views!.filter(([name]) => ownsView(set, String(name)) || factsOf(layout).includes(String(name)))
  const kept = own.map(([name, , owner]): readonly [string, KeptView] => [
    String(name),
    {
      columns: columns!.filter(([table]) => table === name).map(([, column]) => String(column)),
      grants: rights!.flatMap((row) =>
        row[0] === name && !(row[2] === 'user' && row[3] === owner) && isGrant(row) ? grantText(target, grantFrom(row)) : [],
      ),
    },
  ])
  const found = {
    columns: new Map(seen.stored.map(({ name, type }) => [name, type])),
    standing: (fact: string) => new Map(columnsIn(standingName(fact), columns!).map(({ name, type }) => [name, type])),
    views: new Map(own.map(([name, mark]) => [String(name), String(mark ?? '')])),
    kept: new Map(kept),
  }
  const seenGrantees = ([name, , owner]: readonly Cell[]) =>
    new Set(
      rights!
        .filter(([view, , kind, who]) => view === name && !(kind === 'user' && who === owner))
        .map(([, , kind, who]) => `${kind} ${who}`),
    ).size
  const veiled = own.filter((view) => granteesOf(view) > seenGrantees(view))
  return { ...seen, found, schema: schemas!.length > 0, veiled: veiled.map(([name]) => String(name)) }
}

/** How many have rights on a view beside its owner: everybody may count them, not everybody may see who they are. */
function granteesOf([, , owner, rights]: readonly Cell[]): number {
  const owners = [`${owner}=`, `"${String(owner).replaceAll('"', '""')}"=`]
  return String(rights ?? '')
    .split('\n')
    .filter((one) => one.includes('=') && !owners.some((own) => one.startsWith(own))).length
}

/** Of what the catalog lists, this can be granted on a view. */
const [privileges, grantees] = [
  ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'DROP', 'REFERENCES', 'ALTER', 'TRUNCATE'],
  ['user', 'role', 'group', 'public'],
]
const isGrant = ([, privilege, kind]: readonly Cell[]) =>
  privileges.includes(String(privilege).toUpperCase()) && grantees.includes(String(kind))

const grantFrom = ([view, privilege, kind, name, grantable]: readonly Cell[]): Grant => ({
  view: String(view),
  privilege: String(privilege).toUpperCase(),
  to: { kind: String(kind) as Grant['to']['kind'], name: String(name) },
  grantable: String(grantable) === 'true',
})

/** Views whose text names the set; which ones really use its views is for `dependentsFrom`. */
export const dependentsStatement = (set: string) => `SELECT schemaname, viewname, definition FROM pg_views
WHERE position(${textLiteral(set)} in definition) > 0 AND schemaname NOT IN ('pg_catalog', 'information_schema')
ORDER BY schemaname, viewname`

/** By the text, as a view without a schema binding is known by nothing else. Only names in `public` stand there without their schema. */
export function dependentsFrom(
  { schema }: Target,
  set: string,
  views: Rows,
  named: Rows,
): { readonly view: string; readonly uses: readonly string[] }[] {
  const own = named.map(([name]) => String(name)).filter((name) => ownsView(set, name))
  const before = `"?${schema}"?\\s*\\.\\s*`
  const uses = (text: string, view: string) =>
    new RegExp(`(?<![\\w".])${schema === 'public' ? `(${before})?` : before}"?${view}(?!\\w)`, 'i').test(text)
  return views
    .filter(([where, view]) => !(where === schema && ownsView(set, String(view))))
    .flatMap(([where, view, text]) => {
      const used = own.filter((one) => uses(String(text), one))
      return used.length > 0 ? [{ view: where === schema ? String(view) : `${where}.${view}`, uses: used }] : []
    })
}

export const ownViewsStatement = (target: Target, set: string) =>
  `SELECT viewname FROM pg_views WHERE schemaname = ${inSchema(target)} AND ${begins('viewname', set)} ORDER BY viewname`

/** In blocks of a megabyte; only a superuser, or whom one has allowed it, may read it. */
export const sizeStatement = (target: Target) => `SELECT sum(size) * 1048576 FROM svv_table_info WHERE "schema" = ${inSchema(target)}`

export const versionColumns = [
  'feature_set',
  'version',
  'state',
  'mode',
  'schema_version_id',
  'definition',
  'switches',
  'promotion',
  'acts',
] as const

export const versionsStatement = (target: Target, set?: string) =>
  `SELECT ${versionColumns.join(', ')} FROM ${ownTable(target, 'tidemark_versions')}
${set === undefined ? '' : `WHERE feature_set = ${textLiteral(set)} `}ORDER BY feature_set, version`

/** The tables of rows and of facts, with how many columns each has. */
export const rowTablesStatement = (target: Target) =>
  `SELECT table_name, count(*) FROM svv_columns
WHERE table_schema = ${inSchema(target)}
AND (right(table_name, 5) = '_rows' OR ${begins('table_name', standingName(''))}) GROUP BY table_name ORDER BY table_name`
