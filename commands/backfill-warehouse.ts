/** `backfill`: into the warehouse, leaving the checkpoint that the stream resumes from. */
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { sourceAt } from '../config/wire.ts'
import { backfillYears, undoYears } from '../use-cases/backfill.ts'
import { count } from '../utilities/values/digits.ts'
import { actorOf } from './actor.ts'
import type { Options, CommandBody } from './command.ts'
import type { Console } from './console.ts'
import { streamedSet } from './sets.ts'
import { withPorts } from './stage.ts'
import { totalsText } from './totals.ts'
import { usage, years } from './words.ts'

export const run: CommandBody = async ({ options, config, console, signal }) => {
  refuseForFiles(options)
  const definitions = await loadDefinitions(config.features)
  const set = (options['features'] as string | undefined) ?? streamedSet(definitions)
  const chain = chainOf(definitions, set)
  const leases = [`backfill-${set}`]
  const by = `process ${process.pid}`
  if (options['undo'] === true) {
    return withPorts({ config, console }, leases, async (ports) => {
      const agree = () => console.confirm(`Delete the rows of ${set} that an unfinished backfill wrote?`)
      const { ended } = await undoYears(ports, { set, by, agree, signal })
      const text = {
        'nothing to do': `${set} has no unfinished backfill`,
        declined: 'nothing was changed',
        undone: `took back the unfinished backfill of ${set}`,
      }
      console.result(text[ended], { set, undone: ended === 'undone' })
    })
  }
  const file = (options['file'] as string | undefined) ?? config.source.file
  const chosen = years(options)
  const source = await sourceAt(file)
  await withPorts({ config, console }, leases, async (ports) => {
    let progress: ReturnType<Console['progress']> | undefined
    const done = await backfillYears(
      { ...ports, source },
      {
        set,
        years: chosen,
        strict: options['strict'] === true,
        continue: options['continue'] === true,
        by,
        signal,
        report: ({ rows }) => (progress ??= console.progress(`backfill ${set}`))(rows),
        chain,
        partitions: config.log.partitions,
        actor: actorOf(options),
        file,
        firstApplied: () => console.note(`applied ${set}@0, its first version`),
      },
    )
    const took = `backfilled ${count(done.rows)} records into ${done.versions.map((version) => `${set}@${version}`).join(', ')}`
    const goOn = 'run it again to go on from there, or with --undo to take it back'
    const unread = done.unread.map(({ version, rows }) => ({ name: `${set}@${version}`, rows }))
    console.result(
      totalsText({ ...done, there: done.alreadyThere }, { took, rejects: done.rejects, goOn, unread, beyond: done.beyond }),
      done,
    )
  })
}

/** What is said of files only. */
function refuseForFiles({ features, format, partitionBy }: Options): void {
  const refused = (what: string) => usage(what, 'Add --out DIR, or leave it out.')
  if (format !== undefined) throw refused('--format is for files, and without --out rows go into the warehouse')
  if (partitionBy !== undefined) throw refused('--partition-by is for files, and without --out rows go into the warehouse')
  if (String(features).includes('@')) {
    throw refused(`--features ${String(features)} names a version, and without --out the versions that are applied are computed`)
  }
}
