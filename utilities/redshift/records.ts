/** Version records to and from Redshift. */
import { Problem } from '../values/problem.ts'
import { ownTable, type Target } from '../sql/names.ts'
import type { Cell } from '../sql/cells.ts'
import { versionColumns } from './catalog.ts'
import { textLiteral } from './literals.ts'
import type { VersionRecord } from '../warehouse.ts'

export const recordFrom = ([
  set,
  version,
  state,
  mode,
  schemaId,
  definition,
  switches,
  promotion,
  acts,
]: readonly Cell[]): VersionRecord => ({
  set: String(set),
  version: Number(version),
  state: state as VersionRecord['state'],
  mode: String(mode),
  schemaId: String(schemaId),
  definition: String(definition),
  switches: JSON.parse(String(switches)) as VersionRecord['switches'],
  promotion: promotion === null ? null : Number(promotion),
  acts: JSON.parse(String(acts)) as VersionRecord['acts'],
})

const mostTextBytes = 65_535
const mostStatementBytes = 95_000

/** In place of those of the same version; each INSERT is short enough for the Data API. */
export function recordStatements(target: Target, records: readonly VersionRecord[]): readonly string[] {
  if (records.length === 0) return []
  const table = ownTable(target, 'tidemark_versions')
  const keys = records.map(({ set, version }) => `(feature_set = ${textLiteral(set)} AND version = ${version})`)
  return [
    `DELETE FROM ${table} WHERE ${keys.join(' OR ')}`,
    ...insertsOf(`INSERT INTO ${table} (${versionColumns.join(', ')}) VALUES `, records),
  ]
}

function insertsOf(head: string, records: readonly VersionRecord[]): string[] {
  const statements: string[] = []
  for (const record of records) {
    const value = valueOf(record)
    const longer = statements.length > 0 && `${statements.at(-1)}, ${value}`
    if (longer && Buffer.byteLength(longer) <= mostStatementBytes) statements[statements.length - 1] = longer
    else statements.push(head + value)
    if (Buffer.byteLength(statements.at(-1)!) > mostStatementBytes) throw tooMuch(record)
  }
  return statements
}

function valueOf(record: VersionRecord): string {
  const { set, version, state, mode, schemaId, definition, switches, promotion, acts } = record
  const long = [definition, JSON.stringify(switches), JSON.stringify(acts)] as const
  if (long.some((text) => Buffer.byteLength(text) > mostTextBytes)) throw tooMuch(record)
  const [definitionText, switchesText, actsText] = long.map(textLiteral)
  const values = [
    textLiteral(set),
    version,
    textLiteral(state),
    textLiteral(mode),
    textLiteral(schemaId),
    definitionText,
    switchesText,
    promotion ?? 'NULL',
    actsText,
  ]
  return `(${values.join(', ')})`
}

const tooMuch = ({ set, version }: VersionRecord) =>
  new Problem(
    `what is to be noted of ${set}@${version} is longer than Redshift can hold (64 KB each for its definition and for its acts)`,
    'Shorten its entry in tidemark_versions, or make a smaller version.',
  )
