/** `promote`, `rollback`, `retire`: what SQL users see changes at once; the rows a version lacks are filled afterwards. */
import { checkHistory } from '../batch/replay.ts'
import { loadPositions, loadState, running, saveState, type Position, type Run } from '../feature-defs/checkpoint.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { Problem } from '../utilities/problem.ts'
import type { VersionRecord } from '../utilities/warehouse/warehouse.ts'
import { acted, act, toTop, type Actor } from './acts.ts'
import { isComputed, overdue } from './check.ts'
import { advance, catchUp, forgetFill, revived, type VersionPorts, type Watch } from './growth.ts'
import { handover, refuseAmidstBackfill } from './handover.ts'
import { endRuns, labelLive, shadowsOf, staleLabels, withEnded } from './live.ts'
import { promotedOf } from './layout.ts'

export type PromoteOptions = Watch & { readonly set: string; readonly version: number; readonly actor: Actor }

/** Refuses what cannot be shown; says whether it is shown already and complete. */
export async function checkPromote({ registry, checkpoints, warehouse }: VersionPorts, set: string, version: number): Promise<'nothing' | 'swap' | 'fill'> {
  const records = await warehouse.versions(set)
  const mine = records.find((one) => one.version === version)
  if (!mine) throw new Problem(`${set}@${version} is not applied`, `Run: tidemark apply ${set}@${version}`)
  if (mine.state === 'retired') throw new Problem(`${set}@${version} is retired: its rows are gone`, 'Apply its definition again as the next version.')
  const computed = isComputed(await loadPositions(checkpoints, set), version)
  if (mine.state === 'registered' || mine.state === 'filling' || !computed) {
    throw new Problem(`the history of ${set}@${version} is not complete, so it cannot be shown`, `Finish it: tidemark apply ${set}@${version} --${mine.mode}`)
  }
  if (promotedOf(records)?.version !== version) return 'swap'
  return (await isComplete({ registry, checkpoints }, set, version, records)) ? 'nothing' : 'fill'
}

/** Whether the command that showed the version came to its end: it is computed, nothing runs on beside it, and the registry says so. */
async function isComplete(ports: Pick<VersionPorts, 'registry' | 'checkpoints'>, set: string, version: number, records: readonly VersionRecord[]): Promise<boolean> {
  const positions = await loadPositions(ports.checkpoints, set)
  const computed = positions.every((position) => running(position).some((run) => run.version === version))
  return computed && overdue(positions, records).length === 0 && (await staleLabels(ports, set)).length === 0
}

/** Before the swap: a version that lacks rows which nobody could compute any more stays where it is. */
async function refuseUnfillable(ports: VersionPorts, set: string, version: number, signal: AbortSignal): Promise<void> {
  const needs = (await loadPositions(ports.checkpoints, set)).flatMap((position, partition) => {
    const { until } = lastRun(position, version)
    return until === null ? [] : [{ partition, history: position.history, after: until }]
  })
  await checkHistory(ports, needs, signal)
}

/** Puts a version on top of the chain. */
export async function promote(ports: VersionPorts, options: PromoteOptions): Promise<void> {
  const { set, version, actor } = options
  await refuseAmidstBackfill(ports, set)
  await refuseUnfillable(ports, set, version, options.signal)
  const records = await ports.warehouse.versions(set)
  const mine = records.find((one) => one.version === version)!
  if (promotedOf(records)?.version !== version) {
    const { promotion, superseded } = toTop(records, mine)
    await act(ports, set, [...superseded, acted(mine, ports.clock, actor, 'promote', { state: 'promoted', promotion })])
  }
  await goOnWith(ports, options)
}

/** Takes the promoted version off the chain: the one before it is shown again. */
export async function rollback(ports: VersionPorts, { set, ...options }: Omit<PromoteOptions, 'version'>): Promise<number> {
  const { top, before } = await checkRollback(ports, set)
  await refuseAmidstBackfill(ports, set)
  if (before) {
    await refuseUnfillable(ports, set, before.version, options.signal)
    // One transaction, one moment.
    const now = ports.clock()
    const down = acted(top, () => now, options.actor, 'rollback', { state: 'rolled back', promotion: null })
    const up = acted(before, () => now, options.actor, `shown again: rollback of ${set}@${top.version}`, { state: 'promoted' })
    await act(ports, set, [down, up])
  }
  const version = before?.version ?? top.version
  await goOnWith(ports, { set, version, ...options })
  return version
}

