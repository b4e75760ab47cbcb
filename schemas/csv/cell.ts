/** What the hot loop leaves to others: cells of the rarer kinds, and words for null. */
import { isUtf8 } from 'node:buffer'
import { noDay, noFlag } from '../../utilities/values/columns.ts'
import { carriageReturn, newline, quote } from './bytes.ts'
import { dateKind, decimalKind, flagKind, ignoredKind, integerKind, textKind, type Draft } from './draft.ts'
import { flagAt } from './flags.ts'
import { timestampAt } from './timestamps.ts'
import { decimalAt, integerAt } from './wholes.ts'

/**
 * Where a cell of one of the other kinds ends, or one that is ignored, whose line breaks the draft is told of; -1 where it cannot be taken,
 * or is not all there.
 */
export function otherCellAt(draft: Draft, field: number, bytes: Buffer, from: number, to: number, row: number): number {
  draft.breaks = 0
  const { kinds, numbers, nullable, firsts, form } = draft
  const quoted = bytes[from] === quote
  if (kinds[field] === ignoredKind) return quoted ? quotedEnd(draft, bytes, from, to) : plainEnd(bytes, from, form.delimiter)
  const start = quoted ? from + 1 : from
  const end = valueAt(draft, field, bytes, start, row)
  if (end === start) {
    if (nullable[field] === 0 || !form.emptyIsNull) return -1
    putNull(draft, field, row)
  } else if (kinds[field] !== flagKind && numbers[field]![row]! < firsts[field]!) return -1
  if (!quoted || end < 0) return end
  return bytes[end] === quote ? end + 1 : -1
}

function quotedEnd(draft: Draft, bytes: Buffer, from: number, to: number): number {
  for (let at = from + 1; ; at++) {
    if (bytes[at] === quote) {
      if (bytes[++at] !== quote) return at
    } else if (bytes[at] === newline) {
      if (at >= to) return -1
      draft.breaks++
    }
  }
}

function plainEnd(bytes: Buffer, from: number, delimiter: number): number {
  let at = from
  while (bytes[at] !== delimiter && bytes[at] !== newline && (bytes[at] !== carriageReturn || bytes[at + 1] !== newline)) at++
  return at
}

/** Where a value ends; the place where it begins where there is none, and less than 0 where something is amiss. */
function valueAt(
  { kinds, numbers, wide, flags, most, scales, form }: Draft,
  field: number,
  bytes: Buffer,
  at: number,
  row: number,
): number {
  switch (kinds[field]) {
    case integerKind:
      return integerAt(bytes, at, numbers[field]!, wide[field]!, row)
    case decimalKind:
      return decimalAt(bytes, at, most[field]!, scales[field]!, numbers[field]!, wide[field]!, row)
    case flagKind:
      return flagAt(bytes, at, flags[field]!, row)
    default:
      return timestampAt(form.timestamps, bytes, at, numbers[field]!, wide[field]!, row)
  }
}

export function putNull({ kinds, numbers, wide, flags, days, starts, ends }: Draft, field: number, row: number): void {
  switch (kinds[field]) {
    case textKind:
      starts[field]![row] = ends[field]![row] = -1
      break
    case dateKind:
      days[field]![row] = noDay
      break
    case flagKind:
      flags[field]![row] = noFlag
      break
    default:
      numbers[field]![row] = NaN
      // A rejected record may have left one there.
      wide[field]!.delete(row)
  }
}

/** Where the cell ends if all of it is a word for null, in quotes or not. */
export function nullWordAt({ form: { nulls, delimiter } }: Draft, bytes: Buffer, from: number): number {
  const start = bytes[from] === quote ? from + 1 : from
  for (const word of nulls) {
    let end = start + word.length
    if (bytes.compare(word, 0, word.length, start, Math.min(end, bytes.length)) !== 0) continue
    if (start > from && bytes[end++] !== quote) continue
    const next = bytes[end]
    if (next === delimiter || next === newline || (next === carriageReturn && bytes[end + 1] === newline)) return end
  }
  return from
}

/** Each text by itself: two that are not might be, one behind the other. */
export function areUtf8({ kinds, starts, ends, text }: Draft, row: number): boolean {
  for (let field = 0; field < kinds.length; field++) {
    if (kinds[field] === textKind && starts[field]![row]! >= 0 && !isUtf8(text.subarray(starts[field]![row], ends[field]![row])))
      return false
  }
  return true
}
