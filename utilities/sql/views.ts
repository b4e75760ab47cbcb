/** The SQL text of the warehouse's views: those of rows, of the newest row of each key, and of the facts that stand. */
import { latestColumns, viewColumns, type FactLayout, type Layout, type SqlColumn, type VersionLayout } from '../warehouse.ts'
import { identifier, named, namesOf, newestIndex, newestTable, qualified, rowsTable, standingTable, type Target } from './names.ts'

/** The statement that makes a view, and the columns it shows. */
export type View = { readonly text: string; readonly columns: readonly string[] }

/** The views of a layout by name: the facts', those of each version, and those of the promoted one, which fall back on the ones before. */
export function viewsOf(target: Target, layout: Layout): Map<string, View> {
  const { set, versions, chain, facts = [] } = layout
  const rows = rowsTable(target, set)
  const views = new Map<string, View>()
  const view = (name: string, columns: readonly string[], select: string) =>
    views.set(name, { text: `CREATE VIEW ${qualified(target, name)} AS\n${select}`, columns })

  for (const fact of facts)
    view(fact.name, factColumns(fact), `SELECT ${named(factColumns(fact))}\nFROM ${standingTable(target, fact.name)}`)
  for (const { version, shows } of versions) {
    const columns = namesOf(viewColumns(layout, shows))
    view(`${set}_v${version}`, columns, [`SELECT ${named(columns)}`, `FROM ${rows}`, `WHERE "_version" = ${whole(version)}`].join('\n'))
    view(latestView(set, version), namesOf(latestColumns(layout, shows)), latestText(target, layout, shows, [version]))
  }
  if (chain.length > 0) {
    const promotions = chain.map((one) => {
      const found = versions.find(({ version }) => version === one)
      if (!found) throw new TypeError(`${set}: version ${one} is promoted but has no view`)
      return found
    })
    const promoted = promotions[0]!
    const columns = namesOf(viewColumns(layout, promoted.shows))
    view(set, columns, chainText(rows, columns, promotions))
    view(`${set}_latest`, namesOf(latestColumns(layout, promoted.shows)), latestText(target, layout, promoted.shows, chain))
  }
  return views
}

export const latestView = (set: string, version: number) => `${set}_v${version}_latest`

const factColumns = ({ columns }: FactLayout) => [...namesOf(columns), '_seq', '_known_ts']

/**
 * Each row from the first version of the chain that has it. NOT EXISTS, one newer version at a time, is a look-up of the key. From the
 * first row of a newer version on, two things are told by that one alone: ticks, which give rows to those keys whose features change by
 * them, and everything where it is over another version of the fact, which may change where this one does not.
 */
const chainText = (rows: string, columns: readonly string[], chain: readonly VersionLayout[]) =>
  chain
    .map(({ version, fact }, i) => {
      const newer = chain.slice(0, i).flatMap((one) => {
        const ofNewer = `FROM ${rows} AS newer WHERE newer."_version" = ${whole(one.version)}`
        const isBefore = `older."_seq" < (SELECT COALESCE(MIN(newer."_seq"), ${mostSeq}) ${ofNewer})`
        if (fact !== one.fact) return [`  AND ${isBefore}`]
        return [
          `  AND NOT EXISTS (SELECT 1 ${ofNewer} AND newer."_seq" = older."_seq")`,
          ...(fact === undefined ? [] : [`  AND (older."_change" <> 'tick' OR ${isBefore})`]),
        ]
      })
      return [`SELECT ${named(columns)}`, `FROM ${rows} AS older`, `WHERE older."_version" = ${whole(version)}`, ...newer].join('\n')
    })
    .join('\nUNION ALL\n')

const mostSeq = 2n ** 63n - 1n

/** The newest row of each key, from the first version of the chain that has one. */
const latestText = (target: Target, layout: Layout, shows: readonly string[], chain: readonly number[]) =>
  target.dialect === 'sqlite' ? lookedUp(target, layout, shows, chain) : ranked(target, layout, shows, chain)

/**
 * What tells the newest rows apart where they have a table: a text that is all of the key is itself, with null as "", which takes half of
 * what both would.
 */
export function keyColumn({ per, record }: Pick<Layout, 'per' | 'record'>): string {
  const [only] = per
  return per.length === 1 && isText(record, only!) ? only! : '_key'
}

const isText = (record: Layout['record'], field: string): boolean => {
  const type = record.find(({ name }) => name === field)!.type
  return typeof type === 'object' && 'varchar' in type
}

