/** Batches of short texts, and topics read back as such: what the log's laws are written in. */
import type { Batch, Log, ReadOptions } from '../../utilities/log.ts'

type Message = { readonly offset: number; readonly text: string; readonly key?: string }

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function batchOf(texts: readonly string[], keys?: readonly string[]): Batch {
  const encoded = texts.map((text) => encoder.encode(text))
  let end = 0
  const ends = Uint32Array.from(encoded, ({ length }) => (end += length))
  return { bytes: Uint8Array.from(encoded.flatMap((bytes) => [...bytes])), ends, ...(keys && { keys }) }
}

export const textsOf = ({ bytes, ends }: Batch): string[] =>
  [...ends].map((end, i) => decoder.decode(bytes.subarray(ends[i - 1] ?? 0, end)))

export async function readAll(log: Log, topic: string, options: Partial<ReadOptions> = {}): Promise<Message[]> {
  const messages: Message[] = []
  for await (const { offset, batch } of log.read(topic, { partition: 0, from: 0, ...options })) {
    textsOf(batch).forEach((text, i) => messages.push({ offset: offset + i, text, ...(batch.keys && { key: batch.keys[i]! }) }))
  }
  return messages
}

export const readTexts = async (log: Log, topic: string, options: Partial<ReadOptions> = {}): Promise<string[]> =>
  (await readAll(log, topic, options)).map(({ text }) => text)

/** The offset of the message to come; 0 before there is a topic. */
export const endOf = async (log: Log, topic: string): Promise<number> =>
  (await log.topics()).find((one) => one.topic === topic)?.partitions[0]!.next ?? 0

/** Texts prefix0, prefix1, … */
export const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
