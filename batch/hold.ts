/** The hold of a batch: while it stands the stream of the set waits, and only the process whose token it carries moves the positions. */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadPosition, loadPositions, savePosition, writerName, type BackfillHold, type Position } from '../streams/position.ts'
import { leftBehind } from '../streams/left-behind.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Fenced, type Log, type Writer } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'

export type HoldPorts = { readonly log: Log; readonly checkpoints: Checkpoints; readonly clock: Clock }

/** A partition that the batch holds; `position` is as it was before, without the hold. */
export type HeldPartition = { readonly partition: number; readonly after: number; writer: Writer; position: Position }

/** A hold that a batch left behind. */
export type Standing = {
  readonly hold: BackfillHold
  /** The last record that any partition had taken before the batch. */
  readonly after: number
  /** So many partitions have had it all, from the first one on. */
  readonly finished: number
}

export const holdsOf = async (checkpoints: Checkpoints, set: string): Promise<readonly (BackfillHold | undefined)[]> =>
  (await loadPositions(checkpoints, set)).map(({ hold }) => (hold?.kind === 'backfill' ? hold : undefined))

/**
 * Holds are set, and end with the batch, from the first partition to the last; they are given up from the last to the first. Nothing is
 * written before all are set: where the last partition has none, there is nothing to finish or to undo.
 */
export async function standingHold(checkpoints: Checkpoints, set: string): Promise<Standing | undefined> {
  const holds = await holdsOf(checkpoints, set)
  const hold = holds.at(-1)
  if (!hold) return undefined
  return { hold, after: Math.max(...holds.map((one) => one?.after ?? 0)), finished: holds.findIndex((one) => one !== undefined) }
}

export type Wanted = Omit<BackfillHold, 'kind' | 'after'>

/** Holds every partition, or those that an earlier process had not finished, whose hold is taken over. */
export async function takeHold(
  ports: HoldPorts,
  set: string,
  wanted: Wanted,
  standing: Standing | undefined,
  signal: AbortSignal,
): Promise<readonly HeldPartition[]> {
  const count = (await loadPositions(ports.checkpoints, set)).length
  const parts: HeldPartition[] = []
  try {
    for (let partition = standing?.finished ?? 0; partition < count; partition++)
      parts.push(await holdPart(ports, set, partition, wanted, standing !== undefined, signal))
    return parts
  } catch (error) {
    if (!standing) await giveUp(ports, set, parts, wanted.token).catch(() => {})
    for (const { writer } of parts) await writer.close()
    throw error
  }
}

const pauseMs = 20
/** A consumer that starts takes the writer once before it sees the hold. */
const mostAttempts = 200

async function holdPart(
  ports: HoldPorts,
  set: string,
  partition: number,
  { by, ...rest }: Wanted,
  goesOn: boolean,
  signal: AbortSignal,
): Promise<HeldPartition> {
  const { log, checkpoints, clock } = ports
  const isLeft = leftBehind(clock)
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    const { hold } = await loadPosition(checkpoints, set, partition)
    if (hold?.kind === 'switch' && !isLeft(hold.token)) {
      attempt = 0
      await sleep(pauseMs, undefined, { signal })
      continue
    }
    const writer = await log.writer(writerName(set, partition))
    try {
      const position = await loadPosition(checkpoints, set, partition)
      if (position.hold?.kind !== 'switch' || isLeft(position.hold.token)) {
        const after = goesOn && position.hold?.kind === 'backfill' ? position.hold.after : position.seq
        await writer.commit({ save: [savePosition(set, partition, { ...position, hold: { kind: 'backfill', by, ...rest, after } })] })
        return { partition, after, writer, position: { ...position, hold: null } }
      }
    } catch (error) {
      if (!(error instanceof Fenced) || attempt === mostAttempts) {
        await writer.close()
        throw error
      }
    }
    await writer.close()
    await sleep(pauseMs, undefined, { signal })
  }
}

/** Commits for a partition. Somebody else may take its writer for a moment, to find the hold and leave: then it is taken back. */
export async function commitHeld(
  { log, checkpoints }: Omit<HoldPorts, 'clock'>,
  set: string,
  part: HeldPartition,
  token: string,
  save: readonly Save[],
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await part.writer.commit({ save })
      return
    } catch (error) {
      if (!(error instanceof Fenced) || attempt === mostAttempts) throw error
      await part.writer.close()
      part.writer = await log.writer(writerName(set, part.partition))
      const { hold } = await loadPosition(checkpoints, set, part.partition)
      if (hold?.kind !== 'backfill' || hold.token !== token) throw overtaken(set, error)
    }
  }
}

/** As if the batch had never been. */
export async function giveUp(ports: Omit<HoldPorts, 'clock'>, set: string, parts: readonly HeldPartition[], token: string): Promise<void> {
  for (const part of parts.toReversed()) await commitHeld(ports, set, part, token, [savePosition(set, part.partition, part.position)])
}

const overtaken = (set: string, cause: Fenced) =>
  new Problem(
    `another backfill of ${set} took over, or took this one back`,
    `See what is: tidemark status. To finish it, or to begin again, run the backfill once more.`,
    { cause },
  )
