/** Makes the `sql` fields of records as they enter: a record for which one cannot be made is rejected, with the reason. */
import { columnOf, pick, type Column, type Columns } from '../utilities/values/columns.ts'
import type { Values } from './expressions/values.ts'
import { computed, type RecordSchema } from './record.ts'

/** Why a row has no value. */
export type Misfit = { readonly row: number; readonly column: string; readonly reason: string }

/** All fields of the rows for which all could be made, and the others by their rows before. */
export type Computed = { readonly columns: Columns; readonly misfits: readonly Misfit[] }

/** undefined where the source has every field. */
export function computedFields(record: RecordSchema): ((source: Columns) => Computed) | undefined {
  const made = Object.entries(record.fields).flatMap(([name, { sql }]) => (sql === undefined ? [] : [{ name, of: computed(record, name) }]))
  return made.length === 0 ? undefined : computedBy(made, Object.keys(record.fields))
}

/** These fields, beside those that the source has already, in the order of `names`; its `_seq` stays. */
export function computedBy(
  made: readonly { readonly name: string; readonly of: (source: Columns) => Values }[],
  names: readonly string[] = made.map(({ name }) => name),
): (source: Columns) => Computed {
  return (source) => {
    const byName = new Map<string, Column>(names.map((name) => [name, source.byName.get(name)!]))
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
