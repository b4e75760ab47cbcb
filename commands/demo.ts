/** `demo`: the loan story from the first batch to the third version, told with the commands a user would type. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { wireReader } from '../config/wire.ts'
import { sampleAround, set, story, timeline, tryNext } from '../examples/loans/story.ts'
import { count } from '../utilities/values/digits.ts'
import type { Json } from '../utilities/values/json.ts'
import { makeDirectory } from '../utilities/running/make-directory.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Command, Context, Options } from './command.ts'
import { duration, table, type Console } from './console.ts'
import { wholeNumber } from './words.ts'

const mark = 'made-by-tidemark-demo'

/** The commands that the story is told with. */
const told: Readonly<Record<string, Command['load']>> = {
  generate: () => import('./generate.ts'),
  apply: () => import('./apply.ts'),
  backfill: () => import('./backfill.ts'),
  produce: () => import('./produce.ts'),
  up: () => import('./up.ts'),
}

export const run = async ({ options, config, console, signal }: Context): Promise<number | void> => {
  const rows = wholeNumber(options, 'rows', { least: 100 }) ?? 200_000
  const dir = options['dataDir'] === undefined ? '.tidemark-demo' : config.dataDir
  makeAfresh(dir)
  const file = join(dir, 'rejected.csv.gz')
  const { features: _, ...rest } = config
  const own: Context['config'] = { ...rest, dataDir: dir, source: { file }, sources: {}, streams: {} }
  const startedMs = performance.now()

  const type = async (words: string, given: Options, args: readonly string[] = []) => {
    if (signal.aborted) return
    console.note(`$ tidemark ${words}`)
    const { run } = await told[words.split(' ')[0]!]!()
    const code = await run({ args, options: given, config: own, console: quiet(console), signal })
    if (code) throw new Problem(`the demo stopped at: tidemark ${words}`, 'Please report it with the lines above.')
  }

  for (const { words, options: given, args } of story(file, rows)) await type(words, given, args)
  if (signal.aborted) return console.note('interrupted')

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

/** Removes only what an earlier demo made. */
function makeAfresh(dir: string): void {
  makeDirectory(dir)
  if (readdirSync(dir).length > 0 && !existsSync(join(dir, mark))) {
    throw new Problem(`${dir} is not empty and was not made by the demo`, 'Give it another folder with --data-dir.')
  }
  rmSync(dir, { recursive: true, force: true })
  makeDirectory(dir)
  writeFileSync(join(dir, mark), 'tidemark demo removes this folder and makes it again.\n')
}

/** The results of the commands as lines of the story; their own notes and plans are left out. */
const quiet = (console: Console): Console => ({
  ...console,
  note: () => {},
  confirm: async () => true,
  result: (text) => console.note(`  ${text.split('\n')[0]}`),
})
