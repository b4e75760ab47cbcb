/** What inflow holds of each source file, and how rows of several files are numbered one behind the other. */
import { covers, type Ranges } from '../schemas/selection.ts'
import type { Checkpoints, Save } from '../utilities/checkpoint/checkpoint.ts'
import { Problem } from '../utilities/problem.ts'
import type { SourceIdentity } from '../utilities/source/source.ts'
import { fromBytes, toBytes, type Position } from './checkpoint.ts'
import { inflowTopic } from './inflow.ts'

/** `_seq` of a row is its number in the file plus `base`; the ranges are of `_seq`. */
export type HeldSource = { readonly identity: SourceIdentity; readonly base: number; readonly ranges: Ranges }

const heldName = `produced/${inflowTopic}`

export async function loadHeld(checkpoints: Checkpoints): Promise<readonly HeldSource[]> {
  const saved = (await checkpoints.load(heldName)).get('')
  return saved ? fromBytes<readonly HeldSource[]>(saved) : []
}

export const saveHeld = (held: readonly HeldSource[]): Save => ({ name: heldName, key: '', value: toBytes(held) })

export const holds = (held: readonly HeldSource[], seq: number) => held.some(({ ranges }) => covers(ranges, seq))

export const latestOf = ({ base, ranges }: HeldSource) => ranges.at(-1)?.[1] ?? base

/** What has been numbered so far, by `produce` or by `backfill`. */
async function numbered(checkpoints: Checkpoints): Promise<readonly { identity: SourceIdentity; base: number; latest: number }[]> {
  const positions = await Promise.all((await checkpoints.names('position/')).map(async (name) => fromBytes<Position>((await checkpoints.load(name)).get('')!)))
  const pieces = positions.flatMap(({ history }) => history).filter((piece) => piece.kind === 'batch')
  return [
    ...(await loadHeld(checkpoints)).map((source) => ({ identity: source.identity, base: source.base, latest: latestOf(source) })),
    ...pieces.map(({ source, base, lastSeq }) => ({ identity: source, base, latest: lastSeq })),
  ]
}

/** The number to add to this file's row numbers: the same as before for the same content, 0 for the first file, behind all others with `carryOn`. */
export async function baseFor(checkpoints: Checkpoints, identity: SourceIdentity, carryOn: boolean): Promise<number> {
  const known = await numbered(checkpoints)
  const same = known.find((one) => one.identity.sha256 === identity.sha256)
  if (same) return same.base
  const previous = known.at(-1)
  if (!previous) return 0
  if (!carryOn) {
    throw new Problem(`rows so far came from ${describe(previous.identity)}, and ${describe(identity)} is another file`,
      'Use the same file, or pass --continue to number this one on behind it.')
  }
  return Math.max(...known.map(({ latest }) => latest))
}

const describe = ({ name, size, sha256 }: SourceIdentity) => `${name} (${size} bytes, sha256 ${sha256.slice(0, 12)}…)`
