/**
 * Reads the file of a table beside the rows that stand: what it has of them is staged, and what cannot be taken is kept with the reason.
 */
import type { Table } from '../schemas/record.ts'
import { rejectsOf } from '../schemas/csv/computed.ts'
import { readFiles } from '../schemas/csv/files.ts'
import type { Source } from '../utilities/source.ts'
import type { RejectsFile } from '../utilities/files/rejects.ts'
import type { Tables } from '../utilities/tables.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { LoadedTable, RowTotals } from './place.ts'

export type TableFile = { readonly table: Table; readonly source: Source; readonly rejects: RejectsFile }

type Reading = {
  /** Rows that the file lacks stay. */
  readonly partial: boolean
  /** Refuse the first line that cannot be read. */
  readonly strict: boolean
  readonly signal: AbortSignal
  readonly report: (rows: number) => void
}

/** The bytes of the file and how its cells are read. */
export async function identityOf({ source }: TableFile, signal: AbortSignal): Promise<Pick<LoadedTable, 'source' | 'sha256'>> {
  const { name, sha256, form } = await source.identify(signal)
  return { source: name, sha256: form ? `${sha256} ${JSON.stringify(form)}` : sha256 }
}

export async function readTable(tables: Tables, { table, source, rejects }: TableFile, options: Reading): Promise<RowTotals> {
  const { partial, strict, signal, report } = options
  await rejects.keep(() => false)
  let [read, rejected] = [0, 0]
  for await (const batch of readFiles({ ...table, at: '' }, source, { signal, withLines: true })) {
    signal.throwIfAborted()
    const [first] = batch.rejects
    if (strict && first)
      throw new Problem(
        `${first.place ?? source.place}:${first.line}: ${first.column}: ${first.reason}`,
        'Correct the line, or leave out --strict to put such lines into the rejects file and go on.',
      )
    await rejects.append(batch.rejects)
    if (batch.columns.count > 0) tables.receive(table.name, batch.columns)
    read += batch.columns.count + batch.rejects.length
    rejected += batch.rejects.length
    report(batch.columns.count + batch.rejects.length)
  }
  const { added, changed, gone, unchanged, repeated } = tables.compare(table.name, { partial })
  for (const rows of tables.repeated(table.name)) {
    const reason = `an earlier row has this ${table.key.join(', ')}`
    const misfits = Array.from({ length: rows.count }, (_, row) => ({ row, column: table.fields[table.key[0]!]!.csv, reason }))
    const lines = rejectsOf(rows, misfits)
    if (strict) throw new Problem(`${source.place}:${lines[0]!.line}: ${reason}`, 'Correct the file, or leave out --strict.')
    await rejects.append(lines)
  }
  return { read, added, changed, left: gone, unchanged, rejected: rejected + repeated }
}
