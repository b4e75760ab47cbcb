/** Rows of tables as they change by what came: staged by what it comes to, and as the log keeps them. */
import type { Table } from '../schemas/record.ts'
import type { Save } from '../utilities/checkpoints.ts'
import type { Tables } from '../utilities/tables.ts'
import { columnOf, type Column, type Columns } from '../utilities/values/columns.ts'
import { netOf } from './net.ts'
import type { Piece } from './pieces.ts'
import type { RowTotals } from './place.ts'
import { rowSaves } from './table-rows.ts'

/** Of pieces of one batch of messages; the keys of rows that were staged, in the columns of each part. */
export function stageNet(tables: Tables, table: Table, pieces: readonly Piece[]): readonly Columns[] {
  const { rows, gone } = netOf(table, pieces, (keys) => tables.find(table.name, keys))
  if (rows.count > 0) tables.stage(table.name, rows)
  if (gone.count > 0) tables.stageGone(table.name, gone)
  return [rows, gone].filter(({ count }) => count > 0)
}

/**
 * Rows as the log keeps them: what they were, and that they are gone, matters only while their facts are being written, and is read only
 * then.
 */
export function savesOf(tables: Tables, table: Table, id: string, number: number) {
  const toSaves = rowSaves(table, id)
  const batches = [...tables.changes(table.name, 0, { isOnly: true })]
  let [read, added, left] = [0, 0, 0]
  for (const changes of batches) {
    const [was, is] = [columnOf(changes, 'before', 'flag').values, columnOf(changes, 'after', 'flag').values]
    for (let row = 0; row < is.length; row++) {
      read++
      if (was[row] === 0 && is[row] === 1) added++
      if (was[row] === 1 && is[row] === 0) left++
    }
  }
  const totals: RowTotals = { read, added, left, changed: read - added - left, unchanged: 0, rejected: 0 }
  const saves = (isOnly: boolean): readonly Save[] => {
    if (isOnly && left === 0) return batches.flatMap(asTheyAre)
    return [...tables.changes(table.name, 0)].flatMap((changes) => (isOnly ? asTheyAre(changes) : toSaves(changes, number)))
  }
  const asTheyAre = (changes: Columns): readonly Save[] => {
    const is = columnOf(changes, 'after', 'flag').values
    const before: Column = { kind: 'flag', values: new Uint8Array(changes.count) }
    const all = toSaves({ ...changes, byName: new Map([...changes.byName, ['before', before]]) }, number)
    if (!is.includes(0)) return all
    // Kafka gives what a row was before it left for as long as it keeps it: so it says first that the row has left.
    const whole = toSaves(changes, number)
    return all.flatMap((save, row) => (is[row] === 0 ? [whole[row]!, { ...save, value: null }] : [save]))
  }
  return { saves, totals }
}
