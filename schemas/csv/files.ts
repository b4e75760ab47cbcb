/** Reads the files of a source one behind the other, each by its own header, as one numbering of rows. */
import type { Source } from '../../utilities/source.ts'
import { sourceRecord, type RecordSchema } from '../record.ts'
import { checkHeader, readCsv, type CsvBatch, type CsvOptions } from './read.ts'

export type FileOptions = Omit<CsvOptions, 'place' | 'form'> & { readonly signal?: AbortSignal | undefined }

export async function* readFiles(record: RecordSchema, source: Source, given: FileOptions): AsyncGenerator<CsvBatch, void, undefined> {
  const { signal, base = 0, ...options } = given
  const files = await source.files()
  const ofSource = sourceRecord(record)
  const wanted = Object.values(ofSource.fields).map(({ csv }) => csv)
  // What has been taken of the first file cannot be taken back where another one turns out to have other columns.
  if (files.length > 1)
    for (const { place, form, read } of files) await checkHeader(ofSource, read(signal, wanted), { ...options, place, form })
  let last = base
  for (const { place, form, read } of files) {
    for await (const batch of readCsv(record, read(signal, wanted), { ...options, place, form, base: last })) {
      last = batch.lastSeq
      yield files.length === 1 ? batch : { ...batch, rejects: batch.rejects.map((reject) => ({ ...reject, place })) }
    }
  }
}
