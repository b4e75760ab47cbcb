/** The facts that stand, brought to the warehouse: what `inflow` says became of each, group by group, with how far that has come. */
import type { FactSchema } from '../schemas/fact.ts'
import { offsetOf } from '../streams/dead.ts'
import { recordedIn } from '../streams/held.ts'
import { inflowReader } from '../streams/inflow.ts'
import { factsReader, standsAs, type Stream } from '../streams/stream.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { columnOf, pick, type Column, type Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { SinkOptions, SinkPorts } from './ports.ts'
import { written } from './written.ts'

export type FactSunk = {
  readonly fact: FactSchema
  readonly stream: Stream
  /** Whether the facts have no table in the warehouse any more. */
  readonly isGone: () => Promise<boolean>
}

export async function sinkFacts(
  { log, checkpoints, registry, warehouse }: SinkPorts,
  { follow, signal, report }: Pick<SinkOptions, 'follow' | 'signal' | 'report'>,
  { fact, stream, isGone }: FactSunk,
  partition: number,
): Promise<void> {
  const reader = factsReader(stream, partition)
  const { inflow: topic } = stream
  const changes = await inflowReader(registry, fact, Object.keys(fact.fields), recordedIn(checkpoints, stream))
  await written<string>({
    read: (from, until) => log.read(topic, { partition, from, joined: true, follow, signal: until }),
    from: (await warehouse.progress(reader)) ?? 0,
    flush: warehouse.flush,
    signal,
    async partsOf(fetched) {
      const { columns, rows } = await changes.read(fetched, Infinity)
      return [{ lane: fact.name, columns, offsets: Float64Array.from(rows, (message) => offsetOf(fetched, message)) }]
    },
    async write({ parts, next }) {
      const told = parts.map(({ columns }) => standing(fact, columns))
      await warehouse.writeFacts(standsAs(stream), told, { reader, next }, signal).catch(async (error: unknown) => {
        // Retired meanwhile: what it tells is to be seen nowhere.
        if (!(error instanceof Problem) || !(await isGone())) throw error
        await warehouse.writeTogether([], { reader, next }, signal)
      })
      report({ topic, rows: told.reduce((sum, { count }) => sum + count, 0), unreadable: 0, offset: next })
    },
  })
}

/** The last change of each fact: as it stands, or without its fields where it does not any more. */
export function standing({ fields }: FactSchema, changes: Columns): Columns {
  const keyAt = textsOf(columnOf(changes, 'key', 'text'))
  const last = new Map<string, number>()
  for (let row = 0; row < changes.count; row++) {
    const key = keyAt(row)
    // A tick is of no fact.
    if (key === null) continue
    last.delete(key)
    last.set(key, row)
  }
  const byName = new Map<string, Column>([
    ['_key', columnOf(changes, 'key', 'text')],
    ['_stands', columnOf(changes, 'after', 'flag')],
    ['_seq', columnOf(changes, '_seq', 'int')],
    ['_known_ts', columnOf(changes, 'known', 'long')],
    ...Object.keys(fields).map((name) => [name, changes.byName.get(`after.${name}`)!] as const),
  ])
  return pick({ count: changes.count, byName }, Int32Array.from(last.values()))
}
