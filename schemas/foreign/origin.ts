/** Where a change stood in its database, as Debezium's envelope tells it, or what is left of it in a flattened message. */
import type { Messages } from '../../utilities/feed.ts'
import type { Origin, Place, Snapshot } from './changes.ts'
import { colon, quote, zero } from '../csv/bytes.ts'
import { backslash, nine, openBracket } from './bytes.ts'
import { utf8Text } from './escapes.ts'
import { sentAs, type Found } from './scan.ts'
import { bufferOf } from './sent-message.ts'
import { want, wantInside, type Members, type Shape } from './shape.ts'

type TextReader = (found: Found, slots: readonly number[]) => string | undefined

/**
 * Of the first of the slots that has one. The same text again and again is one text. `until` says where the part of it ends that counts.
 */
function textReader(until = (_: Buffer, __: number, to: number): number => to): TextReader {
  let last = Buffer.alloc(0)
  let text = ''
  return ({ bytes, kinds, starts, ends }, slots) => {
    for (const slot of slots) {
      const kind = kinds[slot]
      if (kind !== sentAs.text && kind !== sentAs.escapedText) continue
      const from = starts[slot]!
      const to = until(bytes, from, ends[slot]!)
      if (to - from !== last.length || !isSame(bytes, from, last)) {
        last = Buffer.from(bytes.subarray(from, to))
        text = utf8Text(bytes, from, to, kind === sentAs.escapedText)
      }
      return text
    }
    return undefined
  }
}

function isSame(bytes: Buffer, from: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false
  return true
}

const snapshots: ReadonlyMap<string, Snapshot> = new Map([
  ['true', 'within'],
  ['first', 'first'],
  ['first_in_data_collection', 'first of table'],
  ['last_in_data_collection', 'last of table'],
  ['last', 'last'],
  ['incremental', 'incremental'],
])

const told = ['connector', 'name', 'snapshot', 'db', 'schema', 'table', 'sequence', 'txId', 'lsn', 'file', 'pos', 'row', 'gtid'] as const
type Told = (typeof told)[number]
/** Each may lie in one of several. */
type Slots = { readonly [name in Told | 'transaction']: readonly number[] }

const slotsBy = (slotsOf: (name: Told) => readonly number[], transaction: readonly number[]): Slots =>
  ({ ...Object.fromEntries(told.map((name) => [name, slotsOf(name)])), transaction }) as unknown as Slots

/** Of an envelope: in its `source`. */
export function envelopeSlots(shape: Shape, source: Members): Slots {
  const transaction = wantInside(shape, shape.members, 'transaction').members
  return slotsBy((name) => [want(shape, source, name)], [want(shape, transaction, 'id')])
}

/** Of a flattened message, which has what `add.fields` of its transformation names. */
export function flatSlots(shape: Shape): Slots {
  const slotOf = (name: string) => want(shape, shape.members, name)
  return slotsBy((name) => [slotOf(`__source_${name}`), slotOf(`__${name}`)], [slotOf('__transaction_id')])
}

/** PostgreSQL's differs in every change of a transaction, but for what is before the colon. */
export const transactionOf = (id: string): string => /^\d+(?=:)/.exec(id)?.[0] ?? id

function transactionEnd(bytes: Buffer, from: number, to: number): number {
  const end = digitsEnd(bytes, from)
  return end > from && end < to && bytes[end] === colon ? end : to
}

type Where = { readonly messages: Messages; readonly message: number; readonly op: Origin['op'] }
export type OriginReader = (found: Found, where: Where) => Origin

