/** Makes the `sql` fields of records as they enter: a record for which one cannot be made is rejected, with the reason. */
import { columnOf, pick, type Column, type Columns } from '../utilities/values/columns.ts'
import { computed, type RecordSchema } from './record.ts'

/** Why a row has no value. */
export type Misfit = { readonly row: number; readonly column: string; readonly reason: string }

/** All fields of the rows for which all could be made, and the others by their rows before. */
export type Computed = { readonly columns: Columns; readonly misfits: readonly Misfit[] }

/** undefined where the source has every field. */
export function computedFields(record: RecordSchema): ((source: Columns) => Computed) | undefined {
  const made = Object.entries(record.fields).flatMap(([name, { sql }]) => (sql === undefined ? [] : [{ name, of: computed(record, name) }]))
  if (made.length === 0) return undefined
  return (source) => {
    const byName = new Map<string, Column>(Object.keys(record.fields).map((name) => [name, source.byName.get(name)!]))
    const misfits = new Map<number, Misfit>()
    for (const { name, of } of made) {
      const { column, bad } = of(source)
      byName.set(name, column)
      for (const [row, reason] of bad ?? []) if (!misfits.has(row)) misfits.set(row, { row, column: name, reason })
    }
    byName.set('_seq', columnOf(source, '_seq', 'int'))
    const all = { count: source.count, byName }
    if (misfits.size === 0) return { columns: all, misfits: [] }
    const rows = Int32Array.from({ length: source.count }, (_, row) => row).filter((row) => !misfits.has(row))
    return { columns: pick(all, rows), misfits: [...misfits.values()].sort((a, b) => a.row - b.row) }
  }
}
