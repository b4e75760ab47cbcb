/** The consumer: reads the inflow of a stream, runs every live version of a feature set over it, and commits rows and checkpoint as one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { extendHistory, joinSpans, loadPosition, savePosition, writerName, type Position, type Span } from '../streams/position.ts'
import { deadLetters } from '../streams/dead-letters.ts'
import { label } from '../feature-defs/feature-set.ts'
import { noNumbersCounter, type NoNumbers } from '../feature-defs/models/no-numbers.ts'
import type { Reading } from '../streams/inflow.ts'
import { intakeOf } from '../streams/intake.ts'
import { leftBehind } from '../streams/left-behind.ts'
import { saveState } from '../streams/state.ts'
import { saveDues } from '../streams/dues.ts'
import { wholeGroups, type Taken } from '../streams/whole-groups.ts'
import { ownerOf, type OfSet, type Stream } from '../streams/stream.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Fenced, type Append, type Fetched, type Log, type Writer } from '../utilities/log.ts'
import type { Models } from '../utilities/models.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import { mostBytes, openGroups, overFacts, runsAfter, streamAtWork, unreadBySome, type Group } from './at-work.ts'
import { amidstBackfill, waitFor } from './wait-for.ts'

/** The group of consumers that share the partitions of an owner's stream. */
export const consumers = (owner: string) => `consume-${owner}`

export type ConsumerPorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly models: Models
  readonly clock: Clock
}

export type ConsumeOptions = {
  /** A version of the set that is over the stream: all that have their places there are computed. */
  readonly over: OfSet
  readonly partition: number
  /** Stay and wait for more at the end of inflow. */
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly report: (news: ConsumeNews) => void
}

type ConsumeNews =
  | {
      readonly kind: 'batch'
      readonly stream: Stream
      readonly rows: number
      readonly duplicates: number
      readonly dead: number
      /** Values of features that their types had no room for. */
      readonly beyond: number
      /** For how many rows models gave no number; left out where there are none. */
      readonly noNumbers?: NoNumbers
      readonly seq: number
      readonly offset: number
    }
  | { readonly kind: 'running'; readonly partition: number; readonly versions: readonly string[]; readonly afterSeq: number }
  | { readonly kind: 'waiting'; readonly why: string }

/** Everything that runs on one partition between taking the writer and losing it. */
type Turn = {
  readonly writer: Writer
  readonly groups: readonly Group[]
  /** What is computed; the commit of the last batch may still be under way. */
  position: Position
  committed: boolean
}

/** Works on one partition until the signal aborts, or to the end of inflow. */
export async function consume(ports: ConsumerPorts, options: ConsumeOptions): Promise<void> {
  for (let fenced = 0; !options.signal.aborted; fenced++) {
    const turn = await takeTurn(ports, options)
    if (!turn) return
    try {
      return await runTurn(ports, options, turn)
    } catch (error) {
      // Another command took the writer to switch versions or to backfill: what was not committed is computed again from what it saved.
      if (!(error instanceof Fenced)) throw error
      if (turn.committed) fenced = 0
      // Again and again without a batch in between is another consumer, to which the partition is about to go or which is about to lose it.
      if (fenced > 0) await pause(Math.min(2000, 25 * 2 ** fenced), options.signal)
    } finally {
      await turn.writer.close()
    }
  }
}

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined)

async function takeTurn(ports: ConsumerPorts, options: ConsumeOptions): Promise<Turn | undefined> {
  const { log, checkpoints } = ports
  const { over, partition, report, signal } = options
  const { set } = over
  const owner = ownerOf(over)
  let said = ''
  const isLeft = leftBehind(ports.clock)
  while (!signal.aborted) {
    const waiting = waitFor(await loadPosition(checkpoints, owner, partition), isLeft, partition)
    if (waiting === null) {
      // The writer first, then the position: nobody can move it any more once the name is ours.
      const writer = await log.writer(writerName(owner, partition))
      const position = await loadPosition(checkpoints, owner, partition)
      if (waitFor(position, isLeft, partition) === null) {
        const turn = { writer, position, committed: false, groups: await openGroups(ports, set, partition, position) }
        const atWork = turn.groups.flatMap((group) => group.atWork)
        report({ kind: 'running', partition, versions: atWork.map(({ definition }) => label(definition)), afterSeq: position.seq })
        return turn
      }
      await writer.close()
    } else {
      const { why, until } = waiting
      if (!options.follow && until === 'the backfill is finished') throw amidstBackfill(why)
      if (!options.follow && until === 'a version is applied') throw new Problem(why, `Finish it: tidemark apply ${set}@0`)
      if (!options.follow && until === 'a version goes on') return undefined
      if (why !== said) report({ kind: 'waiting', why })
      said = why
      await pause(until === 'a version goes on' ? 2000 : 20, signal)
    }
  }
  return undefined
}

