/** What inflow holds of each file: what `produce` has recorded in the same commits as the records. */
import type { Take } from '../schemas/selection.ts'
import type { Checkpoints, Save } from '../utilities/checkpoint/checkpoint.ts'
import { fromBytes, toBytes } from './checkpoint.ts'
import { inflowTopic } from './inflow.ts'
import { heldOf } from './kept-before.ts'
import type { Recorded } from './strangers.ts'

const heldName = `produced/${inflowTopic}`

export async function loadHeld(checkpoints: Checkpoints): Promise<readonly Take[]> {
  const saved = (await checkpoints.load(heldName)).get('')
  return saved ? heldOf(fromBytes(saved)) : []
}

export const saveHeld = (held: readonly Take[]): Save => ({ name: heldName, key: '', value: toBytes(held) })

export const latestOf = (takes: readonly Pick<Take, 'lastSeq'>[]): number => Math.max(0, ...takes.map(({ lastSeq }) => lastSeq))

/** What is recorded comes in the same commit as the records: whoever has read a record finds it. */
export function recordedIn(checkpoints: Checkpoints): Recorded {
  let last: number | null = null
  return {
    async upTo(beyond) {
      if (last !== null && beyond <= last) return last
      const held = await loadHeld(checkpoints)
      return (last = held.length === 0 ? null : latestOf(held))
    },
  }
}
