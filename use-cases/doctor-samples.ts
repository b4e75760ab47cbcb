/** What the last messages of a source from a topic show: whether they can be read, and what its connector had better be told. */
import type { Changes } from '../schemas/foreign/changes.ts'
import type { Fields } from '../schemas/record.ts'
import type { Messages } from '../utilities/feed.ts'
import { count } from '../utilities/values/digits.ts'
import type { Found } from '../utilities/values/look.ts'

/** Of a partition: messages, and what the source's own decoder makes of them. */
export type Sample = { readonly messages: Messages; readonly changes: Changes }

type Asked = {
  readonly source: string
  readonly fields: Fields
  readonly isOfDatabase: boolean
  /** Its transactions are to be whole. */
  readonly transactions: boolean
  /** The config says what its decimals are. */
  readonly decimals: boolean
}

export function foundIn(samples: readonly Sample[], asked: Asked): Found {
  const { source, isOfDatabase, transactions } = asked
  const all = samples.reduce((sum, { messages }) => sum + messages.count, 0)
  if (all === 0) return { found: 'it holds no message now' }
  const dead = samples.flatMap(({ changes }) => changes.dead)
  const sizes = `${count(all - dead.length)} of its last ${count(all)} messages can be read`
  if (dead.length > 0) {
    const others = dead.length < all ? ', and the others go on' : ''
    return {
      found: `${sizes}; the first that cannot: ${dead[0]!.reason}`,
      todo: `Correct the definition of ${source}, or what sources.${source} says of the format; such messages become dead letters${others}.`,
    }
  }
  const origins = samples.flatMap(({ changes }) => changes.origins.flatMap((one) => one ?? []))
  if (transactions && origins.some(({ op, transaction }) => op !== 'r' && op !== 't' && transaction === undefined))
    return {
      found: `${sizes}; changes do not say of which transaction they are`,
      todo: 'Set provide.transaction.metadata=true in the connector; flattened messages need add.fields=transaction.id,… too.',
    }
  const values = samples.flatMap(({ messages }) => jsonIn(messages))
  const notes = [
    ...(values.some(hasSchema) ? [withSchemas] : []),
    ...(isOfDatabase && !asked.decimals && values.some((value) => !hasSchema(value) && hasBase64(value, asked.fields)) ? [base64] : []),
  ]
  return { found: [sizes, ...notes].join('; ') }
}

const withSchemas =
  'each brings its schema along, which makes it several times larger: value.converter.schemas.enable=false, or Avro with a registry, is lighter'
const base64 = 'decimals come as base64 without a schema, whose scale is taken from the field: decimal.handling.mode=string says it itself'

/** The connector of the changes, where they are of a database. */
export const connectorIn = (samples: readonly Sample[]): string | undefined =>
  samples.flatMap(({ changes }) => changes.origins.flatMap((one) => one?.connector ?? []))[0]

type Value = { readonly [name: string]: unknown }

const isObject = (value: unknown): value is Value => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Those that are objects in JSON. */
function jsonIn({ count: messages, values }: Messages): readonly Value[] {
  const { bytes, starts, ends } = values
  return Array.from({ length: messages }, (_, i) => i).flatMap((message) => {
    if (starts[message]! < 0) return []
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes.subarray(starts[message]!, ends[message]!)).toString())
      return isObject(value) ? [value] : []
    } catch {
      return []
    }
  })
}

const hasSchema = (value: Value): boolean => isObject(value['schema']) && 'payload' in value

function hasBase64(value: Value, fields: Fields): boolean {
  const row = isObject(value['after']) ? value['after'] : value
  return Object.values(fields).some(({ kind, csv }) => kind === 'decimal' && isBase64(row[csv]))
}

/** What reads as a number is one. */
const isBase64 = (text: unknown): boolean =>
  typeof text === 'string' && text !== '' && /^[A-Za-z0-9+/]+={0,2}$/.test(text) && !/^\d+$/.test(text) && !/^nan$/i.test(text)
