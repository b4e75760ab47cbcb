/** What serving says, beside what the warehouse shows of the same: for tests of both. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ports } from '../config/wire.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import type { Serving } from '../serving/serving.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { columnOf } from '../utilities/values/columns.ts'
import { jsonOf } from '../utilities/values/json-cells.ts'
import { keyTexts } from '../utilities/values/key-text.ts'
import { standsAs, streamOf } from '../streams/stream.ts'

/** Whether everything that lies in these topics by now is read. */
export async function caughtUp(serving: Serving, { log }: Pick<Ports, 'log'>, isFollowed: (topic: string) => boolean): Promise<void> {
  const ends = (await log.topics()).filter(({ topic, partitions }) => isFollowed(topic) && partitions.some(({ next }) => next > 0))
  const isThere = () => {
    const places = serving.places()
    return ends.every(({ topic, partitions }) =>
      partitions.every(({ next }, partition) =>
        places.some((one) => one.topic === topic && one.partition === partition && one.next >= next),
      ),
    )
  }
  let failure: unknown
  serving.ended.catch((error: unknown) => (failure = error))
  for (const startedMs = Date.now(); !(serving.isCaughtUp() && isThere()); await sleep(2)) {
    if (failure !== undefined) throw failure
    if (Date.now() - startedMs > 60_000) throw new Error(`serving is at ${JSON.stringify(serving.places())}, not ${JSON.stringify(ends)}`)
  }
}

export type Plain = { readonly [key: string]: string }

/** The newest row of each key of a version, as serving should have it: one text for each key. */
export async function newestStored({ warehouse }: Pick<Ports, 'warehouse'>, definition: Definition): Promise<Plain> {
  const { set, version, per, features } = definition
  const newest = new Map<string, { readonly seq: number; readonly text: string }>()
  for await (const rows of warehouse.rows(set, version, { first: 0, last: Number.MAX_SAFE_INTEGER })) {
    const keys = keyTexts(rows, keyFields(per))
    const seqs = columnOf(rows, '_seq', 'int').values
    const modified = columnOf(rows, '_modified_ts', 'long').values
    const change = rows.byName.get('_change')
    const changeAt = change ? textsOf(change) : () => null
    const cells = features.map(({ name }) => jsonOf(rows.byName.get(name)!))
    for (let row = 0; row < rows.count; row++) {
      if ((newest.get(keys[row]!)?.seq ?? -1) > seqs[row]!) continue
      const values = cells.map((cellAt) => JSON.parse(cellAt(row)) as unknown)
      const text = JSON.stringify([seqs[row], String(modified[row]), changeAt(row), values])
      newest.set(keys[row]!, { seq: seqs[row]!, text })
    }
  }
  return Object.fromEntries([...newest].map(([key, { text }]) => [key, text]))
}

/** The same of what serving has, for these keys. */
export const newestServed = (serving: Serving, { set, version }: Definition, keys: readonly string[]): Plain =>
  serving.read((state) =>
    Object.fromEntries(
      keys.flatMap((key) => {
        const row = state.row(set, version, key)
        return row ? [[key, JSON.stringify([row.seq, String(row.modified), row.change, row.values])]] : []
      }),
    ),
  )

/** The facts that stand in the warehouse, and those of serving under the same keys and these. */
export async function factsBeside(
  serving: Serving,
  { warehouse }: Pick<Ports, 'warehouse'>,
  { record }: Definition,
  keys: readonly string[],
): Promise<readonly [stored: Plain, served: Plain]> {
  const name = standsAs(streamOf(record))
  const stored: { [key: string]: string } = {}
  for await (const part of warehouse.facts(name)) {
    const keyAt = textsOf(columnOf(part, '_key', 'text'))
    const cells = Object.keys(record.fields).map((field) => [field, jsonOf(part.byName.get(field)!)] as const)
    const seqs = columnOf(part, '_seq', 'int').values
    for (let row = 0; row < part.count; row++) {
      const fields = Object.fromEntries(cells.map(([field, cellAt]) => [field, JSON.parse(cellAt(row)) as unknown]))
      stored[keyAt(row)!] = JSON.stringify([seqs[row], fields])
    }
  }
  const served = serving.read((state) =>
    [...new Set([...keys, ...Object.keys(stored)])].flatMap((key) => {
      const fact = state.fact(name, key)
      return fact ? [[key, JSON.stringify([fact.seq, fact.fields])] as const] : []
    }),
  )
  return [stored, Object.fromEntries(served)]
}
