/** Reading the file: what unpacking alone takes, the check that comes before every job, and csv.gz to columns. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { readCsv } from '../schemas/csv/read.ts'
import { fileSource } from '../utilities/files/source.ts'
import { v0 } from './definitions.ts'
import { runNamedCase, type Paced } from './paced.ts'

/** A whole file a time, as a job would read it: nothing is warmed up before the clock starts. */
const timed =
  (read: (file: string) => Promise<number>) =>
  async (file: string): Promise<Paced> => {
    const startedMs = performance.now()
    const rows = await read(file)
    return { rows, seconds: (performance.now() - startedMs) / 1000 }
  }

async function toColumns(file: string): Promise<number> {
  let rows = 0
  for await (const { columns } of readCsv(v0.definition.record, fileSource(file).read(), { place: file })) rows += columns.count
  return rows
}

/** Rows are lines here: the few records with line breaks inside quotes do not matter. */
async function unpackOnly(file: string): Promise<number> {
  let bytes = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }).pipe(createGunzip({ chunkSize: 1 << 18 })))
    bytes += (chunk as Buffer).length
  return bytes === 0 ? 0 : rowsNamed(file)
}

async function checkOnly(file: string): Promise<number> {
  const source = fileSource(file)
  await Promise.all([source.identify(), source.prove()])
  return rowsNamed(file)
}

const rowsNamed = (file: string) => Number(/-(\d+)\.csv\.gz$/.exec(file)![1])

const cases = new Map([
  ['csv.gz → columns', timed(toColumns)],
  ['unpacking alone', timed(unpackOnly)],
  ['checksum and test of the gzip, before each produce', timed(checkOnly)],
])

export const csvCases = [...cases.keys()]

if (import.meta.main) await runNamedCase(cases)
