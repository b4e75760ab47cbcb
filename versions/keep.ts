/** Keeps the journal of a set among the checkpoints, and reads it: one command at a time adds to it. */
import { fromBytes, positionsOfSet, toBytes } from '../streams/position.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Fenced, type Log, type Writer } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { journalOfBefore } from './before.ts'
import { decide, type Command } from './decide.ts'
import { evolve, nothingYet, type SetState, type VersionEvent } from './journal.ts'

export type JournalPorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly warehouse: Warehouse
}

/** When it is, as journals write it. */
export const timeText = (clock: Clock): string => new Date(Number(clock() / 1_000_000n)).toISOString()

export interface Journal {
  readonly state: SetState
  /** Adds the events that follow from the command, and gives them; throws why it may not be. */
  decide(command: Command): Promise<readonly VersionEvent[]>
  add(events: readonly VersionEvent[]): Promise<void>
  /** Something that follows from the events: nobody commits it who was overtaken. */
  commit(work: Parameters<Writer['commit']>[0]): Promise<void>
  close(): Promise<void>
}

const nameOf = (set: string) => `journal/${set}`
export const setsWithJournal = async (checkpoints: Checkpoints): Promise<readonly string[]> =>
  (await checkpoints.names(nameOf(''))).map((name) => name.slice(nameOf('').length))

/** Sorts as it counts. */
const keyOf = (index: number) => String(index).padStart(9, '0')

/** What is so now. A store of before is read as if it had a journal; the first command that changes something writes it. */
export const loadState = async (ports: Omit<JournalPorts, 'log'>, set: string): Promise<SetState> => (await known(ports, set)).state

/** All that was decided and done, in order. */
export const loadHistory = async (ports: Omit<JournalPorts, 'log'>, set: string): Promise<readonly VersionEvent[]> => {
  const written = await loadEvents(ports.checkpoints, set)
  return written.length > 0 ? written : journalOfBefore(ports, set)
}

type Known = {
  readonly state: SetState
  /** How many events are written. */
  readonly written: number
  /** What happened and is not written yet. */
  readonly unwritten: readonly VersionEvent[]
}

async function known(ports: Omit<JournalPorts, 'log'>, set: string): Promise<Known> {
  const written = await loadEvents(ports.checkpoints, set)
  const before = written.length > 0 ? [] : await journalOfBefore(ports, set)
  const state = [...written, ...before].reduce(evolve, nothingYet(set))
  const switches = await switchesUnnoted(ports.checkpoints, state)
  return { state: switches.reduce(evolve, state), written: written.length, unwritten: [...before, ...switches] }
}

async function loadEvents(checkpoints: Checkpoints, set: string): Promise<readonly VersionEvent[]> {
  const saved = await checkpoints.load(nameOf(set))
  return [...saved].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bytes]) => fromBytes<VersionEvent>(bytes))
}

/** `seen` is the state that the command was decided for: when more has happened since, it must be decided anew. */
export async function openJournal(ports: JournalPorts, set: string, seen?: SetState): Promise<Journal> {
  const writer = await ports.log.writer(nameOf(set))
  try {
    let { state, written, unwritten } = await known(ports, set)
    if (seen && seen.events !== state.events) throw changedMeanwhile(set)
    const add = async (events: readonly VersionEvent[]) => {
      if (events.length === 0) return
      const all = [...unwritten, ...events]
      await writer
        .commit({ save: all.map((event, i) => ({ name: nameOf(set), key: keyOf(written + i), value: toBytes(event) })) })
        .catch(takenOver(set))
      written += all.length
      unwritten = []
      state = events.reduce(evolve, state)
    }
    return {
      get state() {
        return state
      },
      add,
      async commit(work) {
        await writer.commit(work).catch(takenOver(set))
      },
      async decide(command) {
        const events = decide(state, command)
        if (events instanceof Problem) throw events
        await add(events)
        return events
      },
      close: () => writer.close(),
    }
  } catch (error) {
    await writer.close()
    throw error
  }
}

/** A switch is committed with its partition's position first: a command that was killed in between has not noted it yet. */
async function switchesUnnoted(checkpoints: Checkpoints, { set, versions }: SetState): Promise<readonly VersionEvent[]> {
  const positions = await positionsOfSet(checkpoints, set)
  return versions
    .filter(({ retired }) => !retired)
    .flatMap(({ version, switches }) =>
      positions.flatMap(({ partition, position: { runs } }): VersionEvent[] => {
        const run = runs.findLast((one) => one.version === version)
        return run && switches[partition] === undefined
          ? [{ kind: 'switched', version, partition, afterSeq: run.switchedAfter, at: run.switchedAt }]
          : []
      }),
    )
}

const changedMeanwhile = (set: string) =>
  new Problem(
    `the versions of ${set} have changed while you were asked`,
    `Nothing was done. See what is so now: tidemark versions ${set}; then run this again.`,
  )

const takenOver =
  (set: string) =>
  (error: unknown): never => {
    if (!(error instanceof Fenced)) throw error
    throw new Problem(
      `another command has taken over the versions of ${set}`,
      `See what it did: tidemark versions ${set}; then run this again if it is still needed.`,
      { cause: error },
    )
  }
