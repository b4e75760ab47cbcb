/** Takes the entries of rows that have left out of the log, some at a time: none of them says anything any more. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { keysOf } from '../feature-defs/keys.ts'
import { columnOf, pick } from '../utilities/values/columns.ts'
import { rowReader, rowsName, type KnownTable } from './table-rows.ts'
import { savePlace, type IngestPlace } from './place.ts'
import type { WritePorts } from './write.ts'

/** Of what is staged, where that is what has just been written; otherwise by a look at every entry. */
export async function clean(
  ports: WritePorts,
  known: readonly KnownTable[],
  place: IngestPlace,
  from: 'staged' | 'entries' = 'entries',
): Promise<IngestPlace> {
  const { writer } = ports
  for (const one of known) {
    const name = rowsName(one.table)
    for await (const keys of from === 'staged' ? stagedKeys(ports, one) : entryKeys(ports, one)) {
      if (keys.length > 0) await writer.commit({ save: keys.map((key) => ({ name, key, value: null })) })
      await nextTurn()
    }
  }
  const cleaned = { ...place, unclean: false }
  await writer.commit({ save: [savePlace(cleaned)] })
  return cleaned
}

function* stagedKeys({ tables }: WritePorts, { table }: KnownTable): Generator<readonly string[]> {
  for (const changes of tables.changes(table.name, 0)) {
    const is = columnOf(changes, 'after', 'flag').values
    const gone = Int32Array.from(is.keys()).filter((row) => is[row] === 0)
    yield keysOf(pick(changes, gone), table.key)
  }
}

async function* entryKeys({ checkpoints, registry }: WritePorts, { table, registered }: KnownTable): AsyncGenerator<readonly string[]> {
  const read = rowReader(registry, table, registered)
  for await (const some of checkpoints.entries(rowsName(table))) {
    const latest = [...new Map(some)]
    const is = columnOf(await read(latest.map(([, value]) => value)), 'after', 'flag').values
    yield latest.flatMap(([key], row) => (is[row] === 0 ? [key] : []))
  }
}
