/** `export`: the rows of a version as files, put in place all at once. */
import { existsSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { wireReader } from '../config/wire.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { sqlColumns } from '../schemas/sql.ts'
import { noDay, type Column, type Columns } from '../utilities/columns.ts'
import { openParquet } from '../utilities/parquet/parquet.ts'
import { Problem } from '../utilities/problem.ts'
import type { SqlColumn, SqlType, Warehouse } from '../utilities/warehouse/warehouse.ts'
import type { Options, Run } from './command.ts'
import { count } from './console.ts'
import { setAtVersion } from './words.ts'

/** Takes all batches, in order, and is done when the last file is. */
type Write = (batches: AsyncIterable<Columns>) => Promise<void>

export const run: Run = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const { out, format, partitionBy } = asked(options)
  const warehouse = await wireReader(config)
  try {
    const columns = await columnsOf(warehouse, set, version)
    if (partitionBy !== undefined && !columns.some(({ name }) => name === partitionBy)) {
      throw new Problem(`${set}@${version} has no column ${partitionBy}`, `Its columns are ${columns.map(({ name }) => name).join(', ')}.`, { usage: true })
    }
    const extent = await warehouse.extent(set, version)
    if (!extent) throw new Problem(`${set}@${version} has no rows yet`, 'Bring some: tidemark up, or tidemark backfill.')

    const progress = console.progress(`export ${set}@${version}`)
    let rows = 0
    const batches = async function* () {
      const names = columns.map(({ name }) => name)
      for await (const batch of warehouse.rows(set, version, extent, names)) {
        signal.throwIfAborted()
        yield batch
        rows += batch.count
        progress(batch.count, { done: rows, of: extent.rows })
      }
      signal.throwIfAborted()
    }
    const files = await filled(out, async (folder) => {
      const write = format === 'csv' ? csv(join(folder, `${set}_v${version}.csv`), columns) : parquet(folder, columns, partitionBy)
      await write(batches())
      signal.throwIfAborted()
    }).catch((error: unknown) => {
      if (signal.aborted) return undefined
      throw error
    })
    if (files === undefined) return console.result('interrupted: nothing was written', { set, version, out, format, rows: 0, files: 0 })
    console.result(`wrote ${count(rows)} rows of ${set}@${version} to ${out} (${count(files)} ${files === 1 ? 'file' : 'files'})`, { set, version, out, format, rows, files })
  } finally {
    await warehouse.close()
  }
}

function asked(options: Options) {
  const usage = (what: string, todo: string) => new Problem(what, todo, { usage: true })
  const { out, format = 'parquet', partitionBy } = options
  if (typeof out !== 'string' || out === '') throw usage('--out is missing', 'Name the folder to make, e.g. --out data/loan_risk_v1.')
  if (format !== 'parquet' && format !== 'csv') throw usage(`--format ${String(format)} is not known`, 'Use parquet or csv.')
  if (partitionBy !== undefined && format === 'csv') throw usage('--partition-by is for Parquet only', 'Leave it out, or use --format parquet.')
  return { out, format, partitionBy: partitionBy as string | undefined } as const
}

