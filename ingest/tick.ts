/** A tick: a message in every partition of a stream of facts that says that a date has come, and it never goes back. */
import { unkept } from '../streams/kept-schemas.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import { Fenced, type Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import { isoText } from '../utilities/values/timestamp.ts'
import { dayText } from '../utilities/values/day.ts'
import { Problem } from '../utilities/values/problem.ts'
import { takenOver } from './load.ts'
import { tickMessages } from './messages.ts'
import type { NeededFact } from './needed.ts'
import { loadPlace, newFact, savePlace } from './place.ts'
import { writableFact } from './writable.ts'
import { heldSaves } from './write.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry }

export type Tick = {
  readonly fact: NeededFact
  /** A day since 1970 where the facts have dates, a microsecond where they have timestamps. */
  readonly at: number
  readonly partitions: number
}

export type Ticked = { readonly stream: string; readonly at: string; readonly ended: 'ticked' | 'had come'; readonly partitions: number }

const microsInDay = 86_400_000_000

export async function tick(ports: Ports, { fact: needed, at, partitions }: Tick): Promise<Ticked> {
  const { stream, fact } = needed
  const isDate = fact.fields[fact.at]!.kind === 'date'
  const text = (one: number) => (isDate ? dayText(one) : isoText(one))
  const writer = await ports.log.writer('ingest')
  try {
    const place = await loadPlace(ports.checkpoints)
    if (place.load)
      throw new Problem(
        `a load of ${place.load.tables.map(({ table }) => table).join(', ')} is under way, and a tick would come in its midst`,
        'Run that load again, so that it is done; then this.',
      )
    const before = place.facts[stream.name] ?? newFact
    if (before.tick !== null && at < before.tick)
      throw new Problem(`${stream.name} was told that ${text(before.tick)} has come, and ${text(at)} is before`, 'A tick never goes back.')
    const { one, registered } = await writableFact(ports, needed, partitions)
    const ended = { stream: stream.name, at: text(at), partitions: one.written.partitions }
    if (before.tick === at) return { ...ended, ended: 'had come' }
    const seq = before.seq + 1
    const known = BigInt(isDate ? at * microsInDay : at) * 1000n
    const append = tickMessages(one.written, { seq: before.seq, known, at })
    const after = { ...before, seq, messages: before.messages + append.length, tick: at }
    const next = { ...place, facts: { ...place.facts, [stream.name]: after } }
    await writer.commit({ append, save: [...(await unkept(ports, [registered])), ...heldSaves(one, next), savePlace(next)] })
    return { ...ended, ended: 'ticked' }
  } catch (error) {
    throw error instanceof Fenced ? takenOver(error) : error
  } finally {
    await writer.close()
  }
}
