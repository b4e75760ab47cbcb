/** Version records to and from SQLite. */
import type { Sqlite } from '../database.ts'
import type { VersionRecord } from '../../warehouse.ts'

export type VersionRow = {
  readonly feature_set: string
  readonly version: number
  readonly state: VersionRecord['state']
  readonly mode: string
  readonly schema_version_id: string
  readonly definition: string
  readonly switches: string
  readonly promotion: number | null
  readonly acts: string
}

export const recordFrom = (row: VersionRow): VersionRecord => ({
  set: row.feature_set,
  version: row.version,
  state: row.state,
  mode: row.mode,
  schemaId: row.schema_version_id,
  definition: row.definition,
  switches: JSON.parse(row.switches) as VersionRecord['switches'],
  promotion: row.promotion,
  acts: JSON.parse(row.acts) as VersionRecord['acts'],
})

export function putRecords(db: Sqlite, records: readonly VersionRecord[]): void {
  const put = db.prepare(`INSERT OR REPLACE INTO tidemark_versions
    (feature_set, version, state, mode, schema_version_id, definition, switches, promotion, acts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  for (const { set, version, state, mode, schemaId, definition, switches, promotion, acts } of records) {
    put.run(set, version, state, mode, schemaId, definition, JSON.stringify(switches), promotion, JSON.stringify(acts))
  }
}
