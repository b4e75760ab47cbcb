/** A writer of the Kafka log whose requests meet faults on their way to a real broker. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Link } from '../../utilities/kafka/client/client.ts'
import type { KafkaLog } from '../../utilities/kafka/log.ts'
import type { KafkaParts } from '../../utilities/kafka/parts.ts'
import { openWriter } from '../../utilities/kafka/writer.ts'
import type { Writer } from '../../utilities/log.ts'

/** What becomes of a request: it, or its answer, is lost with the connection; or the broker does not lead the partition just now. */
export type Fault = 'request lost' | 'answer lost' | 'refused' | undefined

export type Faults = { readonly asking: readonly Fault[]; readonly sending: readonly Fault[] }

/** A writer whose requests meet these faults, one after the other: those to the coordinator, and those that carry messages. */
export async function writerWithFaults(
  { kafka: { checkpointTopic, ...parts } }: KafkaLog,
  name: string,
  { asking, sending }: Faults,
): Promise<Writer> {
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
    exchange: (api, body) =>
      exchange(
        () => link.exchange(api, body),
        () => notLeading(Buffer.concat(body)),
      ),
  })
  const { cluster } = parts
  const wrapped: KafkaParts = {
    ...parts,
    cluster: {
      ...cluster,
      at: (address, work) => cluster.at(address, (link) => work(faulty(link))),
      coordinator: (of, id, work) => cluster.coordinator(of, id, (link) => work(faulty(link))),
    },
  }
  return openWriter(wrapped, checkpointTopic, name)
}

/** The answer to a Produce request whose partitions the broker does not lead. */
function notLeading(request: Buffer): Buffer {
  let at = 2 + request.readInt16BE(0) + 2 + 4
  const topics = request.readInt32BE(at)
  const answer = [request.subarray(at, (at += 4))]
  for (let topic = 0; topic < topics; topic++) {
    const nameEnd = at + 2 + request.readInt16BE(at)
    const partitions = request.readInt32BE(nameEnd)
    answer.push(request.subarray(at, (at = nameEnd + 4)))
    for (let i = 0; i < partitions; i++) {
      const failed = Buffer.alloc(30)
      failed.writeInt32BE(request.readInt32BE(at), 0)
      failed.writeInt16BE(6, 4)
      answer.push(failed)
      at += 8 + request.readInt32BE(at + 4)
    }
  }
  return Buffer.concat(answer)
}
