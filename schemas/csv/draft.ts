/** The batch that a CSV reader is filling: one typed array a column, and the bytes of all its texts one behind the other. */
import { noDay, type Column, type Columns } from '../../utilities/values/columns.ts'
import { firstEventDay } from './cells.ts'
import type { RecordSchema } from '../record.ts'

export const numberKind = 0
export const dateKind = 1
const textKind = 2

/** Arrays are by field; a field has only those that its kind needs. */
export type Draft = {
  readonly names: readonly string[]
  readonly kinds: Uint8Array
  readonly nullable: Uint8Array
  /** The first day that a date may be. */
  readonly firstDays: Int32Array
  /** The longest text of a field. */
  readonly most: Uint32Array
  readonly capacity: number
  numbers: readonly Float64Array[]
  days: readonly Int32Array[]
  starts: readonly Int32Array[]
  ends: readonly Int32Array[]
  seqs: Float64Array
  count: number
  /** Scratch, used for batch after batch: `cut` copies what is in use. */
  text: Uint8Array
  textEnd: number
}

export function newDraft({ at, fields }: RecordSchema, capacity: number): Draft {
  const all = Object.values(fields)
  const none = {
    numbers: [],
    days: [],
    starts: [],
    ends: [],
    seqs: new Float64Array(0),
    count: 0,
    text: new Uint8Array(1 << 20),
    textEnd: 0,
  }
  const kinds = Uint8Array.from(all, ({ kind }) => (kind === 'number' ? numberKind : kind === 'date' ? dateKind : textKind))
  const nullable = Uint8Array.from(all, (field) => (field.nullable ? 1 : 0))
  const names = Object.keys(fields)
  const firstDays = Int32Array.from(names, (name) => (name === at ? firstEventDay : noDay + 1))
  const most = Uint32Array.from(all, (field) => (field.kind === 'text' ? field.bytes : 0))
  const draft: Draft = { names, kinds, nullable, firstDays, most, capacity, ...none }
  renew(draft)
  return draft
}

/** What has been gathered, as columns of its own; the draft starts afresh. */
export function cut(draft: Draft): Columns {
  const { count } = draft
  const bytes = draft.text.slice(0, draft.textEnd)
  const columnOf = (kind: number, field: number): Column => {
    if (kind === numberKind) return { kind: 'number', values: fit(draft.numbers[field]!, count) }
    if (kind === dateKind) return { kind: 'date', days: fit(draft.days[field]!, count) }
    return { kind: 'text', bytes, starts: fit(draft.starts[field]!, count), ends: fit(draft.ends[field]!, count) }
  }
  const byName = new Map<string, Column>(draft.names.map((name, field) => [name, columnOf(draft.kinds[field]!, field)]))
  byName.set('_seq', { kind: 'int', values: fit(draft.seqs, count) })
  // Arrays that are not full were copied and can be filled again.
  if (count === draft.capacity) renew(draft)
  draft.count = 0
  draft.textEnd = 0
  return { count, byName }
}

/** Room for so many more bytes of text. */
export function makeRoom(draft: Draft, more: number): void {
  if (draft.textEnd + more <= draft.text.length) return
  const larger = new Uint8Array(Math.max(draft.text.length * 2, draft.textEnd + more))
  larger.set(draft.text.subarray(0, draft.textEnd))
  draft.text = larger
}

const fit = <A extends Float64Array | Int32Array>(values: A, count: number): A =>
  values.length === count ? values : (values.slice(0, count) as A)

function renew(draft: Draft): void {
  const { kinds, capacity } = draft
  const fields = [...kinds]
  const noInts = new Int32Array(0)
  const noNumbers = new Float64Array(0)
  const ints = (wanted: number) => fields.map((kind) => (kind === wanted ? new Int32Array(capacity) : noInts))
  draft.numbers = fields.map((kind) => (kind === numberKind ? new Float64Array(capacity) : noNumbers))
  draft.days = ints(dateKind)
  draft.starts = ints(textKind)
  draft.ends = ints(textKind)
  draft.seqs = new Float64Array(capacity)
}
