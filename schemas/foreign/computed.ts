/** Rows of others with the fields that `sql` makes of them; a message of which one cannot be made is dead. */
import { computedFields } from '../computed.ts'
import type { RecordSchema } from '../record.ts'
import type { Messages } from '../../utilities/feed.ts'
import type { Column } from '../../utilities/values/columns.ts'
import { says, type Changes } from './changes.ts'

type Decode = (messages: Messages) => Promise<Changes>

/** Of a record; what decodes the fields that are sent. */
export function withComputed(record: RecordSchema, decode: Decode): Decode {
  const compute = computedFields(record)
  if (!compute) return decode
  return async (messages) => {
    const changes = await decode(messages)
    const { rows, put, said, dead } = changes
    const places: Column = { kind: 'int', values: Float64Array.from({ length: rows.count }, (_, row) => row) }
    const { columns, misfits } = compute({ ...rows, byName: new Map([...rows.byName, ['_seq', places]]) })
    const byName = new Map([...columns.byName].filter(([name]) => name !== '_seq'))
    if (misfits.length === 0) return { ...changes, rows: { count: columns.count, byName } }
    const saidNow = Uint8Array.from(said)
    for (const { row } of misfits) saidNow[put[row]!] = says.dead
    const unfit = misfits.map(({ row, column, reason }) => ({ message: put[row]!, reason: `${column}: ${reason}` }))
    return {
      ...changes,
      said: saidNow,
      rows: { count: columns.count, byName },
      put: put.filter((message) => saidNow[message] === says.put),
      dead: [...dead, ...unfit].sort((a, b) => a.message - b.message),
    }
  }
}
