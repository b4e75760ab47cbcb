/** What Debezium puts in place of a large value that did not change and that the database therefore did not tell. */
import { sentAs, type Found } from './scan.ts'

const word = '__debezium_unavailable_value'
const bytes = Buffer.from(word)

/** As a text, and of bytes in base64 and in digits; of lists of texts and of numbers, and of names with values. */
const texts = [word, bytes.toString('base64'), bytes.toString('hex')].map((text) => Buffer.from(text))
const lists = [JSON.stringify([word]), JSON.stringify([...bytes]), JSON.stringify({ [word]: word })].map((text) => Buffer.from(text))

export function isUnsent(found: Found, slot: number): boolean {
  const kind = found.kinds[slot]!
  const from = found.starts[slot]!
  const length = found.ends[slot]! - from
  if (kind === sentAs.text) return length >= bytes.length && isOne(texts, found.bytes, from, length)
  return (kind === sentAs.array || kind === sentAs.object) && isOne(lists, found.bytes, from, length)
}

function isOne(all: readonly Buffer[], data: Buffer, from: number, length: number): boolean {
  for (const one of all) if (one.length === length && data.compare(one, 0, length, from, from + length) === 0) return true
  return false
}
