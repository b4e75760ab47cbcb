/** `backfill --out`: into files of a version's rows, from the file alone. */
import { definitionsOf } from '../config/definitions.ts'
import { sourceAt } from '../config/files.ts'
import { wireModels } from '../config/wire.ts'
import { label } from '../feature-defs/feature-set.ts'
import { backfillFiles } from '../use-cases/backfill-files.ts'
import { systemClock } from '../utilities/values/clock.ts'
import { readOf } from '../use-cases/file-rows.ts'
import type { CommandBody } from './command.ts'
import { asked, rowFiles, wroteText } from './row-files.ts'
import { setNamed } from './features.ts'
import { definedVersion } from './sets.ts'
import { chosenYears, fileFor } from './source-file.ts'
import { totalsText } from './totals.ts'
import { usage } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  for (const word of ['undo', 'continue']) {
    if (options[word] === true) throw usage(`--${word} is about rows in the warehouse, and --out writes files`, 'Leave one of them out.')
  }
  const chosen = chosenYears(options)
  const wanted = asked(options)
  const { out, format, partitionBy } = wanted
  const definitions = await definitionsOf(config)
  const { definition, chain } = definedVersion(definitions, setNamed(args, options))
  const { set, version } = definition
  const name = label(definition)
  const { file, form } = fileFor(definition.record, definitions, options, config)
  const progress = console.progress(`backfill ${name}`)
  const makeFiles = rowFiles(wanted, `${set}_v${version}`, { signal, withRejects: true })
  const done = await backfillFiles(
    { openSource: () => sourceAt(file, form), clock: systemClock(), models: wireModels(), makeFiles },
    { chain, years: chosen, strict: options['strict'] === true, file, partitionBy, signal, report: ({ rows }) => progress(rows) },
  )
  const { files, there, beyond, noNumbers, ...figures }: Done = done ?? { ...nothing, beyond: 0, files: 0, rejects: null }
  const { rows, rejects } = figures
  const totals = { ...figures, there, interrupted: !done }
  const took = wroteText(rows, name, out, files)
  console.result(
    done ? totalsText(totals, { took, rejects, goOn: '', beyond, ...(noNumbers && { noNumbers }) }) : 'interrupted: nothing was written',
    {
      ...figures,
      beyond,
      ...(noNumbers && { noNumbers }),
      alreadyThere: there,
      read: readOf(totals),
      interrupted: !done,
      set,
      versions: [version],
      out,
      format,
      files,
    },
  )
}

type Done = NonNullable<Awaited<ReturnType<typeof backfillFiles>>>

const nothing = { rows: 0, there: 0, rejected: 0, rejectedBefore: 0, notChosen: 0 }
