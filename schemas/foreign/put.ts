/** Puts a value as it was sent into the column of its field; what does not fit is said, and nothing of it counts. */
import { minus } from '../csv/bytes.ts'
import { nine } from './bytes.ts'
import { putDecimal } from './decimals.ts'
import { putNull, type Draft, type DraftColumn } from './draft.ts'
import { writeUnescaped } from './escapes.ts'
import { shown } from './misfit.ts'
import { putDate, putMoment } from './moments.ts'
import { putInteger, putNumber } from './numbers.ts'
import { sentAs, type Found } from './scan.ts'
import type { SentType } from './sent.ts'
import { putFlag, putText } from './texts.ts'

/** What a database may have where columns of ours have a number or null. */
const noNumbers: readonly string[] = ['NaN', 'NAN', 'Infinity', '-Infinity', 'POSITIVE_INFINITY', 'NEGATIVE_INFINITY']

/** Into the draft's next row; undefined where all is well. */
export function putSent(draft: Draft, column: DraftColumn, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const { own, field, learnt } = column.of
  const kind = found.kinds[slot]!
  if (kind <= sentAs.null || isNoNumber(column, found, slot, type)) {
    if (!field.nullable) return noValue(column, found, slot)
    putNull(column, draft.count)
    return undefined
  }
  const misfit = put(draft, column, found, slot, type)
  if (misfit !== undefined) return `${own}: ${shown(found, slot)} ${misfit}`
  learnt.fitted = true
  return undefined
}

function noValue({ of: { own, name } }: DraftColumn, found: Found, slot: number): string {
  if (found.kinds[slot] === sentAs.absent) return `it has no ${name}${name === own ? '' : `, which ${own} is read from`}`
  return `${own} is ${found.kinds[slot] === sentAs.null ? 'null' : shown(found, slot)}`
}

function put(draft: Draft, column: DraftColumn, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const row = draft.count
  const { kind } = column.of.field
  if (kind === 'text') return putText(draft, column, found, slot, type)
  if (found.kinds[slot] === sentAs.escapedText) return put(draft, column, unescaped(found, slot), 0, type)
  switch (kind) {
    case 'integer':
      return putInteger(column, row, found, slot, type)
    case 'number':
      return putNumber(column, row, found, slot, type)
    case 'decimal':
      return putDecimal(column, row, found, slot, type)
    case 'flag':
      return putFlag(column, row, found, slot)
    case 'date':
      return putDate(column, row, found, slot, type)
    case 'timestamp':
      return putMoment(column, row, found, slot, type)
  }
}

/** The same value in slot 0, as the text that it stands for. */
function unescaped({ bytes, starts, ends }: Found, slot: number): Found {
  const [from, to] = [starts[slot]!, ends[slot]!]
  const text = Buffer.alloc(to - from + 1)
  const end = Math.max(0, writeUnescaped(bytes, from, to, text, 0))
  return { bytes: text, kinds: Uint8Array.of(sentAs.text), starts: Int32Array.of(0), ends: Int32Array.of(end) }
}

/** Whether a change of a database says that a number is none, or beyond all. */
function isNoNumber(
  { of: { ofDatabase, field, learnt } }: DraftColumn,
  { bytes, kinds, starts, ends }: Found,
  slot: number,
  type: SentType | undefined,
): boolean {
  if (!ofDatabase || type?.is === 'decimal' || kinds[slot] !== sentAs.text || (field.kind !== 'number' && field.kind !== 'decimal'))
    return false
  const [from, to] = [starts[slot]!, ends[slot]!]
  if (bytes[from]! <= nine && bytes[from] !== minus) return false
  return learnt.decimals !== 'base64' && to - from <= 17 && noNumbers.includes(bytes.latin1Slice(from, to))
}
