/** Messages of others as a feed gives them, made of texts or of lines that were captured. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Messages, Pieces } from '../utilities/feed.ts'

export type Sent = {
  readonly value: string | Uint8Array | null
  readonly key?: string | Uint8Array | null
  readonly headers?: { readonly [name: string]: string }
  readonly offset?: number
  readonly time?: number
}

export function messagesOf(sent: readonly Sent[]): Messages {
  return {
    count: sent.length,
    offsets: Float64Array.from(sent, ({ offset }, i) => offset ?? i),
    times: Float64Array.from(sent, ({ time }) => time ?? 0),
    keys: pieces(sent.map(({ key }) => key ?? null)),
    values: pieces(sent.map(({ value }) => value)),
    header(message, name) {
      const text = sent[message]!.headers?.[name]
      return text === undefined ? undefined : Buffer.from(text)
    },
    next: sent.length,
    end: sent.length,
  }
}

/** Other bytes lie between them, as in a batch of Kafka. */
function pieces(all: readonly (string | Uint8Array | null)[]): Pieces {
  const parts: Buffer[] = []
  const starts = new Int32Array(all.length)
  const ends = new Int32Array(all.length)
  let at = 0
  for (const [i, one] of all.entries()) {
    const bytes = one === null ? Buffer.alloc(0) : Buffer.from(one as string)
    starts[i] = one === null ? -1 : at
    ends[i] = one === null ? -1 : at + bytes.length
    parts.push(bytes, Buffer.from('7"}'))
    at += bytes.length + 3
  }
  return { bytes: Buffer.concat(parts), starts, ends }
}

type Line = {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly timestamp: string
  readonly headers: { readonly [name: string]: string }
  readonly key: string | null
  readonly value: string | null
}

/** The partitions of a captured topic, each as one batch. */
export function captured(file: string, topic: string): readonly Messages[] {
  const lines = readFileSync(join(import.meta.dirname, 'fixtures/cdc', file), 'utf8')
    .trim()
    .split('\n')
  const all = lines.map((line) => JSON.parse(line) as Line).filter((line) => line.topic === topic)
  return [...new Set(all.map(({ partition }) => partition))].map((partition) =>
    messagesOf(
      all
        .filter((line) => line.partition === partition)
        .map(({ key, value, headers, offset, timestamp }) => ({ key, value, headers, offset: Number(offset), time: Number(timestamp) })),
    ),
  )
}
