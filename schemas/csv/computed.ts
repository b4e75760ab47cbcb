/**
 * A file's rows with the fields that `sql` makes of them: those for which one cannot be made are rejects, as lines are that cannot be read.
 */
import { csvCell } from '../../utilities/values/csv-cell.ts'
import type { Reject } from '../../utilities/files/rejects.ts'
import { textsOf } from '../../utilities/values/cell-text.ts'
import { columnOf, type Columns } from '../../utilities/values/columns.ts'
import type { computedFields, Misfit } from '../computed.ts'

type Compute = NonNullable<ReturnType<typeof computedFields>>

type Batch = { readonly columns: Columns; readonly rejects: readonly Reject[] }

/** The batches have each row's line in `_line`. */
export async function* computedRows<B extends Batch>(batches: AsyncIterable<B>, compute: Compute, base: number): AsyncGenerator<B> {
  let validSeq = base
  for await (const batch of batches) {
    const { columns, misfits } = compute(batch.columns)
    const seqs = columnOf(columns, '_seq', 'int').values
    const unfit = misfits.length === 0 ? [] : rejectsOf(batch.columns, misfits)
    let row = 0
    const rejects = [...batch.rejects, ...unfit]
      .sort((a, b) => a.seq - b.seq)
      .map((reject) => {
        while (row < seqs.length && seqs[row]! < reject.seq) validSeq = seqs[row++]!
        return { ...reject, afterSeq: validSeq }
      })
    validSeq = seqs.at(-1) ?? validSeq
    yield { ...batch, columns, rejects }
  }
}

const mostText = 10_000

/** Their lines, in `_line`, are gone by now, and are written again from what was read of them. */
export function rejectsOf(columns: Columns, misfits: readonly Misfit[]): readonly Reject[] {
  const seqs = columnOf(columns, '_seq', 'int').values
  const lines = columnOf(columns, '_line', 'int').values
  const cells = [...columns.byName].flatMap(([name, column]) => (name.startsWith('_') ? [] : [textsOf(column)]))
  return misfits.map(({ row, column, reason }) => ({
    seq: seqs[row]!,
    line: lines[row]!,
    column,
    text: cells
      .map((textAt) => csvCell(textAt(row) ?? ''))
      .join(',')
      .slice(0, mostText),
    reason,
    afterSeq: 0,
  }))
}
