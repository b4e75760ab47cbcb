/** Rows over facts as the warehouse takes them: with the key that tells those of one `_seq` apart. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import { textColumn } from '../feature-defs/values.ts'
import { isFact } from '../schemas/fact.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { keyTexts } from '../utilities/values/key-text.ts'

/** Rows of records stay as they are. Where groups of changes end is for whoever writes them, and no column. */
export function rowsWithKeys({ record, per }: Pick<Definition, 'record' | 'per'>, rows: Columns): Columns {
  if (!isFact(record)) return rows
  const byName = new Map([...rows.byName].filter(([name]) => name !== 'group_end'))
  if (!byName.has('_key')) byName.set('_key', textColumn(keyTexts(rows, keyFields(per))))
  return { ...rows, byName }
}
