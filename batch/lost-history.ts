/** Why history cannot be replayed, and what to do then. */
import type { BatchPiece, InflowPiece } from '../streams/position.ts'
import { Problem } from '../utilities/values/problem.ts'

export const deleted = (piece: InflowPiece, first: number) =>
  new Problem(
    `history is not complete: rows ${piece.firstSeq} to ${piece.lastSeq} came from inflow, ` +
      `and its records before offset ${first} are deleted`,
    'Restore the log from a copy; to go on without these records, apply the next version with --cold, which needs no history.',
  )

export const gone = (piece: InflowPiece) =>
  new Problem(
    `history is not complete: rows ${piece.firstSeq} to ${piece.lastSeq} came from an inflow that was deleted since`,
    'To go on without these records, apply the next version with --cold, which needs no history.',
  )

export const incomplete = (piece: BatchPiece, why: string) =>
  new Problem(
    `history is not complete: rows ${piece.firstSeq} to ${piece.lastSeq} were ingested from ${piece.source.name} (sha256 ` +
      `${piece.source.sha256.slice(0, 12)}…), and ${why}`,
    'Put that file back, or point source.file in the config (or --file) at it.',
  )
