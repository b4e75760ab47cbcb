/** `promote`, `rollback`, `retire`: what SQL users see changes at once; the rows a version lacks are filled afterwards. */
import { knownVersions } from '../streams/known-versions.ts'
import { loadPositions } from '../streams/position.ts'
import { ownerOf } from '../streams/stream.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts, Watch } from './bring.ts'
import { carryOut, checkPossible } from './carry-out.ts'
import { decide, finishes, type Command, type StillShown } from './decide.ts'
import { refuseAmidstBackfill } from './handover.ts'
import { evolve, promotedIn, type By, type SetState } from './journal.ts'
import { loadState, openJournal, timeText, type Journal, type JournalPorts } from './keep.ts'
import { countOnTheWay } from './on-the-way.ts'

/** Who gives a command, and why. */
export type Actor = Omit<By, 'at'>

/** What every command on versions is given. */
export type Asked = {
  readonly actor: Actor
  /** The state that the person saw who agreed: when more has happened since, nothing is done. */
  readonly seen?: SetState
  /** Tells who asked that it is done: only then is it settled, so that a command cut short before is never taken for one that was told. */
  readonly announce?: (state: SetState) => void
}

export type ChangeOptions = Watch & Asked & { readonly set: string }

/** What a command would do now: nothing, a new decision, or finish one that was cut short. Throws why it may not be. */
export function wouldDo(state: SetState, command: Command): 'nothing' | 'decide' | 'finish' {
  const events = decide(state, command)
  if (events instanceof Problem) throw events
  return events.length > 0 ? 'decide' : finishes(state, command) ? 'finish' : 'nothing'
}

/** Puts a version on top of the chain. */
export const promote = (ports: VersionPorts, { version, ...options }: ChangeOptions & { readonly version: number }): Promise<SetState> =>
  change(ports, options, (by) => ({ kind: 'promote', version, by }))

/** Takes the promoted version off the chain: the one before it is shown again, which is given. */
export const rollback = async (ports: VersionPorts, options: ChangeOptions): Promise<number> =>
  promotedIn(await change(ports, options, (by) => ({ kind: 'rollback', by })))!

/** Drops a version's view, rows and state. */
export async function retire(
  ports: VersionPorts,
  { version, ...options }: ChangeOptions & { readonly version: number },
): Promise<SetState> {
  const still = await stillShown(ports, await loadState(ports, options.set), version)
  return change(ports, options, (by) => ({ kind: 'retire', version, still, by }))
}

/** Whether the promoted version has told, from a stream of its own, of every fact that this one has rows of. */
async function isToldAnew({ registry, checkpoints }: JournalPorts, set: string, version: number, promoted: number): Promise<boolean> {
  const known = await knownVersions(registry, set)
  const [own, other] = [version, promoted].map((one) => known.find(({ definition }) => definition.version === one)?.definition)
  if (!own || !other || ownerOf(own) === ownerOf(other)) return false
  const runs = (await loadPositions(checkpoints, ownerOf(other))).map((position) =>
    position.runs.findLast((run) => run.version === promoted),
  )
  return runs.every((run) => run?.after === 0)
}

async function change(ports: VersionPorts, options: ChangeOptions, commandOf: (by: By) => Command): Promise<SetState> {
  const { set, actor, seen, signal } = options
  await refuseAmidstBackfill(ports, set)
  const journal = await openJournal(ports, set, seen)
  try {
    const events = decide(journal.state, commandOf({ ...actor, at: timeText(ports.clock) }))
    if (events instanceof Problem) throw events
    // Before the swap: a version that lacks rows which nobody could compute any more stays where it is.
    await checkPossible(ports, events.reduce(evolve, journal.state), signal)
    signal.throwIfAborted()
    await journal.add(events)
    await carryOut(ports, journal, options)
    await settle(ports, journal, options)
    return journal.state
  } finally {
    await journal.close()
  }
}

/** The last step: whoever asked is told, and the journal notes that nothing is left to do. */
export async function settle({ clock }: Pick<VersionPorts, 'clock'>, journal: Journal, { announce }: Asked): Promise<void> {
  announce?.(journal.state)
  await journal.decide({ kind: 'settle', at: timeText(clock) })
}

/** What the base view shows of a version, and how many of its rows the sink has still to write. */
export async function stillShown(ports: JournalPorts, { set, versions, chain }: SetState, version: number): Promise<StillShown> {
  const own = versions[version]
  if (!own || !chain.includes(version) || (await isToldAnew(ports, set, version, chain.at(-1)!))) return { shown: null, onTheWay: 0 }
  // The way first: rows that arrive meanwhile are seen in the view.
  const onTheWay = await countOnTheWay(ports, own.schema.id)
  const { rows } = await ports.warehouse.query(`SELECT count(*), min(_seq), max(_seq) FROM "${set}" WHERE _version = ${version}`)
  const [count, first, last] = rows[0]!.map(Number) as [number, number, number]
  return { shown: count > 0 ? { rows: count, first, last } : null, onTheWay }
}