/** The columns of the version's view, in its order, with their types. */
async function columnsOf(warehouse: Warehouse, set: string, version: number): Promise<readonly SqlColumn[]> {
  const record = (await warehouse.versions(set)).find((one) => one.version === version)
  if (!record || record.state === 'registered') throw new Problem(`${set}@${version} is not applied`, 'See what is: tidemark versions')
  if (record.state === 'retired') throw new Problem(`${set}@${version} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  if (record.state === 'filling') throw new Problem(`the history of ${set}@${version} is being filled, or that was interrupted`, `Finish it first: tidemark apply ${set}@${version}`)
  const { columns } = await warehouse.query(`SELECT * FROM ${set}_v${version} LIMIT 0`)
  const types = new Map<string, SqlType>([
    ...sqlColumns((JSON.parse(record.definition) as Definition).record).map(({ name, type }) => [name, type] as const),
    ['_modified_ts', 'bigint'], ['_version', 'integer'], ['_seq', 'bigint'],
  ])
  return columns.map((name) => ({ name, type: types.get(name) ?? 'double' }))
}

/** Has a folder beside the target filled, then gives it the target's name; whatever goes wrong, nothing is left. Returns the number of files. */
async function filled(out: string, fill: (folder: string) => Promise<void>): Promise<number> {
  const target = free(out)
  const folder = join(dirname(target), `.${basename(target)}.${process.pid}.part`)
  const remove = () => rmSync(folder, { recursive: true, force: true })
  await mkdir(folder).catch((cause: unknown) => {
    throw unwritable(out, dirname(target), cause) ?? cause
  })
  // A second Ctrl-C ends the process at once.
  process.on('exit', remove)
  try {
    await fill(folder)
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length
    await rename(folder, target)
    return files
  } catch (cause) {
    throw unwritable(out, dirname(target), cause) ?? cause
  } finally {
    await rm(folder, { recursive: true, force: true })
    process.off('exit', remove)
  }
}

/** Where it really is, after a look that nobody's files are there. */
function free(out: string): string {
  if (!existsSync(out)) return resolve(out)
  if (!statSync(out).isDirectory()) throw new Problem(`${out} is a file`, 'Name a folder that does not exist yet.')
  try {
    if (readdirSync(out).length > 0) throw new Problem(`${out} is not empty`, 'Choose another folder, or empty this one.')
  } catch (cause) {
    throw unwritable(out, dirname(out), cause) ?? cause
  }
  return realpathSync(out)
}

function unwritable(out: string, parent: string, cause: unknown): Problem | undefined {
  const problem = (what: string, todo: string) => new Problem(`cannot write ${out}: ${what}`, todo, { cause })
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      if (existsSync(parent)) return problem('nothing can be made there', 'Choose another folder.')
      return problem(`there is no folder ${parent}`, 'Make that folder first, or choose another one.')
    case 'ENOTDIR': return problem(`${parent} is not a folder`, 'Choose another folder.')
    case 'EACCES': case 'EPERM': case 'EROFS': return problem(`the folder ${parent} may not be written to`, 'Choose another folder, or change its permissions.')
    case 'ENOSPC': case 'EDQUOT': return problem('the disk is full', 'Make room, and run it again.')
    case 'ENOTEMPTY': case 'EEXIST': return problem('something else was put there meanwhile', 'Choose another folder.')
    case 'EBUSY': return problem('it is in use, or a disk is mounted there', 'Choose a folder inside it.')
    case 'ENAMETOOLONG': case 'ELOOP': return problem('it cannot be the name of a folder', 'Choose another one.')
  }
  return undefined
}

const parquet = (folder: string, columns: readonly SqlColumn[], partitionBy: string | undefined): Write => async (batches) => {
  const writer = await openParquet({ folder, columns, ...(partitionBy === undefined ? {} : { partitionBy }) })
  try {
    for await (const batch of batches) await writer.append(batch)
    await writer.finish()
  } finally {
    writer.close()
  }
}

/** RFC 4180; a null is empty, an empty text is quoted. */
const csv = (path: string, columns: readonly SqlColumn[]): Write => async (batches) => {
  const file = await open(path, 'wx')
  try {
    await file.appendFile(`${columns.map(({ name }) => name).join(',')}\r\n`)
    for await (const { count, byName } of batches) {
      const cells = columns.map(({ name }) => cellsOf(byName.get(name)!))
      const lines = Array.from({ length: count }, (_, row) => `${cells.map((cellAt) => cellAt(row)).join(',')}\r\n`)
      await file.appendFile(lines.join(''))
    }
  } finally {
    await file.close()
  }
}

function cellsOf(column: Column): (row: number) => string {
  switch (column.kind) {
    case 'number':
    case 'int':
      return (row) => (Number.isNaN(column.values[row]!) ? '' : String(column.values[row]))
    case 'long':
      return (row) => String(column.values[row])
    case 'date':
      return (row) => (column.days[row] === noDay ? '' : new Date(column.days[row]! * 86_400_000).toISOString().slice(0, 10))
    case 'text': {
      const { bytes, starts, ends } = column
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return (row) => (starts[row]! < 0 ? '' : quoted(buffer.toString('utf8', starts[row], ends[row])))
    }
  }
}

const quoted = (text: string): string => (text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
