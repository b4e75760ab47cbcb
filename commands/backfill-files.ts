/** `backfill --out`: into files of a version's rows, from the file alone; no store is read, made or changed. */
import { compute } from '../batch/files.ts'
import { loadDefinitions } from '../config/definitions.ts'
import { sourceAt } from '../config/wire.ts'
import { label } from '../feature-defs/feature-set.ts'
import type { RowTotals } from '../schemas/chosen-rows.ts'
import { systemClock } from '../utilities/clock.ts'
import { Problem } from '../utilities/problem.ts'
import { rejectsFile } from '../utilities/source/rejects-file.ts'
import { columnsOf } from '../versions/layout.ts'
import type { Run } from './command.ts'
import { count } from './console.ts'
import { filled } from './folder.ts'
import { asked, checkPartition, openRowFiles, wroteText } from './row-files.ts'
import { definedVersion } from './sets.ts'
import { refuseNothing } from './totals.ts'
import { years } from './words.ts'

export const run: Run = async ({ options, config, console, signal }) => {
  for (const word of ['undo', 'continue']) {
    if (options[word] === true) throw new Problem(`--${word} is about rows in the warehouse, and --out writes files`, 'Leave one of them out.', { usage: true })
  }
  const chosen = years(options)
  const wanted = asked(options)
  const { out, format } = wanted
  const { definition, chain } = definedVersion(await loadDefinitions(config.features), options['features'] as string | undefined)
  const { set, version } = definition
  const name = label(definition)
  const columns = columnsOf(chain, version)
  checkPartition(wanted, name, columns)
  const file = (options['file'] as string | undefined) ?? config.source.file
  const source = await sourceAt(file)

  const progress = console.progress(`backfill ${name}`)
  let done: RowTotals | undefined
  const made = await filled(out, async ({ folder, rejects }) => {
    const files = await openRowFiles({ ...wanted, folder, name: `${set}_v${version}`, columns })
    try {
      const ports = { source, clock: systemClock(), rejects: rejectsFile(rejects), write: files.append }
      done = await compute(ports, { definition, years: chosen, strict: options['strict'] === true, signal, report: ({ rows }) => progress(rows) })
      refuseNothing(file, chosen, { ...done, interrupted: false }, null)
      await files.finish()
      signal.throwIfAborted()
    } finally {
      await files.close()
    }
  }, { withRejects: true }).catch((error: unknown) => {
    if (signal.aborted) return undefined
    throw error
  })
  const about = { set, versions: [version], out, format }
  if (!made || !done) return console.result('interrupted: nothing was written', { rows: 0, rejected: 0, alreadyThere: 0, interrupted: true, ...about, rejects: null, files: 0 })

  const { files, rejects } = made
  const parts = [
    wroteText(done.rows, name, out, files),
    ...(rejects === null ? [] : [`${count(done.rejected)} lines rejected, see ${rejects}`]),
  ]
  const { rows, rejected } = done
  console.result(parts.join('; '), { rows, rejected, alreadyThere: 0, interrupted: false, ...about, rejects, files })
}
