/** Kafka Connect's schemas, as JSON messages carry them: what they say of values. */
import { wholes } from './avro/meaning.ts'
import type { SentType } from './sent.ts'

const plain: SentType = { is: 'plain' }

/** What a schema's name says; undefined where that is nothing. */
function namedType(name: unknown, parameters: unknown): SentType | undefined {
  if (typeof name !== 'string') return undefined
  if (name === 'io.debezium.data.VariableScaleDecimal') return { is: 'scaled' }
  if (name !== 'org.apache.kafka.connect.data.Decimal') return Object.hasOwn(wholes, name) ? wholes[name] : undefined
  const scale = Number((parameters as { readonly scale?: unknown } | null | undefined)?.scale ?? 0)
  return Number.isInteger(scale) ? { is: 'decimal', scale } : undefined
}

type Schema = {
  readonly type?: unknown
  readonly name?: unknown
  readonly parameters?: unknown
  readonly fields?: unknown
  readonly field?: unknown
}

/** A schema that is none says nothing. */
function connectType(schema: unknown): SentType {
  if (typeof schema !== 'object' || schema === null) return plain
  const { type, name, parameters, fields } = schema as Schema
  const named = namedType(name, parameters)
  if (named) return named
  if (type === 'bytes') return { is: 'bytes' }
  if (type !== 'struct' || !Array.isArray(fields)) return plain
  return { is: 'struct', fields: new Map((fields as readonly (Schema | null)[]).map((one) => [String(one?.field), connectType(one)])) }
}

const mostKept = 16

/** What the schemas of JSON messages say: each is read once, as they are the same in nearly all messages. */
export function connectTypes(): (bytes: Buffer, from: number, to: number) => SentType {
  const kept: { readonly text: Buffer; readonly type: SentType }[] = []
  return (bytes, from, to) => {
    const known = kept.find(({ text }) => text.length === to - from && bytes.compare(text, 0, text.length, from, to) === 0)
    if (known) return known.type
    const type = connectType(JSON.parse(bytes.utf8Slice(from, to)))
    if (kept.length === mostKept) kept.shift()
    kept.push({ text: Buffer.from(bytes.subarray(from, to)), type })
    return type
  }
}
