/** `consume`: the always-on consumer. */
import { consumeAll } from '../consumer/consume-all.ts'
import type { ConsumeNews } from '../consumer/consume.ts'
import type { Run } from './command.ts'
import { count, type Console } from './console.ts'
import { nothingYet } from './sets.ts'
import { withPorts } from './stage.ts'

export const run: Run = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, ['consume'], async (ports) => {
    const news = consumerNews(console)
    await consumeAll(ports, { follow: options['untilCaughtUp'] !== true, signal, report: news.report, nothingYet: await nothingYet(config), note: console.note })
    console.result(`${computedText(news.total)}${signal.aborted ? ' (stopped; the next start goes on from here)' : ''}`, news.total)
  })

/** What became of the messages that were read. */
export const computedText = ({ rows, duplicates, dead }: { readonly rows: number; readonly duplicates: number; readonly dead: number }) =>
  `computed ${count(rows)} records${duplicates > 0 ? `, ${count(duplicates)} duplicates skipped` : ''}${dead > 0 ? `, ${count(dead)} sent to inflow.dead` : ''}`

/** Adds up what the consumer reports, and says what a person should know. */
export function consumerNews(console: Console) {
  const total = { rows: 0, duplicates: 0, dead: 0 }
  const progress = console.progress('consume', { mostWaitMs: 1000 })
  return {
    total,
    report(news: ConsumeNews) {
      if (news.kind === 'running') console.note(`consume: ${news.versions.join(', ')} from record ${count(news.afterSeq + 1)} on${news.partition > 0 ? `, partition ${news.partition}` : ''}`)
      else if (news.kind === 'waiting') console.note(`consume: waiting, ${news.why}`)
      else {
        total.rows += news.rows
        total.duplicates += news.duplicates
        total.dead += news.dead
        progress(news.rows)
      }
    },
  }
}
