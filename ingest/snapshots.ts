/**
 * Snapshots of tables: what is read from the first to the last row of a new one replaces the table. Whoever asked for a snapshot while
 * changes were streaming wanted rows again, and not all of them: such a one, and an incremental one, replaces nothing.
 */
import type { Origin } from '../schemas/foreign/changes.ts'
import { compareWithSnapshot } from './newest.ts'
import { behind, runOf, type Piece } from './pieces.ts'
import { newPartition, placeFrom, savedPlace, type SnapshotPlace, type SourcePlace } from './sources.ts'

/** More than this share of the rows does not leave by itself. */
const mostLeaving = 0.1

/**
 * What a piece says of where its source is, whatever rows it has; `commit` is the number of the commit that it is to be part of, and
 * `others` are all sources as they were before it.
 */
export function sourceAfter(source: SourcePlace, piece: Piece, commit: number, others: readonly SourcePlace[]): SourcePlace {
  const { messages, changes, from, to, partition, repeated, newest, several } = piece
  let { snapshot, connector, run, streaming, passed, current, marks } = source
  let { duplicates, wentBack } = source.totals
  /** The first and the newest change of which it was not looked at yet which run sent them. */
  let unlooked: readonly [number, number] | undefined
  const lookAtRun = () => {
    if (unlooked) run = runAfter(run, piece, unlooked)
    unlooked = undefined
  }
  for (let i = from; i < to; i++) {
    const origin = changes.origins[i]
    if (!origin) continue
    connector = origin.connector
    if (origin.op !== 'r') unlooked = [unlooked?.[0] ?? i, i]
    if (repeated[i] === 1) {
      duplicates++
      continue
    }
    passed ||= origin.snapshot === 'last'
    marks ||= origin.snapshot === 'first of table' || origin.snapshot === 'last of table'
    const now = several ? runOf(piece, i) : undefined
    if (now !== undefined && now !== current?.run) current = { run: now, since: commit }
    // Of several partitions it is known since when all of them have been read by the run that made the snapshot.
    const since = several ? current?.since : commit
    if (origin.op === 'r') {
      lookAtRun()
      const isBehind = (one: SourcePlace['run']) => one !== null && one.id === origin.run && messages.times[i]! > one.since
      const isBehindChanges =
        origin.run !== undefined && ((!several && run?.id === origin.run) || isBehind(run) || others.some((other) => isBehind(other.run)))
      snapshot = snapshotAfter(snapshot, origin, { isBehindChanges, streaming, since, commit })
    } else {
      streaming = true
      // Its last row may not be marked, but changes come behind it.
      if (snapshot?.state === 'under way') snapshot = { ...snapshot, state: 'ending' }
      if (snapshot?.catchingUp) {
        if (isBeforeSnapshot(origin, snapshot)) wentBack++
        else snapshot = { ...snapshot, catchingUp: false }
      }
    }
  }
  lookAtRun()
  const partitions = [...source.partitions]
  while (partitions.length <= partition) partitions.push(newPartition)
  partitions[partition] = {
    next: behind(piece),
    time: to > from ? messages.times[to - 1]! : partitions[partition]!.time,
    newest: newest ? { op: newest.op, place: newest.place ? savedPlace(newest.place) : null } : null,
  }
  const dead = changes.dead.filter(({ message }) => message >= from && message < to && repeated[message] === 0).length
  const totals = { messages: source.totals.messages + to - from, duplicates, wentBack, dead: source.totals.dead + dead }
  return { ...source, partitions, totals, snapshot, connector, run, streaming, passed, current, marks }
}

/** Which run sent the newest change of these messages, and when it began to. */
function runAfter(run: SourcePlace['run'], piece: Piece, [first, newest]: readonly [number, number]): SourcePlace['run'] {
  const id = runOf(piece, newest)
  const { times } = piece.messages
  // Partitions are read side by side: another one may have had an earlier change of it, or a later one.
  if (id === undefined || (run?.id === id && run.since <= times[first]!)) return run
  let one = first
  while (runOf(piece, one) !== id) one++
  return { id, since: run?.id === id ? Math.min(run.since, times[one]!) : times[one]! }
}

type Row = {
  /** The run that sent it had sent changes before, of whichever table. */
  readonly isBehindChanges: boolean
  readonly streaming: boolean
  readonly since: number | undefined
  readonly commit: number
}

const openStates: readonly SnapshotPlace['state'][] = ['under way', 'ending', 'leaving', 'asks']

function snapshotAfter(before: SnapshotPlace | null, origin: Origin, row: Row): SnapshotPlace | null {
  const { snapshot: where, place } = origin
  const { isBehindChanges, streaming, since, commit } = row
  if (where === 'incremental') return before
  const id = snapshotId(origin)
  const isLast = where === 'last of table' || where === 'last'
  const isOpen = before !== null && openStates.includes(before.state)
  const run = origin.run ?? null
  // A run makes one snapshot by itself, when it begins. Of several partitions the rows of a second one may be read first.
  const isOfSameRun = before !== null && before.state !== 'adhoc' && run !== null && before.run === run
  // Without a word of the run, nobody can tell which rows of other partitions are older.
  const isAsked = isBehindChanges || isOfSameRun || (since === undefined && before !== null)
  if (before?.id === id || (isAsked && isOpen)) {
    const ends = isLast && before!.state === 'under way' && (before!.id === id || isOfSameRun)
    return ends ? { ...before!, state: 'ending' } : before
  }
  const state = isAsked ? 'adhoc' : isLast ? 'ending' : 'under way'
  return { id, run, since: since ?? commit, state, place: place ? savedPlace(place) : null, catchingUp: !isAsked && streaming }
}

/** All rows of a snapshot stand at the same place. */
export function snapshotId({ place, run }: Origin): string {
  if (!place) return `run ${run ?? ''}`
  return place.of === 'postgres' ? `${place.transaction} at ${place.lsn}` : `${place.file} at ${place.position}`
}

function isBeforeSnapshot({ place }: Origin, snapshot: SnapshotPlace): boolean {
  if (!place || !snapshot.place) return false
  const then = placeFrom(snapshot.place)
  // A change of a transaction that overlaps with others may stand before the last commit.
  if (place.of === 'postgres' && then.of === 'postgres') return place.lsn < then.lsn
  return compareWithSnapshot(place, then) < 0
}

/** Whether every partition has been read to where it ended when the last row was seen. */
export const isReadToEnds = ({ partitions, snapshot }: SourcePlace): boolean =>
  (snapshot?.ends ?? []).every((end, partition) => (partitions[partition] ?? newPartition).next >= end)

/** Once all of it has been read: whether the rows that it lacks leave now, or ask first. */
export function afterLastRow(snapshot: SnapshotPlace, { older, all }: { readonly older: number; readonly all: number }): SnapshotPlace {
  if (older === 0) return { ...snapshot, state: 'done' }
  const tooMany = older > all * mostLeaving
  return tooMany ? { ...snapshot, state: 'asks', left: older, of: all } : { ...snapshot, state: 'leaving' }
}
