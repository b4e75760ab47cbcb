/** The consumer: reads `inflow`, runs every live version of a feature set over it, and commits rows and checkpoint as one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { extendHistory, loadPosition, lookupState, running, savePosition, saveState, writerName, type BackfillHold, type Position } from '../feature-defs/checkpoint.ts'
import { deadLetters } from '../feature-defs/dead-letters.ts'
import { engine, type Engine } from '../feature-defs/engine.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { recordedIn } from '../feature-defs/held.ts'
import { inflowReader, inflowTopic, outflowTopic, type Intake } from '../feature-defs/inflow.ts'
import { fieldsRead, inputsOf } from '../feature-defs/inputs.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { leftBehind } from '../feature-defs/left-behind.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { splicer } from '../schemas/encode.ts'
import type { Checkpoints, Save } from '../utilities/checkpoint/checkpoint.ts'
import type { Clock } from '../utilities/clock.ts'
import { Fenced, type Append, type Fetched, type Log, type Writer } from '../utilities/log/log.ts'
import { oneAhead } from '../utilities/one-ahead.ts'
import { Problem } from '../utilities/problem.ts'
import type { Registry } from '../utilities/registry/registry.ts'

/** The group of consumers that share a set's partitions. */
export const consumers = (set: string) => `consume-${set}`

export type ConsumerPorts = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry; readonly clock: Clock }

export type ConsumeOptions = {
  readonly set: string
  readonly partition: number
  /** Stay and wait for more at the end of inflow. */
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly report: (news: ConsumeNews) => void
}

export type ConsumeNews =
  | { readonly kind: 'batch'; readonly rows: number; readonly duplicates: number; readonly dead: number; readonly seq: number; readonly offset: number }
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

/** The live versions over the same record: one reading of the inflow serves them all. */
type Group = { readonly read: (fetched: Fetched, afterSeq: number) => Promise<Intake>; readonly lanes: readonly Lane[] }

/** One live version at work: its engine, and how its rows become messages. */
type Lane = { readonly definition: Definition; readonly engine: Engine; readonly splice: ReturnType<typeof splicer> }

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
  const { set, partition, report, signal } = options
  let said = ''
  const isLeft = leftBehind(ports.clock)
  while (!signal.aborted) {
    const why = waitFor(await loadPosition(checkpoints, set, partition), isLeft, partition)
    if (why === null) {
      // The writer first, then the position: nobody can move it any more once the name is ours.
      const writer = await log.writer(writerName(set, partition))
      const position = await loadPosition(checkpoints, set, partition)
      if (waitFor(position, isLeft, partition) === null) {
        const turn = { writer, position, committed: false, groups: await openGroups(ports, set, partition, position) }
        const lanes = turn.groups.flatMap((group) => group.lanes)
        report({ kind: 'running', partition, versions: lanes.map(({ definition }) => label(definition)), afterSeq: position.seq })
        return turn
      }
      await writer.close()
    } else {
      if (!options.follow && why.startsWith('a backfill')) throw amidstBackfill(why)
      if (!options.follow && why.startsWith(notYet)) throw new Problem(why, `Finish it: tidemark apply ${set}@0`)
      if (why !== said) report({ kind: 'waiting', why })
      said = why
      await pause(20, signal)
    }
  }
  return undefined
}

export const amidstBackfill = (why: string) => new Problem(why, 'Let it finish, or run the same backfill again to finish it; then consume.')

export const backfillOf = (hold: BackfillHold) => `a backfill of ${hold.years[0]}-${hold.years[1]} from ${hold.source.name} began (${hold.by}) and has not finished`

const notYet = 'its first version has not reached'

function waitFor({ hold, runs }: Position, isLeft: (token: string) => boolean, partition: number): string | null {
  if (hold?.kind === 'switch') return isLeft(hold.token) ? null : `${hold.by} is switching versions`
  if (hold?.kind === 'backfill') return backfillOf(hold)
  return runs.length === 0 ? `${notYet} partition ${partition}` : null
}

async function openGroups({ registry, checkpoints }: ConsumerPorts, set: string, partition: number, position: Position): Promise<Group[]> {
  const known = await knownVersions(registry, set)
  const live = running(position).map(({ version }) => known.find(({ definition }) => definition.version === version)!)
  if (live.length === 0) throw new Problem(`no version of ${set} is applied`, `Run: tidemark apply ${set}@0`)

  const byRecord = Map.groupBy(live, ({ definition }) => JSON.stringify(definition.record))
  return Promise.all([...byRecord.values()].map(async (alike) => ({
    read: await inflowReader(registry, alike[0]!.definition.record, [...new Set(alike.flatMap(({ definition }) => fieldsRead(definition)))], recordedIn(checkpoints)),
    lanes: await Promise.all(alike.map(async ({ definition, registered }) => ({
      definition,
      engine: engine(definition, await lookupState(checkpoints, set, definition.version, partition)),
      splice: splicer(rowSchema(definition), registered.id),
    }))),
  })))
}

async function runTurn({ log, registry, clock }: ConsumerPorts, { set, partition, follow, signal, report }: ConsumeOptions, turn: Turn): Promise<void> {
  const toDead = await deadLetters(registry)
  // A commit that fails while the consumer waits for more must not wait for it too.
  const failed = new AbortController()
  const commits = oneAhead(() => failed.abort())
  const stop = AbortSignal.any([signal, failed.signal])
  for await (const fetched of log.read(inflowTopic, { partition, from: turn.position.offset, joined: true, follow, signal: stop })) {
    const before = turn.position
    const append: Append[] = []
    const save: Save[] = []
    const intakes = await Promise.all(turn.groups.map(({ read }) => read(fetched, before.seq)))
    for (const [i, { lanes }] of turn.groups.entries()) {
      const { batch, rows, columns } = intakes[i]!
      if (rows.length === 0) continue
      for (const { definition, engine, splice } of lanes) {
        const features = engine.push(inputsOf(definition, columns))
        append.push({ topic: outflowTopic, partition, batch: splice(batch, rows, features, clock(), definition.version) })
        save.push(...saveState(set, definition.version, partition, engine.changes()))
      }
    }
    const { rows, seq, duplicates, dead, unrecorded } = intakes[0]!
    if (dead.length > 0) append.push(toDead(dead, partition))

    const lastSeq = rows.length > 0 ? seq[rows.length - 1]! : before.seq
    const piece = {
      kind: 'inflow', from: fetched.offset, to: fetched.next, firstSeq: rows.length > 0 ? seq[0]! : before.seq + 1, lastSeq, rows: rows.length,
      ...(unrecorded.length > 0 && { unrecorded }),
    } as const
    const after: Position = {
      ...before,
      seq: lastSeq,
      offset: fetched.next,
      duplicates: before.duplicates + duplicates,
      dead: before.dead + dead.length,
      history: extendHistory(before.history, piece),
    }
    // Rows, state and position in one commit: a crash before it repeats the batch, after it goes on behind it.
    // It is under way while the next batch is computed.
    const taken = { group: consumers(set), topic: inflowTopic, partition, next: fetched.next }
    await commits.begin(async () => {
      await turn.writer.commit({ append, save: [...save, savePosition(set, partition, after)], taken })
      turn.committed = true
      report({ kind: 'batch', rows: rows.length, duplicates, dead: dead.length, seq: lastSeq, offset: fetched.next })
    })
    turn.position = after
    if (signal.aborted) break
  }
  await commits.settled()
}
