/** A writer of the Kafka log whose requests meet faults on their way to a real broker. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Link } from '../../utilities/log/kafka-client.ts'
import type { KafkaLog } from '../../utilities/log/kafka-log.ts'
import type { KafkaParts } from '../../utilities/log/kafka-parts.ts'
import { openWriter } from '../../utilities/log/kafka-writer.ts'
import type { Writer } from '../../utilities/log/log.ts'

/** What becomes of a request: it, or its answer, is lost with the connection; or the broker does not lead the partition just now. */
export type Fault = 'request lost' | 'answer lost' | 'refused' | undefined

export type Faults = { readonly asking: readonly Fault[]; readonly sending: readonly Fault[] }

/** A writer whose requests meet these faults, one after the other: those to the coordinator, and those that carry messages. */
export async function writerWithFaults({ kafka: { checkpointTopic, ...parts } }: KafkaLog, name: string, { asking, sending }: Faults): Promise<Writer> {
  const lost = () => Object.assign(new Error('lost on purpose'), { name: 'KafkaJSConnectionClosedError' })
  const meeting = (faults: readonly Fault[]) => {
    const coming = [...faults]
    return async <T>(send: () => Promise<T>, refused?: () => T): Promise<T> => {
      const fault = coming.shift()
      if (fault === 'request lost') throw lost()
      if (fault === 'refused' && refused) return refused()
      const answer = await send()
      // It takes a while to notice, in which others go their way.
      if (fault === 'answer lost') throw await sleep(20, lost())
      return answer
    }
  }
  const [ask, exchange] = [meeting(asking), meeting(sending)]
  const faulty = (link: Link): Link => ({
    ...link,
    ask: (api, details) => ask(() => link.ask(api, details)),
    exchange: (api, [places, ...body]) => exchange(() => link.exchange(api, body), () => Buffer.from(places!)),
  })
  const { cluster, produce } = parts
  const wrapped: KafkaParts = {
    ...parts,
    // Places travel in front of the request, so that a refusal can name them.
    produce: {
      request: async (producer, timeoutMs, sets) => [Buffer.from(JSON.stringify(sets.map(({ topic, partition }) => ({ topic, partition })))), ...await produce.request(producer, timeoutMs, sets)],
      answer: async (payload) => (payload[0] === 0x5b
        ? (JSON.parse(payload.toString()) as { topic: string; partition: number }[]).map((place) => ({ ...place, errorCode: 6, offset: -1 }))
        : produce.answer(payload)),
    },
    cluster: {
      ...cluster,
      at: (address, work) => cluster.at(address, (link) => work(faulty(link))),
      coordinator: (of, id, work) => cluster.coordinator(of, id, (link) => work(faulty(link))),
    },
  }
  return openWriter(wrapped, checkpointTopic, name)
}