async function runTurn(
  { log, registry, clock }: ConsumerPorts,
  { over, partition, follow, signal, report }: ConsumeOptions,
  turn: Turn,
): Promise<void> {
  const { set } = over
  const owner = ownerOf(over)
  const stream = streamAtWork(turn.groups)
  const toDead = await deadLetters(registry, stream, await log.largestMessage(stream.dead))
  const most = await mostBytes(log, turn.groups)
  const readers = turn.groups.map(({ reader }) => reader.id)
  // A commit that fails while the consumer waits for more must not wait for it too.
  const failed = new AbortController()
  const commits = oneAhead(() => failed.abort())
  const stop = AbortSignal.any([signal, failed.signal])
  const read = (fetched: Fetched) => Promise.all(turn.groups.map(({ reader }) => reader.read(fetched, most)))
  const fetching = log.read(stream.inflow, { partition, from: turn.position.offset, joined: true, follow, signal: stop })
  const batches = overFacts(turn.groups) ? wholeGroups(fetching, read, stop) : asTheyCome(fetching, read)
  for await (const { fetched, readings } of batches) {
    const before = turn.position
    const append: Append[] = []
    const save: Save[] = []
    let beyond = 0
    const noNumbers = noNumbersCounter()
    const { taken: lots, records, firstSeq, lastSeq, duplicates, dead: unreadable } = intakeOf(readings, before.seq)
    const madeBy = new Map<number, number>()
    let tick = before.tick
    for (const [i, { atWork }] of turn.groups.entries()) {
      const taken = lots[i]!
      if (taken.rows.length === 0) continue
      for (const { definition, layers, maker, messagesOf } of atWork) {
        const made = await maker.push(taken.columns)
        if (made.records.count > 0) append.push({ topic: stream.outflow, partition, batch: messagesOf(taken, made, clock()) })
        beyond += maker.beyond()
        noNumbers.add(label(definition), maker.noNumbers())
        save.push(...saveState({ set, partition }, layers, maker.changes()), ...saveDues({ set, partition }, layers, maker.dueChanges()))
        tick = maker.tick() ?? tick
        madeBy.set(definition.version, made.records.count)
      }
    }
    const dead = [...unreadable, ...unreadBySome(turn.groups, lots)]
    if (dead.length > 0) append.push(toDead(dead, partition))

    const { offset: from, next: to } = fetched
    const unrecorded = unrecordedIn(readings)
    const piece = {
      kind: 'inflow',
      from,
      to,
      firstSeq,
      lastSeq,
      rows: records,
      readers,
      ...(most < Infinity && { most }),
      ...(unrecorded.length > 0 && { unrecorded }),
    } as const
    const after: Position = {
      ...before,
      seq: lastSeq,
      offset: fetched.next,
      duplicates: before.duplicates + duplicates,
      dead: before.dead + dead.length,
      ...(tick !== undefined && { tick }),
      runs: runsAfter(turn.groups, before.runs, lots, madeBy),
      history: extendHistory(before.history, piece),
    }
    // Rows, state and position in one commit: a crash before it repeats the batch, after it goes on behind it.
    // It is under way while the next batch is computed.
    const taken = { group: consumers(owner), topic: stream.inflow, partition, next: fetched.next }
    await commits.begin(async () => {
      await turn.writer.commit({ append, save: [...save, savePosition(owner, partition, after)], taken })
      turn.committed = true
      report({
        kind: 'batch',
        stream,
        rows: records,
        duplicates,
        dead: dead.length,
        beyond,
        ...noNumbers.found(),
        seq: lastSeq,
        offset: fetched.next,
      })
    })
    turn.position = after
    if (signal.aborted) break
  }
  await commits.settled()
}

async function* asTheyCome(batches: AsyncIterable<Fetched>, read: (fetched: Fetched) => Promise<readonly Reading[]>): AsyncIterable<Taken> {
  for await (const fetched of batches) yield { fetched, readings: await read(fetched) }
}

/** Where messages stood that look like records, and that no producer has recorded. */
function unrecordedIn(readings: readonly Reading[]): readonly Span[] {
  const offsets = readings.flatMap(({ dead }) => dead.filter(({ unrecorded }) => unrecorded).map(({ offset }) => offset))
  return offsets.length === 0 ? [] : joinSpans([...new Set(offsets)].sort((a, b) => a - b).map((offset) => [offset, offset + 1]))
}
