/** Which topic stands under a name: Kafka's own id of it, from a request that kafkajs does not have (Metadata, version 10). */
import { UnknownToBroker } from '../client/client.ts'
import type { KafkaParts } from '../parts.ts'
import { check, code, Refusal } from '../client/trouble.ts'

const metadataApi = { name: 'Metadata', key: 3, version: 10 }

/** undefined when there is no such topic; '' from brokers before 2.8, which give none. */
export async function topicId({ cluster }: Pick<KafkaParts, 'cluster'>, topic: string): Promise<string | undefined> {
  return cluster.patiently(async () => {
    const answer = await cluster
      .any((link) => link.exchange(metadataApi, [request(topic)]))
      .catch((error: unknown) => {
        if (error instanceof UnknownToBroker) return undefined
        throw error
      })
    if (answer) {
      const { errorCode, id } = found(answer)
      if (errorCode !== code.unknownTopic) check(errorCode, `topic ${topic}`)
      if (errorCode === 0) return id
      // What was known of it is of a topic that is gone, unless only this broker has not heard of it yet.
      cluster.forget(topic)
    }
    if ((await cluster.partitionsOf(topic)) === 0) return undefined
    if (answer) throw new Refusal(code.leaderNotAvailable, `topic ${topic}`)
    return ''
  })
}

/** In the protocol's compact form: the header ends with a byte for its tags, of which there are none, and lengths are stated one larger. */
function request(topic: string): Buffer {
  const name = Buffer.from(topic)
  const anyId = Buffer.alloc(16)
  // One topic without tags; no topic is made, and nobody asks who may do what.
  return Buffer.concat([Buffer.of(0), varint(2), anyId, varint(name.length + 1), name, Buffer.of(0), Buffer.of(0, 0, 0), Buffer.of(0)])
}

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.of(value) : Buffer.concat([Buffer.of((value & 0x7f) | 0x80), varint(value >>> 7)])
}

/** The one topic that was asked for: it lies behind the brokers. */
function found(payload: Buffer): { readonly errorCode: number; readonly id: string } {
  let at = 1 + 4
  const number = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = payload.readUInt8(at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  // Number first: it moves the place itself.
  const skip = (length: number) => void (at += Math.max(0, length))
  const skipText = () => skip(number() - 1)
  const skipTags = () => {
    for (let tags = number(); tags > 0; tags--) {
      number()
      skip(number())
    }
  }
  for (let brokers = number() - 1; brokers > 0; brokers--) {
    skip(4)
    skipText()
    skip(4)
    skipText()
    skipTags()
  }
  skipText() // the cluster
  skip(4) // its controller
  number() // one topic
  const errorCode = payload.readInt16BE(at)
  skip(2)
  skipText()
  const hex = payload.toString('hex', at, at + 16)
  return { errorCode, id: /^0*$/.test(hex) ? '' : hex }
}
