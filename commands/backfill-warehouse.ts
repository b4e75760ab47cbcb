/** `backfill`: into the warehouse, leaving the checkpoint that the stream resumes from. */
import { backfill, undoBackfill } from '../batch/backfill.ts'
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { sourceAt } from '../config/wire.ts'
import { loadPositions } from '../feature-defs/checkpoint.ts'
import { claimRegistry } from '../feature-defs/store.ts'
import { beginAnew } from '../sink/sink.ts'
import { Problem } from '../utilities/problem.ts'
import { apply } from '../versions/apply.ts'
import { actorOf } from './actor.ts'
import type { Options, Run } from './command.ts'
import { count } from './console.ts'
import { streamedSet } from './sets.ts'
import { withPorts } from './stage.ts'
import { readOf, refuseNothing, totalsText } from './totals.ts'
import { years } from './words.ts'

export const run: Run = async ({ options, config, console, signal }) => {
  refuseForFiles(options)
  const definitions = await loadDefinitions(config.features)
  const set = (options['features'] as string | undefined) ?? streamedSet(definitions)
  const chain = chainOf(definitions, set)
  const file = (options['file'] as string | undefined) ?? config.source.file
  const undo = options['undo'] === true
  const chosen = undo ? undefined : years(options)
  const source = undo ? undefined : await sourceAt(file)
  const by = `process ${process.pid}`

  await withPorts({ config, console }, [`backfill-${set}`], async (ports) => {
    if (!chosen || !source) {
      if (!(await console.confirm(`Delete the rows of ${set} that an unfinished backfill wrote?`))) return console.result('nothing was changed', { set, undone: false })
      const there = await undoBackfill(ports, set, { by, signal })
      return console.result(there ? `took back the unfinished backfill of ${set}` : `${set} has no unfinished backfill`, { set, undone: there })
    }
    await claimRegistry(ports)
    if ((await loadPositions(ports.checkpoints, set)).some(({ runs }) => runs.length === 0)) {
      // Nobody can see a difference yet: the first version needs no decision.
      await source.prove(signal)
      await apply(ports, { chain, version: 0, mode: 'first', partitions: config.log.partitions, actor: actorOf(options), signal, report: () => {} })
      await beginAnew(ports, set)
      console.note(`applied ${set}@0, its first version`)
    }
    const progress = console.progress(`backfill ${set}`)
    const rejects = ports.rejectsPath(set)
    const done = await backfill(
      { ...ports, source, rejects: ports.rejects(set) },
      { set, years: chosen, strict: options['strict'] === true, continue: options['continue'] === true, by, signal, report: ({ rows }) => progress(rows) },
    )
    const unread = done.unread.map(({ version, rows }) => ({ name: `${set}@${version}`, rows }))
    const totals = { ...done, unread, there: done.alreadyThere }
    refuseNothing(file, chosen, totals, rejects)
    const took = `backfilled ${count(done.rows)} records into ${done.versions.map((version) => `${set}@${version}`).join(', ')}`
    const text = totalsText(totals, { took, rejects, goOn: 'run it again to go on from there, or with --undo to take it back' })
    const isKept = done.rejected > 0 || unread.length > 0
    console.result(text, { ...done, read: readOf(totals), set, rejects: isKept ? rejects : null })
  })
}

/** What is said of files only. */
function refuseForFiles({ features, format, partitionBy }: Options): void {
  const usage = (what: string) => new Problem(what, 'Add --out DIR, or leave it out.', { usage: true })
  if (format !== undefined) throw usage('--format is for files, and without --out rows go into the warehouse')
  if (partitionBy !== undefined) throw usage('--partition-by is for files, and without --out rows go into the warehouse')
  if (String(features).includes('@')) throw usage(`--features ${String(features)} names a version, and without --out the versions that are applied are computed`)
}
