/** The switch of versions at a batch boundary: the checkpoint is taken from the consumer for a moment, changed, and given back. */
import { ofYears } from '../schemas/csv/selection.ts'
import { randomUUID } from 'node:crypto'
import { loadPosition, positionsOfSet, savePosition, writerName, type Position } from '../streams/position.ts'
import { holdMs } from '../streams/left-behind.ts'
import { setOfOwner } from '../streams/stream.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Fenced, type Log } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'

export type HandoverPorts = { readonly log: Log; readonly checkpoints: Checkpoints; readonly clock: Clock }

export type Changed = { readonly position: Position; readonly save: readonly Save[] }

/**
 * Changes the position of a partition, with nobody else moving it meanwhile: `change` sees the position as committed and says what it
 * becomes. A running consumer loses its writer, waits until the change is committed, and goes on from it without a restart. `stillHere` is
 * for a change that takes longer than a moment.
 */
export async function handover(
  { log, checkpoints }: Pick<HandoverPorts, 'log' | 'checkpoints'>,
  { owner, partition, by }: { readonly owner: string; readonly partition: number; readonly by: string },
  change: (position: Position, stillHere: () => Promise<void>) => Promise<Changed>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const writer = await log.writer(writerName(owner, partition))
    try {
      const position = await loadPosition(checkpoints, owner, partition)
      if (position.hold?.kind === 'backfill') throw unfinished(setOfOwner(owner), position.hold)
      const hold = async () => {
        await writer.commit({ save: [savePosition(owner, partition, { ...position, hold: { kind: 'switch', by, token: randomUUID() } })] })
        return performance.now()
      }
      // Held, so that the consumer waits instead of taking the writer back at once; void when nobody renews it, so that a kill here blocks
      // nobody.
      let heldAtMs = await hold()
      const changed = await change({ ...position, hold: null }, async () => {
        if (performance.now() - heldAtMs > holdMs / 4) heldAtMs = await hold()
      }).catch(async (error: unknown) => {
        // Nobody need wait for what has failed.
        await writer.commit({ save: [savePosition(owner, partition, { ...position, hold: null })] }).catch(() => {})
        throw error
      })
      await writer.commit({ save: [...changed.save, savePosition(owner, partition, { ...changed.position, hold: null })] })
      return
    } catch (error) {
      if (!(error instanceof Fenced) || attempt === 20) throw error
    } finally {
      await writer.close()
    }
  }
}

/** To be called before anything is changed: the handover itself would refuse only when half is done. */
export async function refuseAmidstBackfill({ checkpoints }: Pick<HandoverPorts, 'checkpoints'>, set: string): Promise<void> {
  for (const { position } of await positionsOfSet(checkpoints, set))
    if (position.hold?.kind === 'backfill') throw unfinished(set, position.hold)
}

type BackfillHold = { readonly by: string; readonly years: readonly [number, number]; readonly source: { readonly name: string } }

export const unfinished = (set: string, { years, source, by }: BackfillHold) =>
  new Problem(
    `a backfill${ofYears(years)} of ${set} from ${source.name} (${by}) has not finished`,
    `Let it finish, run it again to finish it, or take it back: tidemark backfill --features ${set} --undo`,
  )
