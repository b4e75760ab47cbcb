/** The batch that a CSV reader is filling: one typed array a column, and the bytes of all its texts one behind the other. */
import { dayMicros } from '../../utilities/values/timestamp.ts'
import { noDay, nullColumn, type Column, type Columns } from '../../utilities/values/columns.ts'
import { firstEventDay } from './cells.ts'
import type { CsvForm } from './form.ts'
import type { Field, RecordSchema } from '../record.ts'

export const numberKind = 0
export const dateKind = 1
export const textKind = 2
/** A column of the file that no field is read from. */
export const ignoredKind = 3
export const integerKind = 4
export const decimalKind = 5
const timestampKind = 6
export const flagKind = 7

const kindNumbers: Readonly<Record<Field['kind'], number>> = {
  number: numberKind,
  date: dateKind,
  text: textKind,
  integer: integerKind,
  decimal: decimalKind,
  timestamp: timestampKind,
  flag: flagKind,
}

/** Which of the file's columns is which field, by their order in the file. */
export type FileColumns = {
  readonly names: readonly string[]
  /** The name of the field, null where the column is ignored. */
  readonly fields: readonly (string | null)[]
  /** Fields that the file has no column for: all of their values are null. */
  readonly lacking: readonly string[]
}

/** Arrays are by column of the file; a column has only those that its kind needs. */
export type Draft = {
  readonly schema: RecordSchema
  readonly columns: FileColumns
  readonly form: CsvForm
  readonly kinds: Uint8Array
  readonly ignores: boolean
  readonly nullable: Uint8Array
  /** The first day, or microsecond, that a date or timestamp may be. */
  readonly firsts: Float64Array
  /** The longest text of a column, or the most digits of a decimal. */
  readonly most: Uint32Array
  readonly scales: Uint8Array
  readonly capacity: number
  /** Empty where nobody asks for them; `cut` copies what is in use. */
  readonly lines: Float64Array
  /** Numbers and whole numbers of any kind. */
  numbers: readonly Float64Array[]
  wide: readonly Map<number, bigint>[]
  flags: readonly Uint8Array[]
  days: readonly Int32Array[]
  starts: readonly Int32Array[]
  ends: readonly Int32Array[]
  seqs: Float64Array
  count: number
  /** Line breaks in the last cell that is not of the hot kinds. */
  breaks: number
  /** Scratch, used for batch after batch: `cut` copies what is in use. */
  text: Uint8Array
  textEnd: number
}

type DraftOptions = { readonly capacity: number; /** Rows have their line in a column `_line`. */ readonly withLines: boolean }

export function newDraft(schema: RecordSchema, columns: FileColumns, form: CsvForm, { capacity, withLines }: DraftOptions): Draft {
  const all = columns.fields.map((name) => (name === null ? undefined : schema.fields[name]!))
  const firstOf = (field: Field | undefined): number =>
    !field || field !== schema.fields[schema.at] ? -Infinity : field.kind === 'date' ? firstEventDay : firstEventDay * dayMicros
  const draft: Draft = {
    schema,
    columns,
    form,
    kinds: Uint8Array.from(all, (field) => (field ? kindNumbers[field.kind] : ignoredKind)),
    ignores: all.includes(undefined),
    nullable: Uint8Array.from(all, (field) => (!field || field.nullable ? 1 : 0)),
    firsts: Float64Array.from(all, (field) => (field?.kind === 'date' ? Math.max(firstOf(field), noDay + 1) : firstOf(field))),
    most: Uint32Array.from(all, (field) => (field?.kind === 'text' ? field.bytes : field?.kind === 'decimal' ? field.digits : 0)),
    scales: Uint8Array.from(all, (field) => (field?.kind === 'decimal' ? field.scale : 0)),
    capacity,
    lines: new Float64Array(withLines ? capacity : 0),
    numbers: [],
    wide: [],
    flags: [],
    days: [],
    starts: [],
    ends: [],
    seqs: new Float64Array(0),
    count: 0,
    breaks: 0,
    text: new Uint8Array(1 << 20),
    textEnd: 0,
  }
  renew(draft)
  return draft
}

/** What has been gathered, as columns of its own, in the order of the record; the draft starts afresh. */
export function cut(draft: Draft): Columns {
  const { count, schema, columns } = draft
  const bytes = draft.text.slice(0, draft.textEnd)
  const places = new Map(columns.fields.map((name, place) => [name, place]))
  const byName = new Map<string, Column>()
  for (const [name, field] of Object.entries(schema.fields)) {
    const place = places.get(name)
    byName.set(name, place === undefined ? nullColumn(field, count) : columnAt(draft, field, place, bytes))
  }
  byName.set('_seq', { kind: 'int', values: fit(draft.seqs, count) })
  if (draft.lines.length > 0) byName.set('_line', { kind: 'int', values: draft.lines.slice(0, count) })
  // Arrays that are not full were copied and can be filled again.
  if (count === draft.capacity) renew(draft)
  for (const wide of draft.wide) wide.clear()
  draft.count = 0
  draft.textEnd = 0
  return { count, byName }
}

function columnAt(draft: Draft, field: Field, place: number, bytes: Uint8Array): Column {
  const { count } = draft
  switch (field.kind) {
    case 'number':
      return { kind: 'number', values: fit(draft.numbers[place]!, count) }
    case 'date':
      return { kind: 'date', days: fit(draft.days[place]!, count) }
    case 'text':
      return { kind: 'text', bytes, starts: fit(draft.starts[place]!, count), ends: fit(draft.ends[place]!, count) }
    case 'flag':
      return { kind: 'flag', values: fit(draft.flags[place]!, count) }
    case 'integer':
    case 'timestamp':
    case 'decimal': {
      // Of a record that was not taken in the end, its row may still have one.
      const wide = new Map([...draft.wide[place]!].filter(([row]) => row < count))
      const wholes = { values: fit(draft.numbers[place]!, count), ...(wide.size > 0 && { wide }) }
      return field.kind === 'decimal' ? { kind: 'decimal', scale: field.scale, ...wholes } : { kind: field.kind, ...wholes }
    }
  }
}

/** Room for so many more bytes of text. */
export function makeRoom(draft: Draft, more: number): void {
  if (draft.textEnd + more <= draft.text.length) return
  const larger = new Uint8Array(Math.max(draft.text.length * 2, draft.textEnd + more))
  larger.set(draft.text.subarray(0, draft.textEnd))
  draft.text = larger
}

const fit = <A extends Float64Array | Int32Array | Uint8Array>(values: A, count: number): A =>
  values.length === count ? values : (values.slice(0, count) as A)

function renew(draft: Draft): void {
  const { kinds, capacity } = draft
  const fields = [...kinds]
  const noInts = new Int32Array(0)
  const noNumbers = new Float64Array(0)
  const noFlags = new Uint8Array(0)
  const isNumeric = (kind: number) => kind === numberKind || isWhole(kind)
  const ints = (wanted: number) => fields.map((kind) => (kind === wanted ? new Int32Array(capacity) : noInts))
  draft.numbers = fields.map((kind) => (isNumeric(kind) ? new Float64Array(capacity) : noNumbers))
  draft.wide = fields.map((_, place) => draft.wide[place] ?? new Map())
  draft.flags = fields.map((kind) => (kind === flagKind ? new Uint8Array(capacity) : noFlags))
  draft.days = ints(dateKind)
  draft.starts = ints(textKind)
  draft.ends = ints(textKind)
  draft.seqs = new Float64Array(capacity)
}

const isWhole = (kind: number) => kind === integerKind || kind === decimalKind || kind === timestampKind
