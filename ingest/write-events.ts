/** Events that join tables, as they are written: those that are complete into their stream, those that wait beside it, and the dead. */
import { deadLetters } from '../streams/dead-letters.ts'
import type { Save } from '../utilities/checkpoints.ts'
import type { Append, Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { DeadEvent, EventsOfStream } from './events.ts'
import type { NeededEvent } from './needed.ts'
import type { IngestPlace } from './place.ts'
import type { WritableRecord } from './records.ts'
import type { Arrived } from './waiting-entry.ts'

type Ports = { readonly log: Log; readonly registry: Registry }

export type WritableEvent = { readonly needed: NeededEvent; readonly target: WritableRecord; readonly state: EventsOfStream }

/** What came in one commit: rows of tables that changed, by their keys, and records by their names. */
export type Came = {
  readonly changed: readonly { readonly table: string; readonly keys: Columns }[]
  readonly arrived: readonly { readonly record: string; readonly some: Arrived }[]
}

type Written = { readonly appends: readonly Append[]; readonly saves: readonly Save[]; readonly records: IngestPlace['records'] }

/** All rows that changed are staged. */
export async function eventsToWrite(
  ports: Ports,
  events: readonly WritableEvent[],
  { changed, arrived }: Came,
  { nowMs, before }: { readonly nowMs: number; readonly before: IngestPlace['records'] },
): Promise<Written> {
  const appends: Append[] = []
  const saves: Save[] = []
  let records = before
  for (const { needed, target, state } of events) {
    const { stream, event } = needed
    const write = async ({ columns, dead, saves: own }: Pick<ReturnType<EventsOfStream['take']>, 'columns' | 'dead' | 'saves'>) => {
      saves.push(...own)
      if (dead.length > 0) appends.push(...(await lettersOf(ports, needed, dead)))
      if (columns.count === 0) return
      const byName = new Map([...columns.byName].filter(([name]) => name !== '_seq'))
      const written = target.append({ count: columns.count, byName }, records[stream.name])
      appends.push(...written.appends)
      saves.push(...written.saves)
      records = { ...records, [stream.name]: written.place }
    }
    for (const { table, keys } of changed) state.changed(table, keys)
    for (let more = true; more;) {
      const found = state.again(nowMs)
      await write(found)
      ;({ more } = found)
    }
    for (const { record, some } of arrived) if (record === event.event.of.name) await write(state.take(some, nowMs))
  }
  return { appends, saves, records }
}

async function lettersOf({ log, registry }: Ports, { stream }: NeededEvent, dead: readonly DeadEvent[]): Promise<readonly Append[]> {
  const write = await deadLetters(registry, stream, await log.largestMessage(stream.dead))
  return [...Map.groupBy(dead, ({ topic, partition }) => `${topic}/${partition}`).values()].map((some) => {
    const { topic, partition } = some[0]!
    const letters = some.map(({ offset, bytes, reason }, index) => ({ index, offset, bytes, reason }))
    return write(letters, partition, topic)
  })
}
