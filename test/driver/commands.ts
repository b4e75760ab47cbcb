/** The functions that the commands call, as they call them: the one file that knows their signatures. */
import { backfill, undoBackfill } from '../../batch/backfill.ts'
import type { Ports } from '../../config/wire.ts'
import { consumeAll } from '../../consumer/consume-all.ts'
import { loadPositions } from '../../feature-defs/checkpoint.ts'
import { produce } from '../../producer/produce.ts'
import { sink, sinkReader } from '../../sink/sink.ts'
import type { Source } from '../../utilities/source/source.ts'
import { Problem } from '../../utilities/problem.ts'
import { apply } from '../../versions/apply.ts'
import { diff } from '../../versions/diff.ts'
import { plan } from '../../versions/plan.ts'
import { checkPromote, checkRetire, promote, retire, rollback } from '../../versions/promote.ts'
import { unfinishedIn } from '../../versions/unfinished.ts'
import { verify } from '../../versions/verify.ts'
import type { DrivenSet } from './sets.ts'
import type { Command } from './step.ts'

export type With = { readonly set: DrivenSet; readonly partitions: number; readonly source: Source; readonly rejects: ReturnType<Ports['rejects']>; readonly signal: AbortSignal }

/** What the command has to say: verify, whether all is equal. */
export async function runCommand(ports: Ports, command: Command, { set: { set, chain, per }, partitions, source, rejects, signal }: With): Promise<boolean | undefined> {
  const watch = { actor: { who: 'driver', why: null }, partitions, signal, report: () => {}, note: () => {} }
  switch (command.do) {
    case 'apply': {
      const { version, mode: asked } = command
      const { changes, mode } = await plan(ports, { chain, version, mode: asked, partitions })
      if (!changes) return undefined
      if (asked !== mode && mode !== 'first') throw new Problem(`${set}@${version} was begun with --${mode} and is not finished`, 'Finish it so.')
      return void (await apply(ports, { chain, version, mode, ...watch }))
    }
    case 'promote': {
      const { version } = command
      return void ((await checkPromote(ports, set, version)) !== 'nothing' && (await promote(ports, { set, version, ...watch })))
    }
    case 'rollback': return void (await rollback(ports, { set, ...watch }))
    case 'retire': {
      const { version } = command
      return void ((await checkRetire(ports, set, version)) === 'retire' && (await retire(ports, { set, version, ...watch })))
    }
    case 'produce':
      return void (await produce({ ...ports, source, rejects }, { record: chain.at(-1)!.record, per, years: command.years, strict: false, continue: false, ...watch }))
    case 'backfill': {
      if ((await loadPositions(ports.checkpoints, set)).some(({ runs }) => runs.length === 0)) await apply(ports, { chain, version: 0, mode: 'first', ...watch })
      return void (await backfill({ ...ports, source, rejects }, { set, years: command.years, strict: false, continue: false, by: 'driver', ...watch }))
    }
    case 'undo': return void (await undoBackfill(ports, set))
    case 'consume': return void (await consumeAll(ports, { follow: false, nothingYet: 'Apply a version.', ...watch }))
    case 'sink': return void (await sink(ports, { follow: false, ...watch }))
    case 'verify': return (await verify(ports, { set, version: command.version, sinkReader, ...watch })).differences === 0
    case 'diff': return void (await diff(ports, { set, from: command.from, to: command.to, ...watch }))
    case 'repair': return undefined
  }
}

/** What is left to do, each with the command that does it. */
export const unfinished = (ports: Ports, set: string): Promise<readonly string[]> => unfinishedIn(ports, set)
