/** Gives up a load of which no fact was written: the rows that it has put into the log are again what they were. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { columnOf, type Column, type Columns } from '../utilities/values/columns.ts'
import { pickOrNull } from '../utilities/values/pick-or-null.ts'
import { savePlace, type IngestPlace } from './place.ts'
import { loadsOf, rowReader, rowSaves, rowsName, type KnownTable } from './table-rows.ts'
import type { WritePorts } from './write.ts'

export async function rollBack(ports: WritePorts, known: readonly KnownTable[], place: IngestPlace): Promise<IngestPlace> {
  const { checkpoints, registry, writer } = ports
  const number = place.load!.mark.commit
  for (const { table, registered } of known) {
    const read = rowReader(registry, table, registered)
    const saves = rowSaves(table, registered.id)
    for await (const some of checkpoints.entries(rowsName(table))) {
      const latest = [...new Map(some)]
      const states = await read(latest.map(([, value]) => value))
      const loads = loadsOf(states)
      const rows = Int32Array.from(loads.keys()).filter((row) => Number(loads[row]) === number)
      const keys = Array.from(rows, (row) => latest[row]![0])
      if (rows.length > 0) await writer.commit({ save: saves(asBefore(states, Object.keys(table.fields), rows), 0, keys) })
      await nextTurn()
    }
  }
  const rolledBack = { ...place, load: null, unclean: true }
  await writer.commit({ save: [savePlace(rolledBack)] })
  return rolledBack
}

/** One that was not there before has left: what it was to be tells its key. */
function asBefore(states: Columns, fields: readonly string[], rows: Int32Array): Columns {
  const was = columnOf(states, 'before', 'flag').values
  const isNew = rows.map((row) => (was[row] === 0 ? row : -1))
  const isOld = rows.map((row) => (was[row] === 0 ? -1 : row))
  const flag = (chosen: Int32Array): Column => ({ kind: 'flag', values: Uint8Array.from(chosen, (row) => (row < 0 ? 0 : 1)) })
  return {
    count: rows.length,
    byName: new Map<string, Column>([
      ['before', flag(isNew)],
      ['after', flag(isOld)],
      ...fields.flatMap((own): [string, Column][] => [
        [`before.${own}`, pickOrNull(states.byName.get(`after.${own}`)!, isNew)],
        [`after.${own}`, pickOrNull(states.byName.get(`before.${own}`)!, isOld)],
      ]),
    ]),
  }
}
