/** The first rows of a data file as columns, in the batches that every stage works on. */
import { readCsv } from '../schemas/csv/read.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { fileSource } from '../utilities/files/source.ts'
import { v0 } from './definitions.ts'

export async function firstBatches(file: string, rows: number): Promise<readonly Columns[]> {
  const batches: Columns[] = []
  let count = 0
  for await (const { columns } of readCsv(v0.definition.record, fileSource(file).read(), { place: file })) {
    batches.push(columns)
    count += columns.count
    if (count >= rows) break
  }
  return batches
}
