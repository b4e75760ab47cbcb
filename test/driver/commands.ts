/** The functions that the commands call, as they call them: the one file that knows their signatures. */
import type { Ports } from '../../config/wire.ts'
import type { Source } from '../../utilities/source.ts'
import { applyVersion } from '../../use-cases/apply.ts'
import { backfillYears, undoYears } from '../../use-cases/backfill.ts'
import { compareVersions } from '../../use-cases/diff.ts'
import { looksAtStore } from '../../use-cases/doctor-store.ts'
import { produceYears } from '../../use-cases/produce.ts'
import { promoteVersion, retireVersion, rollBack } from '../../use-cases/promote.ts'
import { repairSets } from '../../use-cases/repair.ts'
import { consumeInflow } from '../../use-cases/consume.ts'
import { sinkOutflow } from '../../use-cases/sink.ts'
import { verifyVersion } from '../../use-cases/verify.ts'
import { unfinishedIn } from '../../versions/unfinished.ts'
import type { DrivenSet } from './sets.ts'
import type { Command, Said } from './step.ts'

export type With = {
  readonly set: DrivenSet
  readonly partitions: number
  readonly source: Source
  readonly signal: AbortSignal
}

export async function runCommand(ports: Ports, command: Command, given: With): Promise<Said | undefined> {
  const {
    set: { set, chain, per },
    partitions,
    source,
    signal,
  } = given
  const watch = { actor: { who: 'driver', why: null }, partitions, signal, report: () => {}, note: () => {} }
  const asking = { ...watch, agree: async () => true, tell: () => {} }
  const file = { ...watch, strict: false, continue: false, file: source.place }
  const version = 'version' in command ? command.version : 0
  switch (command.do) {
    case 'apply':
      return void (await applyVersion(ports, { chain, version, mode: command.mode, show: () => {}, ...asking }))
    case 'promote': {
      const limits = { maxChanged: undefined, maxNulls: undefined }
      return void (await promoteVersion(ports, { set, version, limits, compared: () => {}, ...asking }))
    }
    case 'rollback':
      return void (await rollBack(ports, { set, ...asking }))
    case 'retire':
      return void (await retireVersion(ports, { set, version, ...asking }))
    case 'produce': {
      const { record } = chain.at(-1)!
      return void (await produceYears({ ...ports, source }, { record, per, years: command.years, ...file }))
    }
    case 'backfill': {
      const { years } = command
      return void (await backfillYears({ ...ports, source }, { set, chain, years, by: 'driver', firstApplied: () => {}, ...file }))
    }
    case 'undo':
      return void (await undoYears(ports, { set, by: 'driver', ...asking }))
    case 'consume':
      return void (await consumeInflow(ports, { follow: false, nothingYet: async () => 'Apply a version.', ...watch }))
    case 'sink':
      return void (await sinkOutflow(ports, { follow: false, partitionsFor: () => watch.partitions, ...watch }))
    case 'verify': {
      const proof = await verifyVersion(ports, { set, version, ...watch })
      return proof && { equal: proof.equal, named: proof.first.map(({ seq }) => seq) }
    }
    case 'diff':
      return void (await compareVersions(ports, { set, from: command.from, to: command.to, ...watch }))
    case 'repair':
      return void (await repairSets(ports, { only: set, signal, reportOn: () => () => {} }))
  }
}

/** What doctor looks at without reading every row. */
export const quickChecks = ['unfinished work', 'tables and views', 'rows'] as const

export async function complaintsOf(ports: Ports): Promise<readonly string[]> {
  const looks = looksAtStore(ports, undefined, '')
  const found = await Promise.all(quickChecks.map((check) => looks[check]()))
  return found.flatMap((one) => (one.todo === undefined ? [] : [one.found]))
}

/** What is left to do, each with the command that does it. */
export const unfinished = (ports: Ports, set: string): Promise<readonly string[]> => unfinishedIn(ports, set)
