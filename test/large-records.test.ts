/** Records whose row, or whose letter, is larger than a topic takes: kept aside, cut to what fits, and nobody stops for them. */
import { describe, expect, it } from 'vitest'
import type { Ports } from '../config/wire.ts'
import { consumeInflow } from '../use-cases/consume.ts'
import { sinkOutflow } from '../use-cases/sink.ts'
import { messagesOf } from '../use-cases/topic-messages.ts'
import { loadPosition } from '../streams/position.ts'
import { apply } from '../versions/apply.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import { loansText } from './loans-text.ts'
import { loanRisk, mustBeDone, streamed } from './memory-steps.ts'

const { set, chain } = loanRisk
const signal = new AbortController().signal
const watch = { signal, report: () => {}, note: () => {}, partitions: 1, partitionsFor: () => 1 }
const streaming = { follow: false, nothingYet: async () => '', ...watch }
/** A loan of so many more bytes. */
const long = (bytes: number, year = 2008) => `1000,${year}-06-01,${'x'.repeat(bytes)},700,10%,481xx,NM,4 years,0`
/** Records 2 and 4 are too large; the letter of 4 is, too. */
const rows = [2008, long(300), 2008, long(900), 2008, 2009]

/** Topics that take messages of so many bytes, and refuse larger ones with the whole commit. */
function limited(ports: Ports, most: Readonly<Record<string, number>>): Ports {
  const limitOf = (topic: string) => most[topic] ?? Infinity
  const writer: Ports['log']['writer'] = async (name) => {
    const taken = await ports.log.writer(name)
    return {
      ...taken,
      async commit(work) {
        for (const {
          topic,
          batch: { ends },
        } of work.append ?? []) {
          const largest = Math.max(0, ...ends.map((end, i) => end - (i === 0 ? 0 : ends[i - 1]!)))
          if (largest > limitOf(topic)) throw new Error(`${topic} takes no message of ${largest} bytes`)
        }
        return taken.commit(work)
      },
    }
  }
  return { ...ports, log: { ...ports.log, writer, largestMessage: async (topic) => limitOf(topic) } }
}

async function reasonsIn(store: StoreInMemory): Promise<readonly unknown[]> {
  const messages = await messagesOf(store.open(), { topic: 'inflow.dead', partition: undefined, most: 10, from: undefined })
  return messages.map((one) => ('fields' in one ? one.fields['reason'] : one.reason))
}

describe('a record too large for outflow', () => {
  it('is a dead letter cut to what fits, stops nobody, and every version and proof agrees on it', async () => {
    const store = storeInMemory(loanRisk, 1, loansText(rows))
    const ports = limited(store.open(), { outflow: 300, 'inflow.dead': 700 })
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'produce', years: [2008, 2008] })
    expect(await consumeInflow(ports, streaming)).toMatchObject({ rows: 3, duplicates: 0, dead: 2, deadTopics: ['inflow.dead'] })
    await sinkOutflow(ports, { follow: false, ...watch })
    await apply(ports, { chain, version: 1, mode: 'backfill', actor: { who: 'somebody', why: null }, ...watch })
    await mustBeDone(store, { do: 'backfill', years: [2009, 2009] })

    for (const version of [0, 1]) expect(await verify(ports, { set, version, ...watch })).toMatchObject({ differences: 0 })
    expect((await store.look()).base!.map(({ _seq }) => _seq)).toEqual([1, 3, 5, 6])
    expect(await loadPosition(ports.checkpoints, set, 0)).toMatchObject({ seq: 6, dead: 2 })
    expect(await reasonsIn(store)).toEqual([
      expect.stringMatching(/^it has 3\d\d bytes, and a row of more than \d+, without its features, does not fit into outflow$/),
      expect.stringMatching(/^it has 9\d\d bytes, and a row of more than \d+, .* \(the first of its 9\d\d bytes\)$/),
    ])
  })

  it('stays left out, whatever the topic takes by the time it is replayed; what comes then is taken by what it takes then', async () => {
    const store = storeInMemory(loanRisk, 1, loansText([...rows, long(300, 2009)]))
    const ports = limited(store.open(), { outflow: 300, 'inflow.dead': 700 })
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'produce', years: [2008, 2008] })
    await consumeInflow(ports, streaming)
    await streamed(store, [2009, 2009])
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'shadow' })
    for (const version of [0, 1]) expect(await verify(store.open(), { set, version, ...watch })).toMatchObject({ rows: 5, differences: 0 })
  })
})
