/** `consume`: runs the consumer, and says what became of the messages that it read. */
import { consumeAll, type ConsumeAllOptions } from '../consumer/consume-all.ts'
import type { ConsumerPorts } from '../consumer/consume.ts'
import { noNumbersCounter } from '../feature-defs/models/no-numbers.ts'

export type Computed = Awaited<ReturnType<typeof consumeInflow>>

export async function consumeInflow(ports: ConsumerPorts, options: ConsumeAllOptions) {
  const total = { rows: 0, duplicates: 0, dead: 0, beyond: 0 }
  const noNumbers = noNumbersCounter()
  // Where what is dead went.
  const deadTopics = new Set<string>()
  await consumeAll(ports, {
    ...options,
    report(news) {
      if (news.kind === 'batch') {
        total.rows += news.rows
        total.duplicates += news.duplicates
        total.dead += news.dead
        total.beyond += news.beyond
        noNumbers.addAll(news.noNumbers)
        if (news.dead > 0) deadTopics.add(news.stream.dead)
      }
      options.report(news)
    },
  })
  return { ...total, ...noNumbers.found(), deadTopics: [...deadTopics].sort() }
}
