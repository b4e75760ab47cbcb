/** What commands that were cut short have left to do, and the command that does it. */
import { ofYears } from '../schemas/csv/selection.ts'
import { positionsOfSet, running, type Position } from '../streams/position.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts } from './bring.ts'
import { hasRowsOfHistory, isComplete, promotedIn, type SetState, type Version } from './journal.ts'
import { loadState } from './keep.ts'

type Ports = Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>

/** One line each; none when everything came to its end. */
export async function unfinishedIn(ports: Ports, set: string): Promise<readonly string[]> {
  const { registry, checkpoints, warehouse } = ports
  const state = await loadState(ports, set)
  const positions = (await positionsOfSet(checkpoints, set)).map(({ position }) => position)
  const lines: string[] = []
  for (const {
    definition: { version },
  } of await knownVersions(registry, set)) {
    const name = `${set}@${version}`
    const own = state.versions[version]
    if (!own) lines.push(`${name}: it is registered and nothing else. Run: tidemark apply ${name}`)
    else if (own.retired) {
      const extent = await warehouse.extent(set, version)
      if (extent) lines.push(`${name} is retired, and ${extent.rows} of its rows are still there. Run: tidemark retire ${name}`)
    } else {
      const line = leftOf(state, own, positions)
      if (line) lines.push(`${name}${line} ${name}`)
    }
  }
  if (state.begun && lines.length === 0)
    lines.push(
      `${set}@${state.begun.version} was ${inWords(state, state.begun)}, and that has not come to its end. Run: ${finishing(state)}`,
    )
  const hold = positions.map((position) => position.hold).find((one) => one?.kind === 'backfill')
  if (hold)
    lines.push(`${set}: a backfill${ofYears(hold.years)} has not finished. Run it again, or: tidemark backfill --features ${set} --undo`)
  if (await isLost(ports, state)) lines.push(`${set}: ${lostWords(set)}. Run: tidemark repair ${set}`)
  return lines
}

const inWords = ({ set }: SetState, begun: NonNullable<SetState['begun']>) =>
  begun.kind === 'rolled back' ? `rolled back to ${set}@${begun.to}` : begun.kind

/** The command that carries out what was decided last. */
function finishing(state: SetState): string {
  const { set, begun } = state
  if (begun?.kind === 'retired') return `tidemark retire ${set}@${begun.version}`
  const version = begun?.kind === 'planned' ? begun.version : promotedIn(state)
  return `tidemark ${begun?.kind === 'planned' ? 'apply' : 'promote'} ${set}@${version}`
}

/** What is wrong with the version, up to the command's arguments. */
function leftOf(state: SetState, own: Version, positions: readonly Position[]): string | undefined {
  const isPromoted = promotedIn(state) === own.version
  if (!isComplete(own)) {
    if (isPromoted) return ' is shown but not computed yet. Run: tidemark apply'
    return hasRowsOfHistory(own)
      ? ': its history is being filled, or that was interrupted. Run: tidemark apply'
      : ': it is planned and nothing else. Run: tidemark apply'
  }
  const ownPositions = positions.filter(({ runs }) => runs.some(({ version }) => version === own.version))
  if (!isPromoted || ownPositions.every((position) => running(position).some(({ version }) => version === own.version))) return undefined
  const stopped = ownPositions.flatMap(({ seq, runs }) => {
    const until = runs.findLast((run) => run.version === own.version)?.until ?? null
    return until === null ? [] : [{ seq, until }]
  })
  const lacking = stopped.filter(({ seq, until }) => seq > until)
  if (lacking.length === 0) return ' is shown, but it is not computed again yet. Run: tidemark promote'
  const [from, to] = [Math.min(...lacking.map(({ until }) => until)), Math.max(...lacking.map(({ seq }) => seq))]
  return ` is shown, but its rows of records ${from + 1} to ${to} are being filled, or that was interrupted. Run: tidemark promote`
}

/** Whether the warehouse does not know versions that were settled: somebody took it away. */
async function isLost({ warehouse }: Ports, { set, versions, begun }: SetState): Promise<boolean> {
  if (begun !== null || versions.length === 0) return false
  const known = new Set((await warehouse.versions(set)).map(({ version }) => version))
  return versions.some(({ version }) => !known.has(version))
}

const lostWords = (set: string) => `the warehouse knows nothing of versions of ${set} that were applied`

/** No command goes on over a warehouse that was lost as if it were there. */
export async function refuseLost(ports: Ports, state: SetState): Promise<void> {
  if (await isLost(ports, state))
    throw new Problem(lostWords(state.set), `Put the warehouse back, or have it made again from history: tidemark repair ${state.set}`)
}