/** `before` is missing when an earlier rollback was cut short after the swap: then only its filling is left to do. */
export async function checkRollback({ registry, checkpoints, warehouse }: Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>, set: string): Promise<{ readonly top: VersionRecord; readonly before: VersionRecord | undefined }> {
  const records = await warehouse.versions(set)
  const [top, before] = records.filter(({ promotion }) => promotion !== null).sort((a, b) => b.promotion! - a.promotion!)
  if (!top) throw new Problem(`no version of ${set} is applied`, `Run: tidemark apply ${set}@0`)
  const cutShort = top.acts.at(-1)?.act.startsWith('shown again') && !(await isComplete({ registry, checkpoints }, set, top.version, records))
  if (cutShort) return { top, before: undefined }
  if (!before) throw new Problem(`${set}@${top.version} is the only version that SQL users have seen`, `There is nothing to go back to; see: tidemark versions ${set}`)
  return { top, before }
}

/** Makes the shown version live again, fills the rows it lacks, and stops the one that was shown before. */
async function goOnWith(ports: VersionPorts, { set, version, ...watch }: PromoteOptions): Promise<void> {
  const { definition } = (await knownVersions(ports.registry, set)).find((one) => one.definition.version === version)!
  const stopped = (await loadPositions(ports.checkpoints, set)).flatMap((position, partition) => {
    const run = lastRun(position, version)
    return run.until === null ? [] : [{ partition, run }]
  })
  const shadows = await shadowsOf(ports, set)
  for (const { partition, run } of stopped) {
    const growth = await revived(ports, definition, partition, run)
    await catchUp(ports, growth, watch)
    await handover(ports, { set, partition, by: `the return to ${set}@${version}` }, async (position) => {
      await advance(ports, growth, position, watch)
      const ended = withEnded(position, version, shadows)
      const runs = ended.runs.map((one) => (one.version === version ? { ...one, until: null } : one))
      return { position: { ...ended, runs }, save: [...saveState(set, version, partition, growth.lineage.snapshot()), ...(await forgetFill(ports, growth))] }
    })
  }
  if (stopped.length < (await loadPositions(ports.checkpoints, set)).length) await endRuns(ports, set, version)
  await labelLive(ports, set)
}

const lastRun = ({ runs }: Position, version: number): Run => runs.findLast((one) => one.version === version)!

/** Refuses while SQL users see any row of the version. */
export async function checkRetire({ registry, checkpoints, warehouse }: Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>, set: string, version: number): Promise<'nothing' | 'retire'> {
  const records = await warehouse.versions(set)
  const mine = records.find((one) => one.version === version)
  if (!mine) throw new Problem(`${set}@${version} is not applied`, `See what is: tidemark versions ${set}`)
  if (promotedOf(records)?.version === version) throw new Problem(`${set}@${version} is the promoted version`, `Promote another one first: tidemark promote ${set}@N`)
  if (mine.promotion !== null) {
    const { rows } = await warehouse.query(`SELECT count(*), min(_seq), max(_seq) FROM ${set} WHERE _version = ${version}`)
    const [count, first, last] = rows[0]!
    if (Number(count) > 0) {
      throw new Problem(`${set} still shows ${count} rows of ${set}@${version} (records ${first} to ${last})`, `Give the promoted version rows for them with a backfill; only then can ${set}@${version} be retired.`)
    }
  }
  const gone = mine.state === 'retired' && (await warehouse.extent(set, version)) === undefined
  return gone && (await staleLabels({ registry, checkpoints }, set)).length === 0 ? 'nothing' : 'retire'
}

export async function retire(ports: VersionPorts, { set, version, actor }: PromoteOptions): Promise<void> {
  await refuseAmidstBackfill(ports, set)
  const mine = (await ports.warehouse.versions(set)).find((one) => one.version === version)!
  // Its view goes first: nobody reads rows that are being deleted.
  await act(ports, set, [acted(mine, ports.clock, actor, 'retire', { state: 'retired', promotion: null })])
  for (const partition of (await loadPositions(ports.checkpoints, set)).keys()) {
    await handover(ports, { set, partition, by: `the end of ${set}@${version}` }, async (position) => ({
      position: { ...position, runs: position.runs.map((run) => (run.version === version && run.until === null ? { ...run, until: position.seq } : run)) },
      save: saveState(set, version, partition, new Map([...(await loadState(ports.checkpoints, set, version, partition)).keys()].map((key) => [key, null]))),
    }))
  }
  await ports.warehouse.remove(set, version, { first: 0, last: Number.MAX_SAFE_INTEGER })
  await labelLive(ports, set)
}
