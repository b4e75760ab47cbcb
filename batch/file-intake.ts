/** The rows of a file that several versions read at once, as history keeps them and as partitions get them. */
import type { BatchPiece, Routing } from '../streams/position.ts'
import { spread } from '../streams/routing.ts'
import { pick, type Columns } from '../utilities/values/columns.ts'

/** The ids of the schemas that its rows were read as: what is a record by one of them is one. Pieces of before have none. */
export type ReadBatchPiece = BatchPiece & { readonly readers?: readonly string[] }

export type ShareTogether = { readonly partition: number; readonly readings: readonly Columns[] }

/** The records of each partition, as each can read them. */
export function spreadTogether(readings: readonly Columns[], routing: Routing): readonly ShareTogether[] {
  const shares = readings.map((records) => new Map(spread(records, routing).map(({ partition, records }) => [partition, records])))
  const partitions = [...new Set(shares.flatMap((share) => [...share.keys()]))].sort((a, b) => a - b)
  const none = readings.map((records) => pick(records, new Int32Array()))
  return partitions.map((partition) => ({ partition, readings: shares.map((share, i) => share.get(partition) ?? none[i]!) }))
}
