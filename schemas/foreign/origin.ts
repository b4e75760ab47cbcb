/** Where a change stood in its database, as Debezium's envelope tells it, or what is left of it in a flattened message. */
import type { Messages } from '../../utilities/feed.ts'
import type { Origin, Place, Snapshot } from './changes.ts'
import { utf8Text } from './escapes.ts'
import { sentAs, type Found } from './scan.ts'
import { bufferOf } from './sent-message.ts'
import { want, wantInside, type Members, type Shape } from './shape.ts'

/** The same text again and again is one text. */
export function textReader(): (found: Found, slot: number) => string | undefined {
  let last = Buffer.alloc(0)
  let text = ''
  return ({ bytes, kinds, starts, ends }, slot) => {
    const kind = kinds[slot]
    if (kind !== sentAs.text && kind !== sentAs.escapedText) return undefined
    const [from, to] = [starts[slot]!, ends[slot]!]
    if (to - from !== last.length || !isSame(bytes, from, last)) {
      last = Buffer.from(bytes.subarray(from, to))
      text = utf8Text(bytes, from, to, kind === sentAs.escapedText)
    }
    return text
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

const told = ['connector', 'name', 'snapshot', 'db', 'schema', 'table', 'sequence', 'txId', 'lsn', 'file', 'pos', 'row'] as const
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

type Where = { readonly messages: Messages; readonly message: number; readonly op: Origin['op'] }
export type OriginReader = (found: Found, where: Where) => Origin

export function originReader(slots: Slots): OriginReader {
  const texts = new Map(told.map((name) => [name, textReader()]))
  const sameTransaction = textReader()
  let id: string | undefined
  let transaction: string | undefined
  let collection = { within: undefined as string | undefined, table: undefined as string | undefined, name: '' }
  let connector = ''
  let run: string | undefined

  function text(found: Found, name: Told): string | undefined {
    for (const slot of slots[name]) if (found.kinds[slot]! >= sentAs.text) return texts.get(name)!(found, slot)
    return undefined
  }

  function whole(found: Found, name: Told): bigint | undefined {
    for (const slot of slots[name]) if (found.kinds[slot] === sentAs.number) return wholeAt(found, slot)
    return undefined
  }

  function placeOf(found: Found): Place | undefined {
    const lsn = whole(found, 'lsn')
    if (lsn !== undefined)
      return { of: 'postgres', transaction: whole(found, 'txId') ?? null, lsn, commit: commitIn(found, slots.sequence) }
    const position = whole(found, 'pos')
    const file = position === undefined ? undefined : text(found, 'file')
    if (file === undefined || position === undefined) return undefined
    return { of: 'mysql', file, position, row: Number(whole(found, 'row') ?? 0n) }
  }

  function transactionIn(found: Found): string | undefined {
    for (const slot of slots.transaction) {
      const current = sameTransaction(found, slot)
      if (current === undefined) continue
      if (current !== id) transaction = transactionOf((id = current))
      return transaction
    }
    return undefined
  }

  /** schema.table, or database.table where there are no schemas. */
  function collectionIn(found: Found): string {
    const table = text(found, 'table')
    const within = text(found, 'schema') ?? text(found, 'db')
    if (table !== collection.table || within !== collection.within)
      collection = { within, table, name: [within, table].filter((one) => one !== undefined).join('.') }
    return collection.name
  }

  return (found, { messages, message, op }) => {
    const named = text(found, 'name')
    if (named !== undefined) connector = named
    else if (message === 0) connector = headerText(messages, message, '__debezium.context.connectorLogicalName', connector) ?? ''
    const tellsRun = message === 0 || op === 'r'
    if (tellsRun) run = headerText(messages, message, '__debezium.context.runId', run)
    return {
      connector,
      collection: collectionIn(found),
      op,
      snapshot: snapshots.get(text(found, 'snapshot') ?? '') ?? 'no',
      transaction: transactionIn(found),
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

function wholeAt({ bytes, starts, ends }: Found, slot: number): bigint | undefined {
  const text = bytes.latin1Slice(starts[slot], ends[slot])
  if (text.length <= 15) return Number.isInteger(Number(text)) ? BigInt(Number(text)) : undefined
  return /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined
}

/** The first of the two numbers of a sequence, ["22245632","22245688"]: where the transaction before was committed. */
function commitIn({ bytes, kinds, starts, ends }: Found, slots: readonly number[]): bigint | null {
  const slot = slots.find((one) => kinds[one]! >= sentAs.text)
  if (slot === undefined) return null
  const [, digits] = /^\[\\?"(\d{1,20})\\?"/.exec(bytes.latin1Slice(starts[slot], ends[slot])) ?? []
  return digits === undefined ? null : BigInt(digits)
}
