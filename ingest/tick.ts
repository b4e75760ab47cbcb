/** A tick: a message in every partition of a stream of facts that says that a date has come, and it never goes back. */
import { unkept } from '../streams/kept-schemas.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import { Fenced, type Append, type Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import { isoText } from '../utilities/values/timestamp.ts'
import { dayText } from '../utilities/values/day.ts'
import { Problem } from '../utilities/values/problem.ts'
import { takenOver } from './load.ts'
import { tickMessages } from './messages.ts'
import type { NeededFact } from './needed.ts'
import { lastNumber, lastTick, loadPlace, loadWords, newFact, savePlace } from './place.ts'
import { writableFact } from './writable.ts'
import { heldSaves } from './write.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry }

export type Tick = {
  /** Its versions that are needed. */
  readonly facts: readonly NeededFact[]
  /** A day since 1970 where the facts have dates, a microsecond where they have timestamps. */
  readonly at: number
  readonly partitions: number
}

export type Ticked = { readonly stream: string; readonly at: string; readonly ended: 'ticked' | 'had come'; readonly partitions: number }

export async function tick(ports: Ports, { facts, at, partitions }: Tick): Promise<Ticked> {
  const { fact } = facts[0]!
  const isDate = fact.fields[fact.at]!.kind === 'date'
  const text = (one: number) => (isDate ? dayText(one) : isoText(one))
  const writer = await ports.log.writer('ingest')
  try {
    const place = await loadPlace(ports.checkpoints)
    if (place.load)
      throw new Problem(
        `${loadWords(place.load)} is under way, and a tick would come in its midst`,
        'Run that load again, so that it is done; then this.',
      )
    const before = lastTick(place.facts, fact.name)
    if (before && at < before.at)
      throw new Problem(`${fact.name} was told that ${before.text} has come, and ${text(at)} is before`, 'A tick never goes back.')
    // A version's stream that has not begun yet begins with the last tick.
    const isBegun = ({ stream }: NeededFact) => place.facts[stream.name]?.begun ?? false
    const told = facts.some(isBegun) ? facts.filter(isBegun) : facts
    const written = await Promise.all(told.map((needed) => writableFact(ports, needed, partitions)))
    const ended = { stream: fact.name, at: text(at), partitions: written[0]!.one.written.partitions }
    if (before?.at === at) return { ...ended, ended: 'had come' }
    const seq = lastNumber(place.facts, fact.name)
    const append: Append[] = []
    const places = { ...place.facts }
    for (const { one } of written) {
      const messages = tickMessages(one.written, { seq, at })
      const own = places[one.stream.name] ?? newFact
      places[one.stream.name] = { ...own, seq: seq + 1, messages: own.messages + messages.length, tick: { at, text: text(at) } }
      append.push(...messages)
    }
    const next = { ...place, facts: places }
    const kept = await unkept(
      ports,
      written.map(({ registered }) => registered),
    )
    await writer.commit({ append, save: [...kept, ...written.flatMap(({ one }) => heldSaves(one, next)), savePlace(next)] })
    return { ...ended, ended: 'ticked' }
  } catch (error) {
    throw error instanceof Fenced ? takenOver(error) : error
  } finally {
    await writer.close()
  }
}
