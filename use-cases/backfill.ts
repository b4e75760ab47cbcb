/** `backfill`: years of a file into the warehouse, leaving the checkpoint that the stream resumes from. */
import { backfill, undoBackfill } from '../batch/backfill.ts'
import type { Backfilled, BackfillOptions, BackfillPorts } from '../batch/share.ts'
import { loadPositions } from '../streams/position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { refuseFacts } from '../streams/of-tables.ts'
import { claimRegistry } from '../streams/store.ts'
import type { VersionPorts } from '../versions/bring.ts'
import type { Actor } from '../versions/promote.ts'
import { readOf, refuseNothing, type Rejecting } from './file-rows.ts'

/** With all that was read, and the file of the lines rejected, where there are any. */
export type BackfilledYears = Backfilled & { readonly read: number; readonly set: string; readonly rejects: string | null }

type BackfillAsked = BackfillOptions & {
  /** Every version of the set as the code has it: the first is applied where none is. */
  readonly chain: readonly Definition[]
  readonly partitions: number
  readonly actor: Actor
  /** Its name as it was given. */
  readonly file: string
  /** Hears that the first version was applied. */
  readonly firstApplied: () => void
}

type Ports = VersionPorts & Omit<BackfillPorts, 'rejects'> & Rejecting

export async function backfillYears(ports: Ports, asked: BackfillAsked): Promise<BackfilledYears> {
  const { set, years, signal, report, chain, partitions, actor, file } = asked
  refuseFacts(chain[0]!.record)
  await claimRegistry(ports)
  if ((await loadPositions(ports.checkpoints, set)).some(({ runs }) => runs.length === 0)) {
    // Nobody can see a difference yet: the first version needs no decision. Batches that come after it need none of this.
    const [{ apply }, { beginAnew }] = await Promise.all([import('../versions/apply.ts'), import('../sink/begin-anew.ts')])
    await ports.source.prove(signal)
    await apply(ports, { chain, version: 0, mode: 'first', partitions, actor, signal, report: () => {} })
    await beginAnew(ports, chain[0]!)
    asked.firstApplied()
  }
  report({ rows: 0, seq: 0 })
  const rejects = ports.rejectsPath(set)
  const done = await backfill({ ...ports, rejects: ports.rejects(set) }, asked)
  const figures = { ...done, there: done.alreadyThere }
  refuseNothing(file, years, figures, rejects)
  return { ...done, read: readOf(figures), set, rejects: done.rejected > 0 || done.unread.length > 0 ? rejects : null }
}

export type Undone = { readonly set: string; readonly ended: 'nothing to do' | 'declined' | 'undone' }

type UndoAsked = Pick<BackfillOptions, 'set' | 'by' | 'signal'> & { readonly agree: () => Promise<boolean> }

/** Takes back what an unfinished backfill wrote. */
export async function undoYears(ports: Omit<BackfillPorts, 'source' | 'rejects'>, { set, agree, ...who }: UndoAsked): Promise<Undone> {
  if (!(await agree())) return { set, ended: 'declined' }
  return { set, ended: (await undoBackfill(ports, set, who)) ? 'undone' : 'nothing to do' }
}
