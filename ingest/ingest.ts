/**
 * The border towards topics of others: reads them side by side and writes what they say, in turns, between which others have the border:
 * who loads, ticks or verifies. Whatever happens, it goes on from the places that the log has.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { says } from '../schemas/foreign/changes.ts'
import type { Feed } from '../utilities/feed.ts'
import { Fenced } from '../utilities/log.ts'
import type { Tables } from '../utilities/tables.ts'
import { nextChore } from './chores.ts'
import { readLanes, type Lanes, type LanesOptions } from './lanes.ts'
import { cut, type Piece } from './pieces.ts'
import { loadPlace, type IngestPlace } from './place.ts'
import { compare } from './newest.ts'
import { placeFrom } from './sources.ts'
import { openTurn, type Needs, type Turn, type TurnOptions, type TurnPorts } from './turn.ts'

export type IngestPorts = TurnPorts & { readonly feed: Feed }

export type IngestOptions = LanesOptions &
  TurnOptions & {
    /** What is to be written, as the definitions and the released versions have it now. */
    readonly needs: () => Promise<Needs>
    /** Tables of which the rows may leave that a new snapshot lacks, however many. */
    readonly acceptSnapshot: readonly string[]
    /** Otherwise it ends once all is read and written that there is. */
    readonly follow: boolean
    readonly report: (news: IngestNews) => void
    /** Hears how to ask how far each source has come. */
    readonly passed: (passed: Passed) => void
  }

/** Messages that were written, and the place behind them. */
export type IngestNews = { readonly messages: number; readonly place: IngestPlace }

/** Up to when a source has given what it had, in milliseconds since 1970: Infinity where it has nothing more. */
export type Passed = (source: string) => number

/** So long a turn is at most, so long it waits for more, and so long others have then. */
const [turnMs, idleMs, breakMs] = [5_000, 500, 30]
/** So often it is looked whether something is to be done though nothing came, and whether something else is needed. */
const [lookMs, needsMs] = [250, 5_000]
/** Rows that are emptied in one commit. */
const emptiedAtOnce = 20_000

/** The place where it has come, once it ends. */
export async function ingest(ports: IngestPorts, options: IngestOptions): Promise<IngestPlace> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await session(ports, options)
    } catch (error) {
      // Somebody wrote at the border without asking first: what was read and not written is read again.
      if (!(error instanceof Fenced) || options.signal.aborted) throw error
      await sleep(Math.min(attempt * 50, 2_000))
    }
  }
}

async function session(ports: IngestPorts, options: IngestOptions): Promise<IngestPlace> {
  const { feed, checkpoints, tables } = ports
  const { sources, signal, follow, note, acceptSnapshot } = options
  let place = await loadPlace(checkpoints)
  let needs = await options.needs()
  const lanes = await readLanes(feed, place, options)
  let turn: Turn | undefined
  let [openedMs, workedMs, askedMs, hasWritten] = [0, 0, performance.now(), false]
  const inTurn = async (work: (turn: Turn) => Promise<void>) => {
    if (!turn) {
      turn = await openTurn(ports, options, needs, hasWritten ? place : undefined)
      openedMs = performance.now()
    }
    await work(turn)
    ;({ place } = turn)
    hasWritten = true
    workedMs = performance.now()
  }
  const endTurn = async () => {
    const ending = turn
    turn = undefined
    await ending?.close()
  }
  options.passed((name) => (lanes.isAtEnd(name) ? Infinity : passedBy(place, name)))
  try {
    while (!signal.aborted) {
      const rings = lanes.news.rings()
      const pieces = lanes.release()
      if (pieces.length > 0) {
        await inTurn(async (own) => {
          for (const some of apartFromEmptied(pieces)) await write(own, some, lanes, { tables, note })
        })
        lanes.written()
        options.report({ messages: pieces.reduce((sum, { from, to }) => sum + to - from, 0), place })
      }
      const chore = signal.aborted ? undefined : nextChore(place, { sources, needs, lanes, feed, tables, acceptSnapshot })
      if (chore) await inTurn(chore)
      const now = performance.now()
      if (turn && (now - openedMs > turnMs || now - workedMs > idleMs)) {
        await endTurn()
        // Whoever waits for the border has a moment to take it.
        if (now - workedMs <= idleMs) await sleep(breakMs)
      }
      if (pieces.length > 0 || chore) continue
      if (!follow && sources.every(({ name }) => lanes.isAtEnd(name))) break
      if (now - askedMs > needsMs) {
        const again = await options.needs()
        if (JSON.stringify(again) !== JSON.stringify(needs)) await endTurn()
        ;[needs, askedMs] = [again, now]
      }
      await lanes.news.wait(rings, lookMs)
    }
    return place
  } finally {
    await endTurn().catch((error: unknown) => note(`ingest: ${(error as Error).message}`))
    await lanes.stop()
  }
}

function passedBy({ sources }: IngestPlace, name: string): number {
  const partitions = sources[name]?.partitions ?? []
  return partitions.length === 0 ? 0 : Math.min(...partitions.map(({ time }) => time))
}

async function write(turn: Turn, pieces: readonly Piece[], lanes: Lanes, { tables, note }: { readonly tables: Tables; readonly note: (text: string) => void }) {
  const [{ source, changes, from }] = pieces as [Piece]
  const ends = lanes.ends()
  const then = (place: IngestPlace): IngestPlace => ({ ...place, ends })
  if (changes.said[from] !== says.emptied) return turn.write({ pieces, then })
  const late = isBehindOthers(turn.place, pieces[0]!)
  if (late) note(`${source} was emptied, and changes from after that had come in other partitions: make a new snapshot of it`)
  for (;;) {
    const keys = tables.before(source, Infinity, emptiedAtOnce)
    const isLast = keys.count < emptiedAtOnce
    await turn.write({ pieces: isLast ? pieces : [], then, ...(keys.count > 0 && { leaving: { table: source, keys } }) })
    if (isLast) return undefined
  }
}

/** Whether another partition of the table has changes from after this one. */
function isBehindOthers({ sources }: IngestPlace, { source, partition, changes, from }: Piece): boolean {
  const place = changes.origins[from]?.place
  const others = sources[source]?.partitions.filter((_, i) => i !== partition) ?? []
  return place !== undefined && others.some(({ newest }) => newest?.place && compare(placeFrom(newest.place), place) > 0)
}

/** A message that empties its table is by itself. */
function apartFromEmptied(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const parts: Piece[][] = [[]]
  for (const piece of pieces) {
    let rest = piece
    for (let i = piece.from; i < piece.to; i++) {
      if (piece.changes.said[i] !== says.emptied || piece.repeated[i] === 1) continue
      const [before, emptied] = [cut(rest, rest.from, i), cut(rest, i, i + 1)]
      if (before.to > before.from) parts.at(-1)!.push(before)
      parts.push([emptied], [])
      rest = cut(rest, i + 1, piece.to)
    }
    if (rest.to > rest.from) parts.at(-1)!.push(rest)
  }
  return parts.filter((part) => part.length > 0)
}
