/** `export`: the rows of a version as files. */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { isFact } from '../schemas/fact.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { SqlColumn, Warehouse } from '../utilities/warehouse.ts'
import { columnsOf } from '../versions/layout.ts'
import { checkPartition, unlessAborted, type MakeFiles } from './row-files.ts'

type ExportAsked = {
  readonly set: string
  readonly version: number
  readonly partitionBy: string | undefined
  readonly makeFiles: MakeFiles
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number; readonly done: number; readonly of: number }) => void
}

/** undefined when it was told to stop: nothing is written then. */
export async function exportVersion(warehouse: Warehouse, asked: ExportAsked) {
  const { set, version, partitionBy, makeFiles, signal, report } = asked
  const name = label({ set, version })
  const columns = await exportable(warehouse, set, version)
  checkPartition(partitionBy, name, columns)
  const extent = await warehouse.extent(set, version)
  if (!extent) throw new Problem(`${name} has no rows yet`, 'Bring some: tidemark up, or tidemark backfill.')
  let rows = 0
  const made = await unlessAborted(
    signal,
    makeFiles(columns, async (append) => {
      for await (const batch of warehouse.rows(
        set,
        version,
        extent,
        columns.map(({ name }) => name),
      )) {
        signal.throwIfAborted()
        await append({ ...batch, transferable: true })
        rows += batch.count
        report({ rows: batch.count, done: rows, of: extent.rows })
      }
    }),
  )
  return made && { ...made, rows }
}

/** The columns of the version's view, in its order, with their types; over facts also when each change came in. */
async function exportable(warehouse: Warehouse, set: string, version: number): Promise<readonly SqlColumn[]> {
  const records = await warehouse.versions(set)
  const record = records.find((one) => one.version === version)
  const name = label({ set, version })
  if (!record || record.state === 'registered') throw new Problem(`${name} is not applied`, 'See what is: tidemark versions')
  if (record.state === 'retired') throw new Problem(`${name} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  if (record.state === 'filling') {
    throw new Problem(`the history of ${name} is being filled, or that was interrupted`, `Finish it first: tidemark apply ${name}`)
  }
  const definitions = records.map(({ definition }) => JSON.parse(definition) as Definition)
  const columns = columnsOf(definitions, version)
  return isFact(definitions.at(-1)!.record) ? [...columns, { name: '_known_ts', type: 'bigint' }] : columns
}
