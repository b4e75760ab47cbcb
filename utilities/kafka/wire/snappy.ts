/** Snappy as Kafka's producers write it: plain, or in the blocks of Java's stream. Only reading. */
import { unpack } from './snappy-block.ts'

const streamMagic = Buffer.from('82534e4150505900', 'hex')
const streamHeader = 16

export function unsnappy(packed: Buffer): Buffer {
  if (!packed.subarray(0, streamMagic.length).equals(streamMagic)) return unpack(packed)
  const blocks: Buffer[] = []
  for (let at = streamHeader; at < packed.length;) {
    const end = at + 4 + packed.readInt32BE(at)
    blocks.push(unpack(packed.subarray(at + 4, end)))
    at = end
  }
  return Buffer.concat(blocks)
}
