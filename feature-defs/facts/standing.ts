/**
 * What a feature over facts is: its value is a function of the facts of the key that stand, and of the key's date. A fact that is added can
 * be taken again, in any order, as if it had never been there.
 */
import type { RecordSchema } from '../../schemas/record.ts'
import type { Held, Reader, Writer } from '../state-bytes.ts'
import type { Value, Whole } from '../values.ts'

/** What dates of the facts count: days since 1970, or microseconds. */
export type Unit = 'date' | 'timestamp'

/** Of a fact that happens by its field `at`. */
export const unitOf = ({ at, fields }: RecordSchema): Unit => (fields[at]!.kind === 'date' ? 'date' : 'timestamp')

export interface Standing<State = unknown> {
  init(): State
  /** The date has come: a state that has reached a later one stays as it is. Without it, the value depends on no date. */
  reach?(state: State, date: Whole): void
  /** A fact that takes part stands from now on: its value, NaN for null, when it happened, and its key. */
  add(state: State, value: Value, at: Whole, key: string): void
  /** One that was added, with the same words, does not stand any more. */
  take(state: State, value: Value, at: Whole, key: string): void
  read(state: State): Value
  /** The next date at which the value may become another one without any fact; Infinity when there is none. */
  due?(state: State): Whole
  put(to: Writer, state: State): void
  load(saved: Uint8Array): State
  /** Whether it asks for keys of facts. */
  readonly inOrder?: true
  /** The most bytes that a saved state can take of so many dates, values and bytes of texts. */
  mostBytes(held: Held): number
}

/** How values of facts that stand together are kept: all of a window, and parts of it, one for each date at which they leave or enter. */
export interface Gathering<All, Part> {
  all(): All
  add(all: All, value: Value): void
  take(all: All, value: Value): void
  read(all: All): Value
  /** The part that has all of it. */
  partOf(all: All): Part
  part(): Part
  addTo(part: Part, value: Value): void
  takeFrom(part: Part, value: Value): void
  isEmpty(part: Part): boolean
  /** All of the other one comes into the first. */
  join(part: Part, other: Part): void
  /** All of a part comes into the window, or leaves it. */
  enter(all: All, part: Part): void
  leave(all: All, part: Part): void
  putPart(to: Writer, part: Part): void
  takePart(from: Reader): Part
  /** Of one part, and of each different value in it. */
  readonly mostPartBytes: number
  mostValueBytes(bytes: number): number
}
