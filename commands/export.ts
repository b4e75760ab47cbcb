/** `export`: the rows of a version as files, put in place all at once. */
import { wireReader } from '../config/wire.ts'
import { exportVersion } from '../use-cases/export.ts'
import type { CommandBody } from './command.ts'
import { asked, rowFiles, wroteText } from './row-files.ts'
import { setAtVersion } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const name = `${set}@${version}`
  const wanted = asked(options)
  const { out, format, partitionBy } = wanted
  const warehouse = await wireReader(config)
  try {
    const progress = console.progress(`export ${name}`)
    const made = await exportVersion(warehouse, {
      set,
      version,
      partitionBy,
      signal,
      makeFiles: rowFiles(wanted, `${set}_v${version}`, { signal }),
      report: ({ rows, ...place }) => progress(rows, place),
    })
    const { rows, files } = made ?? { rows: 0, files: 0 }
    const text = made ? wroteText(rows, name, out, files) : 'interrupted: nothing was written'
    console.result(text, { set, version, out, format, rows, files })
  } finally {
    await warehouse.close()
  }
}
