/** `load`: tables become what their files say, and the facts that are made from them follow. */
import { fileOf, partitionsFor, topicOf, topicsOf } from '../config/config.ts'
import { definitionsOf, tablesIn } from '../config/definitions.ts'
import type { Config } from '../config/shape.ts'
import { sourceAt } from '../config/files.ts'
import { loadTables, type LoadDone, type TableLoaded } from '../use-cases/load.ts'
import { linesText } from '../use-cases/file-rows.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody, Options } from './command.ts'
import type { Console } from './console.ts'
import { moment } from './moments.ts'
import { withPorts } from './stage.ts'
import { withoutFile } from './source-file.ts'
import { usage } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const definitions = await definitionsOf(config)
  const defined = tablesIn(definitions)
  const named = filesFor(
    defined.map(({ name }) => name),
    args,
    options,
    config,
  )
  const known = options['at'] === undefined ? undefined : moment('at', String(options['at']))
  // Looked at before anything is made.
  const files = await Promise.all(named.map(async ({ table, file, form }) => ({ table, source: await sourceAt(file, form) })))
  await withPorts({ config, console }, ['ingest'], async (ports) => {
    const tables = await ports.openTables()
    const progress = newsOf(console)
    try {
      const done = await loadTables(
        { ...ports, tables },
        {
          definitions: [...definitions.values()].flat(),
          defined,
          files,
          partitions: (fact) => partitionsFor(config, fact),
          partial: options['partial'] === true,
          strict: options['strict'] === true,
          dryRun: options['dryRun'] === true,
          known,
          signal,
          agree: (shrinking) => {
            const each = shrinking.map(({ table, rows, left }) => `${count(left)} of the ${count(rows)} rows of ${table}`)
            return console.confirm(`The file lacks ${each.join(', and ')}. Shall they leave?`)
          },
          report: progress,
          fromTopics: new Set(Object.keys(topicsOf(config))),
        },
      )
      console.result(loadedText(done), done)
    } finally {
      tables.close()
    }
  })
}

function filesFor(tables: readonly string[], args: readonly string[], { file }: Options, config: Config) {
  if (tables.length === 0) throw usage('the definitions have no table', 'A feature set over a fact has some: see docs/your-own-data.md.')
  const unknown = args.find((name) => !tables.includes(name))
  if (unknown !== undefined) throw usage(`there is no table ${unknown}`, `The definitions have ${tables.join(', ')}.`)
  if (file !== undefined && args.length !== 1) throw usage('--file is of one table', `Name it: one of ${tables.join(', ')}.`)
  const configured = (table: string) => fileOf(config, table, false)
  const chosen = args.length > 0 ? [...new Set(args)] : tables.filter(configured)
  if (chosen.length === 0)
    throw tables.every((name) => topicOf(config, name))
      ? usage('no table has a file: each comes from a topic', 'Run: tidemark ingest. To load a file all the same, name it with --file.')
      : usage('no table has a file', `Add "sources": { "${tables[0]}": { "file": … } } to the config, or name one with --file.`)
  return chosen.map((table) => {
    const named = configured(table)
    const place = (file as string | undefined) ?? named?.file
    if (place === undefined) throw withoutFile(table, config)
    return { table, file: place, form: named?.form ?? {} }
  })
}

function newsOf(console: Console): Parameters<typeof loadTables>[1]['report'] {
  let doing = ''
  let progress: ReturnType<Console['progress']> | undefined
  const words = { restoring: 'load: rows brought back from the log', reading: 'load: read', writing: 'load: written' }
  return (news) => {
    if (news.doing !== doing) progress = console.progress(words[(doing = news.doing) as typeof news.doing])
    progress?.(news.rows + news.facts)
  }
}

function loadedText({ ended, tables, facts, underWay, finished }: LoadDone): string {
  const lines = [
    ...(finished.length > 0 ? [`the load of ${finished.join(', ')} that had been begun before is done`] : []),
    ...tables.map(tableText),
    ...Object.entries(facts).map(
      ([stream, { added, changed, removed, unfit }]) =>
        `${stream}: ${count(added)} facts added, ${count(changed)} changed, ${count(removed)} removed` +
        (unfit > 0 ? `; ${count(unfit)} rows make none, see inflow.${stream}.dead` : ''),
    ),
  ]
  const ends: { readonly [one in LoadDone['ended']]: readonly string[] } = {
    done: [],
    'nothing new': ['nothing new'],
    declined: ['nothing was changed'],
    'dry run': ['a dry run: nothing was changed'],
    interrupted: [
      `interrupted: run it again to go on${underWay ? ` (${count(underWay.rows)} of ${count(underWay.of)} changed rows are kept)` : ''}`,
    ],
  }
  return [...lines, ...ends[ended]].join('\n')
}

function tableText({ table, totals, rejects }: TableLoaded): string {
  const { read, added, changed, left, unchanged, rejected } = totals
  const each = `${count(added)} new, ${count(changed)} changed, ${count(unchanged)} unchanged, ${count(rejected)} rejected`
  const others = [`${count(left)} left`, ...(rejects === null ? [] : [`${linesText(rejected)} rejected, see ${rejects}`])]
  return `${table}: ${count(read)} rows read: ${each}; ${others.join('; ')}`
}
