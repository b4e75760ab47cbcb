/** What Debezium's transaction topic says: where transactions begin and end, and how many changes each has. */
import type { Messages } from '../../utilities/feed.ts'
import { avroReader } from './avro.ts'
import type { TransactionMark } from './changes.ts'
import { transactionOf } from './origin.ts'
import { sentAs } from './scan.ts'
import type { ForeignSchemas } from './schemas.ts'
import { messageReader, prepareAvro } from './sent-message.ts'
import { newShape, want } from './shape.ts'
import type { ForeignSource } from './source.ts'

type Said = TransactionMark | undefined | { readonly dead: string }

/** One for each message; undefined where it says nothing of transactions. */
export function transactionDecoder(
  source: ForeignSource,
  schemas: ForeignSchemas | undefined,
): (messages: Messages) => Promise<readonly Said[]> {
  const shape = newShape()
  const [status, id, counts] = ['status', 'id', 'data_collections'].map((name) => want(shape, shape.members, name)) as [
    number,
    number,
    number,
  ]
  const avro = avroReader(source, schemas)
  const reader = messageReader(shape, { avro, unwraps: true })
  const { found } = reader
  const { kinds, starts, ends } = found
  const text = (slot: number) =>
    kinds[slot] === sentAs.text || kinds[slot] === sentAs.escapedText
      ? (JSON.parse(found.bytes.utf8Slice(starts[slot]! - 1, ends[slot]! + 1)) as string)
      : undefined

  function said(messages: Messages, message: number): Said {
    if (messages.values.starts[message]! < 0) return undefined
    const wrong = reader.read(messages.values, message)
    if (wrong !== undefined) return { dead: wrong }
    if (kinds[0] === sentAs.null) return undefined
    const kind = { BEGIN: 'begin', END: 'end' }[text(status) ?? ''] as TransactionMark['kind'] | undefined
    const transaction = text(id)
    if (kind === undefined || transaction === undefined) return { dead: 'it says neither BEGIN nor END of a transaction' }
    const changes = kind === 'end' ? countsIn(counts) : new Map<string, number>()
    if (!changes) return { dead: 'it does not say how many changes the transaction has in each table' }
    const lsn = /^\d+:(\d+)$/.exec(transaction)?.[1]
    return { kind, transaction: transactionOf(transaction), lsn: lsn === undefined ? undefined : BigInt(lsn), changes }
  }

  function countsIn(slot: number): ReadonlyMap<string, number> | undefined {
    if (kinds[slot] === sentAs.null) return new Map()
    if (kinds[slot] !== sentAs.array) return undefined
    const all = JSON.parse(found.bytes.utf8Slice(starts[slot], ends[slot])) as readonly {
      readonly data_collection?: unknown
      readonly event_count?: unknown
    }[]
    const isCount = (one: (typeof all)[number] | null) => typeof one?.data_collection === 'string' && Number.isSafeInteger(one.event_count)
    return all.every(isCount) ? new Map(all.map((one) => [one.data_collection as string, one.event_count as number])) : undefined
  }

  return async (messages) => {
    await prepareAvro(avro, messages)
    return Array.from({ length: messages.count }, (_, message) => said(messages, message))
  }
}
