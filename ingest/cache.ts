/**
 * Brings the tables on disk to where the log is. The log is the truth: the tables know which state of it they are, and where that is
 * neither this one nor the one before, whose changes they hold already, they are made again.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Table } from '../schemas/record.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import { columnOf, lengthOf, pick, type Column, type Columns } from '../utilities/values/columns.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Mark, Tables } from '../utilities/tables.ts'
import type { IngestPlace } from './place.ts'
import { loadsOf, rowReader, rowsName, sideOf, type KnownTable } from './table-rows.ts'

export type TablePorts = { readonly checkpoints: Checkpoints; readonly registry: Registry; readonly tables: Tables }

const sameMark = (one: Mark | null | undefined, other: Mark | null | undefined): boolean =>
  one?.commit === other?.commit && one?.token === other?.token

/** Of a log that holds no rows. */
const nothing: Mark = { commit: 0, token: '' }

/**
 * Rows are those before the load under way, where there is one. True where all that it changes is staged: it can go on. It is not where the
 * log does not have all of that yet, and these tables do not know the rest. `made` counts rows that are made again.
 */
export async function bringTables(
  ports: TablePorts,
  known: readonly KnownTable[],
  { mark: reached, load, tables: loaded }: IngestPlace,
  made: (rows: number) => void = () => {},
): Promise<boolean> {
  const { tables } = ports
  const mark = reached ?? nothing
  tables.shape(
    known.map(({ table }) => table),
    (name) => Object.hasOwn(loaded, name),
  )
  // The last load was committed, and what it changed had not become of the rows yet.
  if (reached && sameMark(tables.sealed(), mark)) tables.settle(mark)
  if (sameMark(tables.mark(), mark)) {
    if (load && sameMark(tables.sealed(), load.mark)) return true
    tables.discard()
    if (!load || load.rowsDone < load.rows) return false
  }
  await makeAgain(ports, known, { mark, load }, made)
  return load !== null && load.rowsDone === load.rows
}

async function makeAgain(
  { checkpoints, registry, tables }: TablePorts,
  known: readonly KnownTable[],
  { mark, load }: { readonly mark: Mark; readonly load: IngestPlace['load'] },
  made: (rows: number) => void,
): Promise<void> {
  tables.renew(known.map(({ table }) => table))
  for (const { table, registered } of known) {
    const read = rowReader(registry, table, registered)
    for await (const some of checkpoints.entries(rowsName(table))) {
      // One that comes again is the newer.
      const values = [...new Map(some).values()]
      put(tables, table, await read(values), load?.mark.commit)
      made(values.length)
      await nextTurn()
    }
  }
  tables.settle(mark)
  if (!load || load.rowsDone < load.rows) return
  for (const { table, registered } of known) {
    const read = rowReader(registry, table, registered)
    for await (const some of checkpoints.entries(rowsName(table))) {
      stage(tables, table, await read([...new Map(some).values()]), load.mark.commit)
      await nextTurn()
    }
  }
  tables.seal(load.mark)
}

const present = (states: Columns, side: 'before' | 'after') => columnOf(states, side, 'flag').values

const rowsWhere = (states: Columns, test: (row: number) => boolean) =>
  Int32Array.from({ length: states.count }, (_, row) => row).filter(test)

/**
 * What the rows are, and by which commit; a load under way has not changed them. Which commit wrote a row before that one is not known any
 * more: it matters no longer once the load is done.
 */
function put(tables: Tables, table: Table, states: Columns, underWay: number | undefined): void {
  const loads = loadsOf(states)
  const written: Column = { kind: 'long', values: loads }
  const isOfLoad = (row: number) => underWay !== undefined && Number(loads[row]) === underWay
  const [was, is] = [present(states, 'before'), present(states, 'after')]
  const some = (test: (row: number) => boolean, then: (rows: Int32Array) => void) => {
    const rows = rowsWhere(states, test)
    if (rows.length > 0) then(rows)
  }
  some(
    (row) => !isOfLoad(row) && is[row] === 1,
    (rows) => tables.fill(table.name, withCommit(sideOf(table, states, 'after', rows), written, rows)),
  )
  some(
    (row) => isOfLoad(row) && was[row] === 1,
    (rows) => tables.fill(table.name, sideOf(table, states, 'before', rows)),
  )
  some(
    (row) => !isOfLoad(row) && is[row] === 0,
    (rows) => tables.unfill(table.name, sideOf(table, states, 'before', rows)),
  )
}

function withCommit({ count, byName }: Columns, written: Column, rows: Int32Array): Columns {
  const { byName: picked } = pick({ count: lengthOf(written), byName: new Map([['_commit', written]]) }, rows)
  return { count, byName: new Map([...byName, ...picked]) }
}

function stage(tables: Tables, table: Table, states: Columns, underWay: number): void {
  const loads = loadsOf(states)
  const is = present(states, 'after')
  const changed = rowsWhere(states, (row) => Number(loads[row]) === underWay && is[row] === 1)
  const gone = rowsWhere(states, (row) => Number(loads[row]) === underWay && is[row] === 0)
  if (changed.length > 0) tables.stage(table.name, sideOf(table, states, 'after', changed))
  if (gone.length > 0) tables.stageGone(table.name, sideOf(table, states, 'before', gone))
}
