/** What commands that were cut short have left to do, and the command that does it. */
import { loadPositions, type Position } from '../feature-defs/checkpoint.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import type { VersionRecord } from '../utilities/warehouse/warehouse.ts'
import { isComputed, overdue } from './check.ts'
import type { VersionPorts } from './growth.ts'
import { promotedOf } from './layout.ts'
import { staleLabels } from './live.ts'

type Ports = Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>

/** One line each; none when everything came to its end. */
export async function unfinishedIn(ports: Ports, set: string): Promise<readonly string[]> {
  const { registry, checkpoints, warehouse } = ports
  const records = await warehouse.versions(set)
  const positions = await loadPositions(checkpoints, set)
  const lines: string[] = []
  for (const { definition } of await knownVersions(registry, set)) {
    const line = leftOf(definition.version, positions, records) ?? (await rowsLeft(ports, set, definition.version, records))
    if (line) lines.push(`${set}@${definition.version}${line} ${set}@${definition.version}`)
  }
  const hold = positions.map((position) => position.hold).find((one) => one?.kind === 'backfill')
  if (hold) {
    lines.push(`${set}: a backfill of ${hold.years.join('-')} has not finished. Run it again, or: tidemark backfill --features ${set} --undo`)
  }
  const promoted = promotedOf(records)
  const finish = promoted && `Run: tidemark promote ${set}@${promoted.version}`
  for (const version of overdue(positions, records)) lines.push(`${set}@${version} is not shown any more and still computed. ${finish}`)
  if (lines.length === 0 && finish && (await staleLabels(ports, set)).length > 0) lines.push(`${set}: the registry does not say yet which versions are live. ${finish}`)
  return lines
}

/** What is wrong with the version, up to the command's arguments. */
function leftOf(version: number, positions: readonly Position[], records: readonly VersionRecord[]): string | undefined {
  const record = records.find((one) => one.version === version)
  if (!record || record.state === 'registered') return ': it is registered and nothing else. Run: tidemark apply'
  if (record.state === 'filling') return ': its history is being filled, or that was interrupted. Run: tidemark apply'
  if (record.state === 'retired') return undefined
  if (!isComputed(positions, version)) return ' is shown but not computed yet. Run: tidemark apply'
  const stopped = positions.flatMap(({ seq, runs }) => {
    const { until } = runs.findLast((one) => one.version === version)!
    return until === null ? [] : [{ seq, until }]
  })
  if (promotedOf(records)?.version !== version || stopped.length === 0) return undefined
  const [from, to] = [Math.min(...stopped.map(({ until }) => until)), Math.max(...stopped.map(({ seq }) => seq))]
  const lacking = stopped.some(({ seq, until }) => seq > until) ? `its rows of records ${from + 1} to ${to} are being filled, or that was interrupted` : 'it is not computed again yet'
  return ` is shown, but ${lacking}. Run: tidemark promote`
}

/** Rows of a retired version: its end was cut short, or the sink brought some that were on their way. */
async function rowsLeft({ warehouse }: Ports, set: string, version: number, records: readonly VersionRecord[]): Promise<string | undefined> {
  if (records.find((one) => one.version === version)?.state !== 'retired') return undefined
  const extent = await warehouse.extent(set, version)
  return extent && ` is retired, and ${extent.rows} of its rows are still there. Run: tidemark retire`
}
