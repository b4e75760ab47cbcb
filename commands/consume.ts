/** `consume`: the always-on consumer. */
import { consumeInflow, type Computed } from '../use-cases/consume.ts'
import type { BothOptions } from '../use-cases/up.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import type { Console } from './console.ts'
import { nothingYet } from './first-apply.ts'
import { withPorts } from './stage.ts'
import { beyondText, noNumbersText } from './totals.ts'

export const run: CommandBody = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, ['consume'], async (ports) => {
    const follow = options['untilCaughtUp'] !== true
    const done = await consumeInflow(ports, {
      follow,
      signal,
      report: consumerNews(console),
      nothingYet: () => nothingYet(config),
      note: console.note,
    })
    console.result(`${computedText(done)}${signal.aborted ? ' (stopped; the next start goes on from here)' : ''}`, done)
  })

/** What became of the messages that were read. */
export const computedText = ({ rows, duplicates, dead, deadTopics, beyond, noNumbers }: Computed) =>
  [
    `computed ${count(rows)} records`,
    ...(duplicates > 0 ? [`${count(duplicates)} duplicates skipped`] : []),
    ...(dead > 0 ? [`${count(dead)} sent to ${deadTopics.join(' and ')}`] : []),
    ...beyondText(beyond),
    ...noNumbersText(noNumbers),
  ].join(', ')

/** Says what a person should know of what the consumer reports. */
export function consumerNews(console: Console): BothOptions['computed'] {
  const progress = console.progress('consume', { mostWaitMs: 1000 })
  return (news) => {
    if (news.kind === 'batch') progress(news.rows)
    else if (news.kind === 'waiting') console.note(`consume: waiting, ${news.why}`)
    else {
      const place = news.partition > 0 ? `, partition ${news.partition}` : ''
      console.note(`consume: ${news.versions.join(', ')} from record ${count(news.afterSeq + 1)} on${place}`)
    }
  }
}
