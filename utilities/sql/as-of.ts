/**
 * The statement that finds, for each label, the newest row of its key as of the label's moment: pure, so that what is shown is what runs.
 * One pass of windows: rows are ranked within their key, rows and labels are put in the order of time, and each label looks back at the
 * greatest rank so far.
 */
import type { AsOf, SqlColumn, SqlType } from '../warehouse.ts'
import { identifier, rowsTable, type Target } from './names.ts'
import { nanosecondsText } from './views.ts'

/** Columns of the labels: a number for each, the key's fields, and the moment in microseconds. */
export const labelColumns = (per: readonly SqlColumn[]): readonly SqlColumn[] => [
  { name: '_label', type: 'bigint' },
  ...per,
  { name: '_moment', type: 'bigint' },
]

/** A moment is a number of microseconds in the answer, too. */
const answeredAs = (type: SqlType): SqlType => (type === 'timestamp' ? 'bigint' : type)

/**
 * What is answered: the features, when the row was so and whether there is any of the key, both null or false where there is none; of facts
 * the first moment that anything was known of any.
 */
export const answerColumns = ({ features, facts }: Pick<AsOf, 'features' | 'facts'>): readonly SqlColumn[] => [
  { name: '_label', type: 'bigint' },
  ...features.map(({ name, type }) => ({ name, type: answeredAs(type) })),
  { name: '_time', type: 'bigint' },
  { name: '_met', type: 'bigint' },
  ...(facts ? [{ name: '_earliest', type: 'bigint' } as const] : []),
]

export function asOfText(target: Target, labels: string, asked: AsOf): string {
  const { set, version, per, at, facts, features, lastSeq, known, computed, before } = asked
  const isSqlite = target.dialect === 'sqlite'
  const keys = per.flatMap(keyTexts)
  const keyNames = keys.map(({ name }) => identifier(name))
  const within = keyNames.length > 0 ? `PARTITION BY ${keyNames.join(', ')} ` : ''
  const keyList = keys.map(({ name, text }) => `${text} AS ${identifier(name)}, `).join('')
  const micros = (column: SqlColumn) => `(${nanosecondsText(target, column, identifier(column.name))}) / 1000`
  // The first microsecond that is not before.
  const upward = (name: string) => `(${identifier(name)} + 999) / 1000`
  const time = facts ? `MAX("_known") OVER (${within}ORDER BY "_seq" ROWS UNBOUNDED PRECEDING)` : '"_happened"'
  const from = [
    before ? '"_time" + 1' : '"_time"',
    ...(known && !facts ? [upward('_known_ts')] : []),
    ...(computed ? [upward('_modified_ts')] : []),
  ]
  const latest = from.length === 1 ? from[0]! : `${isSqlite ? 'MAX' : 'GREATEST'}(${from.join(', ')})`
  const own = [...new Set(['_seq', ...(computed ? ['_modified_ts'] : []), ...(known || facts ? ['_known_ts'] : [])])]
  const shown = features.map(({ name, type }) => `${type === 'timestamp' ? `${micros({ name, type })} AS ` : ''}${identifier(name)}`)
  const join = [...keyNames.map((name) => `ranked.${name} = looked.${name}`), 'ranked."_rank" = looked."_rank"'].join(' AND ')
  const when = facts ? `${upward('_known_ts')} AS "_known"` : `${micros(at)} AS "_happened"`
  const answered = [
    'looked."_label"',
    ...features.map(({ name }) => `ranked.${identifier(name)}`),
    'ranked."_time"',
    'looked."_met"',
    ...(facts ? ['(SELECT MIN("_known") FROM made) AS "_earliest"'] : []),
  ]
  return `WITH made AS (
  SELECT ${keyList}${[...own.map(identifier), ...shown, when].join(', ')}
  FROM ${rowsTable(target, set)} WHERE "_version" = ${whole(version)} AND "_seq" <= ${whole(lastSeq)}
), timed AS (
  SELECT made.*, ${time} AS "_time" FROM made
), ranked AS (
  SELECT timed.*, ${latest} AS "_from", ROW_NUMBER() OVER (${within}ORDER BY "_time", "_seq") AS "_rank" FROM timed
), mixed AS (
  SELECT ${[...keyNames, '"_from" AS "_at"', '0 AS "_kind"', '"_rank"', 'CAST(NULL AS BIGINT) AS "_label"'].join(', ')} FROM ranked
  UNION ALL
  SELECT ${[...keys.map(({ text }) => text), '"_moment"', '1', 'CAST(NULL AS BIGINT)', '"_label"'].join(', ')} FROM ${labels}
), looked AS (
  SELECT ${[...keyNames, '"_label"'].join(', ')},
    MAX("_rank") OVER (${within}ORDER BY "_at", "_kind" ROWS UNBOUNDED PRECEDING) AS "_rank",
    MAX("_rank") OVER (${within.trim()}) AS "_met"
  FROM mixed
)
SELECT ${answered.join(', ')}
FROM looked LEFT JOIN ranked ON ${join}
WHERE looked."_label" IS NOT NULL`
}

/** A key's field without null, which would equal nothing: of a text that is all of the key null is "", else there is a mark beside it. */
function keyTexts(
  { name, type }: SqlColumn,
  _: number,
  all: readonly SqlColumn[],
): readonly { readonly name: string; readonly text: string }[] {
  const column = identifier(name)
  const isText = typeof type === 'object' && 'varchar' in type
  const value = { name: `_k_${name}`, text: `COALESCE(${column}, ${isText ? "''" : zeros(type)})` }
  return all.length === 1 && isText ? [value] : [value, { name: `_n_${name}`, text: `CASE WHEN ${column} IS NULL THEN 1 ELSE 0 END` }]
}

function zeros(type: SqlType): string {
  if (type === 'date') return "'1970-01-01'"
  if (type === 'timestamp') return "'1970-01-01 00:00:00'"
  return type === 'boolean' ? 'false' : '0'
}

function whole(number: number): string {
  if (!Number.isSafeInteger(number)) throw new RangeError(`${number} is no whole number`)
  return String(number)
}