/** CROSS JOIN keeps the order: the key first, by its index, then its row. */
function lookedUp(target: Target, layout: Layout, shows: readonly string[], chain: readonly number[]): string {
  const { set, per, facts } = layout
  const newest = newestTable(target, set)
  const key = identifier(keyColumn(layout))
  // Knowing no numbers, SQLite would look through all keys of the version rather than use an index that lacks a column.
  const byFields = key === '"_key"' && per.length > 0 ? ` INDEXED BY ${identifier(newestIndex(set))}` : ''
  const same = ['_version', '_seq'].map((name) => `made."${name}" = newest."${name}"`)
  if (facts) same.push(`made."_key" = newest.${key}`)
  const columns = selected(target, layout, shows)
  const list = (of: 'newest' | 'made') =>
    columns.map(({ name, text }) => text?.('made.') ?? `${per.includes(name) ? of : 'made'}.${identifier(name)}`).join(', ')
  const some = (version: number, newer: readonly number[], of: 'newest' | 'made', which: readonly string[]) =>
    [
      `SELECT ${list(of)}`,
      `FROM ${newest} AS newest${byFields} CROSS JOIN ${rowsTable(target, set)} AS made`,
      `WHERE ${[`newest."_version" = ${whole(version)}`, ...which, ...same].join(' AND ')}`,
      ...newer.map(
        (one) =>
          `  AND NOT EXISTS (SELECT 1 FROM ${newest} AS newer WHERE newer."_version" = ${whole(one)} AND newer.${key} = newest.${key})`,
      ),
    ].join('\n')
  return chain
    .flatMap((version, i) => {
      const newer = chain.slice(0, i)
      if (key === '"_key"') return [some(version, newer, 'newest', [])]
      // Null is shown as its row has it.
      return [some(version, newer, 'newest', [`newest.${key} <> ''`]), some(version, newer, 'made', [`newest.${key} = ''`])]
    })
    .join('\nUNION ALL\n')
}

/** Without an index the rows of these versions are looked at, and nothing else of the table. */
function ranked(target: Target, layout: Layout, shows: readonly string[], chain: readonly number[]): string {
  const { set, record, per } = layout
  const columns = selected(target, layout, shows)
  const [only] = per
  // A text that is null and one that is empty are one key, where nothing else is in it.
  const key = per.length === 1 && isText(record, only!) ? [`COALESCE(${identifier(only!)}::varchar, '')`] : per.map(identifier)
  const place = chain.length > 1 ? [`CASE "_version"${chain.map((one, i) => ` WHEN ${whole(one)} THEN ${i}`).join('')} END`] : []
  const rank = [...(key.length > 0 ? [`PARTITION BY ${key.join(', ')}`] : []), `ORDER BY ${[...place, '"_seq" DESC'].join(', ')}`]
  const list = columns.map(({ name, text }) => (text ? `${text('')} AS ${identifier(name)}` : identifier(name)))
  return [
    `SELECT ${named(columns.map(({ name }) => name))}`,
    `FROM (SELECT ${list.join(', ')}, ROW_NUMBER() OVER (${rank.join(' ')}) AS "_place"`,
    `  FROM ${rowsTable(target, set)} WHERE "_version" IN (${chain.map(whole).join(', ')})) AS ranked`,
    'WHERE "_place" = 1',
  ].join('\n')
}

type SelectedColumn = {
  readonly name: string
  /** What is shown under the name, where it is no column of the rows. */
  readonly text?: (of: string) => string
}

/** A record is added once, and known when it happened. */
function selected(target: Target, layout: Layout, shows: readonly string[]): readonly SelectedColumn[] {
  return latestColumns(layout, shows).map(({ name }): SelectedColumn => {
    if (layout.facts || (name !== '_change' && name !== '_known_ts')) return { name }
    const end = target.dialect === 'sqlite' ? ` AS ${identifier(name)}` : ''
    if (name === '_change') return { name, text: () => (target.dialect === 'sqlite' ? `'added'${end}` : `'added'::varchar(8)`) }
    return {
      name,
      text: (of) =>
        nanosecondsText(
          target,
          layout.record.find((one) => one.name === layout.at)!,
          `${of}${identifier(layout.at)}`,
        ) + end,
    }
  })
}

/** 64 bits hold the nanoseconds of these years. */
const [firstYear, lastYear] = [1678, 2261]

/** Nanoseconds since 1970 of a date or a timestamp. */
export function nanosecondsText({ dialect }: Target, { type }: SqlColumn, column: string): string {
  const isDate = type === 'date'
  const fits = `CASE WHEN ${column} >= '${firstYear}-01-01' AND ${column} < '${lastYear + 1}-01-01' THEN`
  if (dialect === 'sqlite') {
    const seconds = `CAST(strftime('%s', ${isDate ? column : `substr(${column}, 1, 19)`}) AS INTEGER) * 1000000000`
    return `${fits} ${seconds}${isDate ? '' : ` + CAST(substr(substr(${column}, 21) || '000000000', 1, 9) AS INTEGER)`} END`
  }
  const days = `(CAST(${column} AS DATE) - DATE '1970-01-01')::bigint * 86400`
  const parts = ['HOUR', 'MINUTE'].map((part, i) => `EXTRACT(${part} FROM ${column})::bigint * ${[3600, 60][i]}`)
  const seconds = isDate ? days : [days, ...parts, `TO_CHAR(${column}, 'SS')::bigint`].join(' + ')
  return `${fits} (${seconds}) * 1000000000${isDate ? '' : ` + TO_CHAR(${column}, 'US')::bigint * 1000`} END`
}

function whole(version: number): string {
  if (!Number.isSafeInteger(version) || version < 0) throw new RangeError(`version ${version}`)
  return String(version)
}
