/** The messages of a batch by the schema that wrote them: where several versions are live, their messages take turns. */
import { runsOfId, type SchemaRun } from '../schemas/wire.ts'
import type { Batch } from '../utilities/log.ts'

/** Messages from..to (to excluded) of a batch. */
type Piece = { readonly batch: Batch; readonly from: number; readonly to: number }

const startOf = ({ ends }: Batch, message: number) => (message === 0 ? 0 : ends[message - 1]!)

export function joinedPieces(pieces: readonly Piece[]): Batch {
  const ends = new Uint32Array(pieces.reduce((sum, { from, to }) => sum + to - from, 0))
  let [at, before] = [0, 0]
  for (const { batch, from, to } of pieces) {
    const shift = before - startOf(batch, from)
    for (let i = from; i < to; i++) ends[at++] = batch.ends[i]! + shift
    before = ends[at - 1] ?? 0
  }
  const bytes = Buffer.concat(pieces.map(({ batch, from, to }) => batch.bytes.subarray(startOf(batch, from), startOf(batch, to))))
  return {
    bytes,
    ends,
    ...(pieces.every(({ batch }) => batch.keys) && { keys: pieces.flatMap(({ batch, from, to }) => batch.keys!.slice(from, to)) }),
  }
}

export type RunOfId = Piece &
  Pick<SchemaRun, 'id' | 'compression'> & { /** Where a message of it stood before. */ readonly was: (message: number) => number }

/** The messages of each id together, in their order. */
export function runsTogether(batch: Batch): readonly RunOfId[] {
  const byHeader = new Map<string, SchemaRun[]>()
  for (const run of runsOfId(batch)) {
    const header = `${run.id} ${run.compression}`
    byHeader.set(header, [...(byHeader.get(header) ?? []), run])
  }
  return [...byHeader.values()].map((runs) => {
    const { id, compression, from, to } = runs[0]!
    if (runs.length === 1) return { id, compression, batch, from, to, was: (message) => message }
    const one = joinedPieces(runs.map((run) => ({ batch, from: run.from, to: run.to })))
    const before = runs.flatMap((run) => Array.from({ length: run.to - run.from }, (_, i) => run.from + i))
    return { id, compression, batch: one, from: 0, to: one.ends.length, was: (message) => before[message]! }
  })
}
