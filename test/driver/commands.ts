/** The functions that the commands call, as they call them: the one file that knows their signatures. */
import { backfill, undoBackfill } from '../../batch/backfill.ts'
import type { Ports } from '../../config/wire.ts'
import { consumeAll } from '../../consumer/consume-all.ts'
import { loadPositions } from '../../feature-defs/checkpoint.ts'
import { produce } from '../../producer/produce.ts'
import { sink } from '../../sink/sink.ts'
import type { Source } from '../../utilities/source/source.ts'
import { apply } from '../../versions/apply.ts'
import { diff } from '../../versions/diff.ts'
import { plan } from '../../versions/plan.ts'
import { loadState } from '../../versions/keep.ts'
import { promote, retire, rollback, stillShown, wouldDo } from '../../versions/promote.ts'
import { amissInProjection } from '../../versions/project.ts'
import { repair } from '../../versions/repair.ts'
import { tally } from '../../versions/tally.ts'
import { refuseLost, unfinishedIn } from '../../versions/unfinished.ts'
import { verify } from '../../versions/verify.ts'
import type { DrivenSet } from './sets.ts'
import type { Command } from './step.ts'
import type { Said } from './store.ts'

export type With = {
  readonly set: DrivenSet
  readonly partitions: number
  readonly source: Source
  readonly rejects: ReturnType<Ports['rejects']>
  readonly signal: AbortSignal
}

export async function runCommand(ports: Ports, command: Command, given: With): Promise<Said | undefined> {
  const { set: { set, chain, per }, partitions, source, rejects, signal } = given
  const watch = { actor: { who: 'driver', why: null }, partitions, signal, report: () => {}, note: () => {} }
  const plain = { strict: false, continue: false }
  switch (command.do) {
    case 'apply': {
      const { version, mode: asked } = command
      const { changes, mode, seen } = await plan(ports, { chain, version, mode: asked, partitions })
      return changes ? void (await apply(ports, { chain, version, mode, seen, ...watch })) : undefined
    }
    case 'promote': {
      const { version } = command
      const seen = await stateOf(ports, set)
      if (wouldDo(seen, { kind: 'promote', version, by }) === 'nothing') return undefined
      return void (await promote(ports, { set, version, seen, ...watch }))
    }
    case 'rollback': return void (await rollback(ports, { set, seen: await stateOf(ports, set), ...watch }))
    case 'retire': {
      const { version } = command
      const seen = await stateOf(ports, set)
      const due = wouldDo(seen, { kind: 'retire', version, still: await stillShown(ports, seen, version), by })
      const left = due === 'nothing' && (await ports.warehouse.extent(set, version)) !== undefined
      return due !== 'nothing' || left ? void (await retire(ports, { set, version, seen, ...watch })) : undefined
    }
    case 'produce': {
      const { record } = chain.at(-1)!
      return void (await produce({ ...ports, source, rejects }, { record, per, years: command.years, ...plain, ...watch }))
    }
    case 'backfill': {
      const positions = await loadPositions(ports.checkpoints, set)
      if (positions.some(({ runs }) => runs.length === 0)) await apply(ports, { chain, version: 0, mode: 'first', ...watch })
      return void (await backfill({ ...ports, source, rejects }, { set, years: command.years, by: 'driver', ...plain, ...watch }))
    }
    case 'undo': return void (await undoBackfill(ports, set, { by: 'driver', signal }))
    case 'consume': return void (await consumeAll(ports, { follow: false, nothingYet: 'Apply a version.', ...watch }))
    case 'sink': return void (await sink(ports, { follow: false, ...watch }))
    case 'verify': {
      const { differences, first } = await verify(ports, { set, version: command.version, ...watch })
      return { equal: differences === 0, named: first.map(({ seq }) => seq) }
    }
    case 'diff': return void (await diff(ports, { set, from: command.from, to: command.to, ...watch }))
    case 'repair': return void (await repair(ports, { set, ...watch }))
  }
}

const by = { who: 'driver', at: '', why: null }

/** As a command sees it before it asks. */
async function stateOf(ports: Ports, set: string) {
  const state = await loadState(ports, set)
  await refuseLost(ports, state)
  return state
}

/** What doctor's quick part says, where something is amiss. */
export async function complaintsOf(ports: Ports, set: string): Promise<readonly string[]> {
  const { statements, records } = await amissInProjection(ports, await loadState(ports, set))
  const wrong = (await tally(ports, set)).filter(({ addsUp }) => !addsUp)
  return [
    ...(await unfinishedIn(ports, set)),
    ...(statements > 0 ? [`${set}: ${statements} statements are due`] : []),
    ...records.map((version) => `${set}@${version}: its record is another one`),
    ...wrong.map(({ version, rows, taken }) => `${set}@${version} has ${rows} rows of ${taken}`),
  ]
}

/** What is left to do, each with the command that does it. */
export const unfinished = (ports: Ports, set: string): Promise<readonly string[]> => unfinishedIn(ports, set)
