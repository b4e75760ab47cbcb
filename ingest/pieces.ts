/** Pieces: messages one behind the other, of one partition, that are of one transaction or of none, with what they say. */
import type { Changes, Origin } from '../schemas/foreign/changes.ts'
import type { Messages } from '../utilities/feed.ts'
import { isNewer, type Seen } from './newest.ts'

/** Of a partition of a source; `several`: its topic has others. */
export type Lane = { readonly source: string; readonly partition: number; readonly several: boolean }

export type Piece = Lane & {
  readonly messages: Messages
  readonly changes: Changes
  /** Which of the messages, `to` excluded. */
  readonly from: number
  readonly to: number
  readonly transaction: string | undefined
  readonly collection: string | undefined
  /** How many changes of the transaction are among them, without those that had come before. */
  readonly counted: number
  /** Per message of the batch: whether its change had come before. */
  readonly repeated: Uint8Array
  /** The newest change of the partition before it, and behind it. */
  readonly before: Seen | undefined
  readonly newest: Seen | undefined
}

/** In the order of the messages. `newest` is that of the partition before them; `held`: by transaction, or as one piece. */
export function piecesOf(
  lane: Lane,
  messages: Messages,
  changes: Changes,
  { newest, held }: { readonly newest: Seen | undefined; readonly held: boolean },
): readonly Piece[] {
  const repeated = new Uint8Array(messages.count)
  const pieces: Piece[] = []
  let [from, counted, seen, before] = [0, 0, newest, newest]
  let transaction: string | undefined
  let collection: string | undefined
  const close = (to: number) => {
    if (to > from) pieces.push({ ...lane, messages, changes, from, to, transaction, collection, counted, repeated, before, newest: seen })
    ;[from, counted, before] = [to, 0, seen]
  }
  for (let i = 0; i < messages.count; i++) {
    const origin = changes.origins[i]
    // One that tells of no change, as the tombstone behind a deletion, stays with those before it; so does one that had come before.
    if (!origin) continue
    if (!isNewer(origin, seen)) {
      repeated[i] = 1
      continue
    }
    if (held && origin.transaction !== transaction) {
      close(i)
      ;({ transaction, collection } = origin)
    }
    // Rows that an incremental snapshot sends between the changes stand nowhere among them.
    if (stands(origin)) seen = { op: origin.op, place: origin.place }
    counted++
  }
  close(messages.count)
  return pieces
}

type Behind = { readonly last: Piece | undefined; readonly newest: Seen | undefined }

/** No message, behind the last piece of its lane: what it says is how far the lane was read. */
export function emptyPiece(lane: Lane, messages: Messages, changes: Changes, { last, newest }: Behind): Piece {
  const { transaction, collection } = last ?? { transaction: undefined, collection: undefined }
  const repeated = new Uint8Array(0)
  return { ...lane, messages, changes, from: 0, to: 0, transaction, collection, counted: 0, repeated, before: newest, newest }
}

/** In MySQL such a row has a place, which is none. */
const stands = ({ place, snapshot }: Origin): boolean => place !== undefined && snapshot !== 'incremental'

/** Which run of its connector sent a message, where it says so. */
export function runOf({ changes, messages }: Pick<Piece, 'changes' | 'messages'>, message: number): string | undefined {
  const told = changes.origins[message]?.run
  if (told !== undefined) return told
  const bytes = messages.header(message, '__debezium.context.runId')
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/** Where to read on behind a piece. */
export const behind = ({ messages, to }: Piece): number => (to === messages.count ? messages.next : messages.offsets[to]!)

/** A part of a piece. */
export function cut(piece: Piece, from: number, to: number): Piece {
  const { changes, repeated } = piece
  const newestBefore = (end: number): Seen | undefined => {
    for (let i = end - 1; i >= piece.from; i--) {
      const origin = changes.origins[i]
      if (origin && stands(origin) && repeated[i] === 0) return { op: origin.op, place: origin.place }
    }
    return piece.before
  }
  return { ...piece, from, to, before: newestBefore(from), newest: newestBefore(to) }
}
