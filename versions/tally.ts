/** The quick part of a proof: how many rows each version must have by what was taken, beside how many the warehouse has. */
import { positionsOfSet, rowsTaken } from '../streams/position.ts'
import type { VersionPorts } from './bring.ts'
import { isComplete } from './journal.ts'
import { loadState } from './keep.ts'
import { countOnTheWay } from './on-the-way.ts'

export type Tally = {
  readonly set: string
  readonly version: number
  /** Records that it owns and can read, or over facts the rows that it made of them; and those that only others can. */
  readonly taken: number
  readonly unread: number
  readonly rows: number
  /** Computed, and still to be written by the sink. */
  readonly onTheWay: number
  readonly addsUp: boolean
}

/** Of every version that can be counted: those of a set that a command is at work on, or left unfinished, are not looked at. */
export async function tally(ports: Omit<VersionPorts, 'clock' | 'openSource'>, set: string): Promise<readonly Tally[]> {
  const state = await loadState(ports, set)
  if (state.begun) return []
  const tallies: Tally[] = []
  for (const own of state.versions) {
    if (own.retired || !isComplete(own)) continue
    // The way first, and the position last: what moves meanwhile is counted once too often here, never missed.
    const before = await owned(ports, set, own.version)
    const onTheWay = await countOnTheWay(ports, own.schema.id)
    const rows = (await ports.warehouse.extent(set, own.version))?.rows ?? 0
    const after = await owned(ports, set, own.version)
    if (before === undefined || after === undefined) continue
    const { taken, unread } = after
    const moved = taken - before.taken
    tallies.push({ set, version: own.version, taken, unread, rows, onTheWay, addsUp: rows <= taken && rows + onTheWay + moved >= taken })
  }
  return tallies
}

/** How many records the version owns, and of facts how many rows it made of them; undefined where a store of before has not counted. */
async function owned(
  { checkpoints }: Pick<VersionPorts, 'checkpoints'>,
  set: string,
  version: number,
): Promise<Pick<Tally, 'taken' | 'unread'> | undefined> {
  const sum = { taken: 0, unread: 0 }
  const all = await positionsOfSet(checkpoints, set)
  const first = all.find(({ position }) => position.runs.some((one) => one.version === version))
  for (const { position } of all.filter(({ owner }) => owner === first?.owner)) {
    const run = position.runs.findLast((one) => one.version === version)
    if (run?.made !== undefined) {
      sum.taken += run.made
      continue
    }
    const until = run?.until === null ? rowsTaken(position) : run?.untilRows
    const after = run?.after === 0 ? 0 : run?.afterRows
    if (until === undefined || after === undefined) return undefined
    const unread = run?.unread ?? 0
    sum.taken += until - after - unread
    sum.unread += unread
  }
  return sum
}
