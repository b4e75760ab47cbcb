/** Spreads the rows of a file that several versions read at once over the partitions. */
import type { Routing } from '../streams/position.ts'
import { spread } from '../streams/routing.ts'
import { pick, type Columns } from '../utilities/values/columns.ts'

export type ShareTogether = { readonly partition: number; readonly readings: readonly Columns[] }

/** The records of each partition, as each can read them. */
export function spreadTogether(readings: readonly Columns[], routing: Routing): readonly ShareTogether[] {
  const shares = readings.map((records) => new Map(spread(records, routing).map(({ partition, records }) => [partition, records])))
  const partitions = [...new Set(shares.flatMap((share) => [...share.keys()]))].sort((a, b) => a - b)
  const none = readings.map((records) => pick(records, new Int32Array()))
  return partitions.map((partition) => ({ partition, readings: shares.map((share, i) => share.get(partition) ?? none[i]!) }))
}
