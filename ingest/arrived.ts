/** Records of one batch of messages, as they came. */
import { says } from '../schemas/foreign/changes.ts'
import { pickOrNull } from '../utilities/values/pick-or-null.ts'
import { nanosOf } from './net.ts'
import type { Piece } from './pieces.ts'
import type { Arrived } from './waiting-entry.ts'

/** Without those that had come before. */
export function arrivedIn(pieces: readonly Piece[], topic: string): Arrived {
  const [{ changes, repeated, messages, partition }] = pieces as [Piece]
  const isAll = pieces.length === 1 && pieces[0]!.from === 0 && pieces[0]!.to === changes.said.length && !repeated.includes(1)
  const within = (message: number) => repeated[message] === 0 && pieces.some(({ from, to }) => message >= from && message < to)
  const rows = isAll
    ? undefined
    : Int32Array.from(changes.put.keys()).filter((row) => changes.said[changes.put[row]!] === says.put && within(changes.put[row]!))
  const of = rows ? rows.map((row) => changes.put[row]!) : changes.put
  const known = new BigInt64Array(of.length)
  for (let i = 0; i < known.length; i++) known[i] = nanosOf(messages.times[of[i]!]!)
  const picked = rows && new Map([...changes.rows.byName].map(([name, column]) => [name, pickOrNull(column, rows)]))
  return { records: picked ? { count: rows.length, byName: picked } : changes.rows, known, topic, partition, messages, of }
}
