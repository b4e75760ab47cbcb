/** `backfill`: into the warehouse, leaving the checkpoint that the stream resumes from. */
import { partitionsFor } from '../config/config.ts'
import { chainOf, definitionsOf } from '../config/definitions.ts'
import { sourceAt, standardInput } from '../config/files.ts'
import { backfillYears, undoYears } from '../use-cases/backfill.ts'
import { count } from '../utilities/values/digits.ts'
import { actorOf } from './actor.ts'
import type { Options, CommandBody } from './command.ts'
import type { Console } from './console.ts'
import { setNamed } from './features.ts'
import { streamedSet } from './sets.ts'
import { chosenYears, fileFor } from './source-file.ts'
import { withPorts } from './stage.ts'
import { totalsText } from './totals.ts'
import { usage } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const named = setNamed(args, options)
  refuseForFiles(options, named)
  const definitions = await definitionsOf(config)
  const set = named ?? streamedSet(definitions)
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
  const { file, form } = fileFor(chain.at(-1)!.record, definitions, options, config)
  if (file === standardInput)
    throw usage(
      'standard input cannot be read again, as later versions will read what a backfill has taken',
      'Write it to a file, and name that.',
    )
  const chosen = chosenYears(options)
  const source = await sourceAt(file, form)
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
        partitions: partitionsFor(config, chain[0]!.record),
        actor: actorOf(options),
        file,
        firstApplied: () => console.note(`applied ${set}@0, its first version`),
      },
    )
    const took = `backfilled ${count(done.rows)} records into ${done.versions.map((version) => `${set}@${version}`).join(', ')}`
    const goOn = 'run it again to go on from there, or with --undo to take it back'
    const unread = done.unread.map(({ version, rows }) => ({ name: `${set}@${version}`, rows }))
    console.result(
      totalsText(
        { ...done, there: done.alreadyThere },
        { took, rejects: done.rejects, goOn, unread, beyond: done.beyond, ...(done.noNumbers && { noNumbers: done.noNumbers }) },
      ),
      done,
    )
  })
}

/** What is said of files only. */
function refuseForFiles({ format, partitionBy }: Options, named: string | undefined): void {
  const refused = (what: string) => usage(what, 'Add --out DIR, or leave it out.')
  if (format !== undefined) throw refused('--format is for files, and without --out rows go into the warehouse')
  if (partitionBy !== undefined) throw refused('--partition-by is for files, and without --out rows go into the warehouse')
  if (named?.includes('@')) {
    throw refused(`${named} is a version, and without --out the versions that are applied are computed`)
  }
}