export function originReader(slots: Slots): OriginReader {
  const [nameIn, snapshotIn, tableIn, schemaIn, dbIn, fileIn, gtidIn] = Array.from({ length: 7 }, () => textReader()) as [
    TextReader,
    TextReader,
    TextReader,
    TextReader,
    TextReader,
    TextReader,
    TextReader,
  ]
  const transactionIn = textReader(transactionEnd)
  let collection = { within: undefined as string | undefined, table: undefined as string | undefined, name: '' }
  let connector = ''
  let run: string | undefined
  let batch: Messages | undefined
  let first = 0

  function placeOf(found: Found): Place | undefined {
    const lsn = wholeAt(found, slots.lsn)
    if (lsn !== undefined)
      return { of: 'postgres', transaction: wholeAt(found, slots.txId) ?? null, lsn, commit: commitIn(found, slots.sequence) }
    const position = wholeAt(found, slots.pos)
    const file = position === undefined ? undefined : fileIn(found, slots.file)
    if (file === undefined || position === undefined) return undefined
    const gtid = gtidIn(found, slots.gtid)
    return { of: 'mysql', file, position, row: Number(wholeAt(found, slots.row) ?? 0n), ...(gtid !== undefined && { gtid }) }
  }

  /** schema.table, or database.table where there are no schemas. */
  function collectionIn(found: Found): string {
    const table = tableIn(found, slots.table)
    const within = schemaIn(found, slots.schema) ?? dbIn(found, slots.db)
    if (table !== collection.table || within !== collection.within)
      collection = { within, table, name: [within, table].filter((one) => one !== undefined).join('.') }
    return collection.name
  }

  return (found, { messages, message, op }) => {
    if (messages !== batch) {
      batch = messages
      first = message
    }
    const named = nameIn(found, slots.name)
    if (named !== undefined) connector = named
    else if (message === first) connector = headerText(messages, message, '__debezium.context.connectorLogicalName', connector) ?? ''
    // A batch has few runs, and headers are slow to find.
    const tellsRun = message === first || op === 'r'
    if (tellsRun) run = headerText(messages, message, '__debezium.context.runId', run)
    return {
      connector,
      collection: collectionIn(found),
      op,
      snapshot: snapshots.get(snapshotIn(found, slots.snapshot) ?? '') ?? 'no',
      transaction: transactionIn(found, slots.transaction),
      place: placeOf(found),
      run: tellsRun ? run : undefined,
    }
  }
}

/** Mostly it is what it was before. */
function headerText(messages: Messages, message: number, name: string, before: string | undefined): string | undefined {
  const bytes = messages.header(message, name)
  if (!bytes) return undefined
  const text = bufferOf(bytes).utf8Slice(0, bytes.length)
  return text === before ? before : text
}

/** Of the first of the slots that has one. */
function wholeAt({ bytes, kinds, starts, ends }: Found, slots: readonly number[]): bigint | undefined {
  for (const slot of slots) {
    if (kinds[slot] !== sentAs.number) continue
    const [from, to] = [starts[slot]!, ends[slot]!]
    return digitsEnd(bytes, from) === to ? wholeIn(bytes, from, to) : undefined
  }
  return undefined
}

function digitsEnd(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at]! >= zero && bytes[at]! <= nine) at++
  return at
}

/** Of digits: more than twenty are no place of a database. */
function wholeIn(bytes: Buffer, from: number, to: number): bigint | undefined {
  if (to === from || to - from > 20) return undefined
  if (to - from > 15) return BigInt(bytes.latin1Slice(from, to))
  let value = 0
  for (let at = from; at < to; at++) value = value * 10 + bytes[at]! - zero
  return BigInt(value)
}

/** The first of the two numbers of a sequence, ["22245632","22245688"]: where the transaction before was committed. */
function commitIn({ bytes, kinds, starts, ends }: Found, slots: readonly number[]): bigint | null {
  const slot = slots.find((one) => kinds[one]! >= sentAs.text)
  if (slot === undefined) return null
  let at = starts[slot]!
  // It is a text within a text: its quotes are escaped, or else it was written otherwise.
  for (const one of [openBracket, backslash, quote]) if (bytes[at] === one) at++
  const end = digitsEnd(bytes, at)
  return end < ends[slot]! ? (wholeIn(bytes, at, end) ?? null) : null
}
