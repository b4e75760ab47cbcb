/** `demo --example invoices`: what a shop asks of its tables, in a folder that `init --example invoices` would begin. */
import { join, resolve } from 'node:path'
import { readConfig } from '../config/config.ts'
import { wireReader } from '../config/wire.ts'
import { dateOf } from '../examples/invoices/shop.ts'
import { shopSources } from '../examples/invoices/generate.ts'
import { questionsAt, story } from '../examples/invoices/story.ts'
import { beginWith } from '../use-cases/init.ts'
import type { Json } from '../utilities/values/json.ts'
import { count } from '../utilities/values/digits.ts'
import type { Context } from './command.ts'
import { duration, table } from './console.ts'
import { makeAfresh, tell } from './tell.ts'
import { wholeNumber } from './words.ts'

export async function run({ options, console, signal }: Context, dir: string): Promise<void> {
  const invoices = wholeNumber(options, 'invoices', { least: 1 }) ?? 10_000
  makeAfresh(dir)
  await beginWith(dir, 'invoices')
  const begun = readConfig(join(dir, 'tidemark.json'), {})
  // Its own, whatever lies where it is run.
  const own: Context['config'] = {
    ...begun,
    features: resolve(dir, 'definitions.ts'),
    dataDir: join(dir, begun.dataDir),
    sources: shopSources(join(dir, 'shop')),
  }
  const startedMs = performance.now()
  if (!(await tell(story(dir, invoices, dateOf(1)), own, { console, signal }))) return console.note('interrupted')

  const warehouse = await wireReader(own)
  try {
    const answers: { readonly asks: string; readonly columns: readonly string[]; readonly rows: Json }[] = []
    const text = ['', `${count(invoices)} invoices in ${duration((performance.now() - startedMs) / 1000)}. As of ${dateOf(1)}:`]
    for (const { asks, sql } of questionsAt(dateOf(1))) {
      const { columns, rows } = await warehouse.query(sql)
      answers.push({ asks, columns, rows: rows as Json })
      text.push('', asks, '', table(columns, rows, { widest: 72 }))
    }
    text.push(
      '',
      `The months of each business lie in ${join(dir, 'months')} as Parquet. Try next:`,
      `  cd ${dir}`,
      '  npx tidemark verify sale_line',
      '  npx tidemark generate --example invoices --out shop --day 2    (and: npx tidemark load)',
      '  npx tidemark query "select * from account_invoices_latest limit 5"',
    )
    console.result(text.join('\n'), { dataDir: own.dataDir, answers })
  } finally {
    await warehouse.close()
  }
}
