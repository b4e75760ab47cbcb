/** `backfill --out`: into files of a version's rows, from the file alone. */
import { loadDefinitions } from '../config/definitions.ts'
import { sourceAt } from '../config/wire.ts'
import { label } from '../feature-defs/feature-set.ts'
import { backfillFiles } from '../use-cases/backfill-files.ts'
import { systemClock } from '../utilities/values/clock.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { asked, rowFiles, wroteText } from './row-files.ts'
import { definedVersion } from './sets.ts'
import { beyondText } from './totals.ts'
import { usage, years } from './words.ts'

export const run: CommandBody = async ({ options, config, console, signal }) => {
  for (const word of ['undo', 'continue']) {
    if (options[word] === true) throw usage(`--${word} is about rows in the warehouse, and --out writes files`, 'Leave one of them out.')
  }
  const chosen = years(options)
  const wanted = asked(options)
  const { out, format, partitionBy } = wanted
  const { definition, chain } = definedVersion(await loadDefinitions(config.features), options['features'] as string | undefined)
  const { set, version } = definition
  const name = label(definition)
  const file = (options['file'] as string | undefined) ?? config.source.file
  const progress = console.progress(`backfill ${name}`)
  const makeFiles = rowFiles(wanted, `${set}_v${version}`, { signal, withRejects: true })
  const done = await backfillFiles(
    { openSource: () => sourceAt(file), clock: systemClock(), makeFiles },
    { chain, years: chosen, strict: options['strict'] === true, file, partitionBy, signal, report: ({ rows }) => progress(rows) },
  )
  const { rows, rejected, beyond, files, rejects } = done ?? { rows: 0, rejected: 0, beyond: 0, files: 0, rejects: null }
  const kept = rejects === null ? '' : `; ${count(rejected)} lines rejected, see ${rejects}`
  const nulls = beyondText(beyond).map((text) => `; ${text}`)
  console.result(done ? `${wroteText(rows, name, out, files)}${kept}${nulls.join('')}` : 'interrupted: nothing was written', {
    rows,
    rejected,
    beyond,
    alreadyThere: 0,
    interrupted: !done,
    set,
    versions: [version],
    out,
    format,
    rejects,
    files,
  })
}
