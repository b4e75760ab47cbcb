/** `export`: the rows of a version as files, put in place all at once. */
import { wireReader } from '../config/wire.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { Problem } from '../utilities/problem.ts'
import type { SqlColumn, Warehouse } from '../utilities/warehouse/warehouse.ts'
import { columnsOf } from '../versions/layout.ts'
import type { Run } from './command.ts'
import { filled } from './folder.ts'
import { asked, checkPartition, openRowFiles, wroteText } from './row-files.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const name = label({ set, version })
  const wanted = asked(options)
  const { out, format } = wanted
  const warehouse = await wireReader(config)
  try {
    const columns = await exportable(warehouse, set, version)
    checkPartition(wanted, name, columns)
    const extent = await warehouse.extent(set, version)
    if (!extent) throw new Problem(`${name} has no rows yet`, 'Bring some: tidemark up, or tidemark backfill.')

    const progress = console.progress(`export ${name}`)
    let rows = 0
    const made = await filled(out, async ({ folder }) => {
      const files = await openRowFiles({ ...wanted, folder, name: `${set}_v${version}`, columns })
      try {
        for await (const batch of warehouse.rows(set, version, extent, columns.map(({ name }) => name))) {
          signal.throwIfAborted()
          await files.append({ ...batch, handedOver: true })
          rows += batch.count
          progress(batch.count, { done: rows, of: extent.rows })
        }
        signal.throwIfAborted()
        await files.finish()
        signal.throwIfAborted()
      } finally {
        await files.close()
      }
    }).catch((error: unknown) => {
      if (signal.aborted) return undefined
      throw error
    })
    if (made === undefined) return console.result('interrupted: nothing was written', { set, version, out, format, rows: 0, files: 0 })
    const { files } = made
    console.result(wroteText(rows, name, out, files), { set, version, out, format, rows, files })
  } finally {
    await warehouse.close()
  }
}

/** The columns of the version's view, in its order, with their types. */
async function exportable(warehouse: Warehouse, set: string, version: number): Promise<readonly SqlColumn[]> {
  const records = await warehouse.versions(set)
  const record = records.find((one) => one.version === version)
  if (!record || record.state === 'registered') throw new Problem(`${set}@${version} is not applied`, 'See what is: tidemark versions')
  if (record.state === 'retired') throw new Problem(`${set}@${version} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  if (record.state === 'filling') throw new Problem(`the history of ${set}@${version} is being filled, or that was interrupted`, `Finish it first: tidemark apply ${set}@${version}`)
  return columnsOf(records.map(({ definition }) => JSON.parse(definition) as Definition), version)
}
