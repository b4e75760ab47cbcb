/** `demo`: the loan story from the first batch to the third version, or another example's, told with the commands a user would type. */
import { join } from 'node:path'
import { wireReader } from '../config/wire.ts'
import { sampleAround, set, story, timeline, tryNext } from '../examples/loans/story.ts'
import { count } from '../utilities/values/digits.ts'
import type { Json } from '../utilities/values/json.ts'
import type { Context } from './command.ts'
import { duration, table } from './console.ts'
import { makeAfresh, tell } from './tell.ts'
import { usage, wholeNumber } from './words.ts'

/** What each story is told in where nothing else is said. */
const folders = { loans: '.tidemark-demo', invoices: '.tidemark-invoices' }

export const run = async (context: Context): Promise<number | void> => {
  const { options, config } = context
  const { example = 'loans' } = options
  if (example !== 'loans' && example !== 'invoices')
    throw usage(`there is no example ${String(example)}`, 'The examples are: loans, invoices.')
  const other = example === 'loans' ? 'invoices' : 'rows'
  if (options[other] !== undefined) throw usage(`--${other} is not for the ${example}`, 'Leave it out, or name the other example.')
  const dir = options['dataDir'] === undefined ? folders[example] : config.dataDir
  return example === 'loans' ? loans(context, dir) : (await import('./demo-invoices.ts')).run(context, dir)
}

async function loans({ options, config, console, signal }: Context, dir: string): Promise<void> {
  const rows = wholeNumber(options, 'rows', { least: 100 }) ?? 200_000
  makeAfresh(dir)
  const file = join(dir, 'rejected.csv.gz')
  const { features: _, ...rest } = config
  const own: Context['config'] = { ...rest, dataDir: dir, source: { file }, sources: {}, streams: {} }
  const startedMs = performance.now()
  if (!(await tell(story(file, rows), own, { console, signal }))) return console.note('interrupted')

  const warehouse = await wireReader(own)
  try {
    const rowsByVersion = await warehouse.query(timeline)
    const switches = (await warehouse.versions(set)).map(({ version, mode, switches: [at] }) => ({
      version,
      mode,
      afterRecord: at?.afterSeq ?? 0,
    }))
    const around = switches.at(-1)!.afterRecord
    const sample = await warehouse.query(sampleAround(around))
    const named = options['dataDir'] === undefined ? '' : ` --data-dir ${dir}`
    const text = [
      '',
      `One feature set, three meanings, ${count(rows)} applications in ${duration((performance.now() - startedMs) / 1000)}:`,
      '',
      table(rowsByVersion.columns, rowsByVersion.rows),
      '',
      ...switches.map(({ version, mode, afterRecord }) =>
        afterRecord === 0
          ? `@${version} from the first record on`
          : `@${version} (--${mode}) from record ${count(afterRecord + 1)} on: the stream switched after record ${count(afterRecord)}`,
      ),
      '',
      'Around the last switch, ma50 changes its meaning under the same name, and each row says so:',
      '',
      table(sample.columns, sample.rows),
      '',
      'Try next:',
      ...tryNext.map((words) => `  npx tidemark ${words}${named}`),
      `  sqlite3 ${join(dir, 'warehouse.db')}   (any tool that reads SQLite)`,
    ].join('\n')
    console.result(text, {
      dataDir: dir,
      timeline: rowsByVersion.rows.map((row) => Object.fromEntries(rowsByVersion.columns.map((name, i) => [name, row[i] as Json]))),
      switches,
    })
  } finally {
    await warehouse.close()
  }
}
