/** Texts and flags as they are sent. */
import { decimalText } from '../../utilities/values/decimal-text.ts'
import { zero } from '../csv/bytes.ts'
import { scaledSent } from './decimals.ts'
import { makeRoom, type Draft, type DraftColumn } from './draft.ts'
import { writeUnescaped } from './escapes.ts'
import { misfits } from './misfit.ts'
import { sentAs, type Found } from './scan.ts'
import type { SentType } from './sent.ts'

/** A number, a flag, an object or an array is the text that was sent of it. */
export function putText(draft: Draft, column: DraftColumn, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const { bytes, kinds, starts, ends } = found
  const { field } = column.of
  const kind = kinds[slot]!
  const [from, to] = [starts[slot]!, ends[slot]!]
  const most = field.kind === 'text' ? field.bytes : 0
  // An escape of six bytes stands for one byte or more.
  if (to - from > most * 6) return longer(most)
  const start = draft.textAt
  let end: number
  if (type?.is === 'decimal' || type?.is === 'scaled') {
    const scaled = scaledSent(column.of, found, slot, type)
    const text = scaled ? Buffer.from(scaledText(scaled.value, scaled.scale)) : bytes.subarray(from, to)
    makeRoom(draft, text.length)
    end = start + text.copy(draft.text, start)
  } else {
    makeRoom(draft, to - from)
    if (kind === sentAs.escapedText) {
      end = writeUnescaped(bytes, from, to, draft.text, start)
      if (end < 0) return misfits.text
    } else {
      end = start + to - from
      const { text } = draft
      if (to - from > 40) bytes.copy(text, start, from, to)
      else for (let at = from, out = start; at < to; at++, out++) text[out] = bytes[at]!
    }
  }
  if (end - start > most) return longer(most)
  column.starts[draft.count] = start
  column.ends[draft.count] = draft.textAt = end
  return undefined
}

const longer = (most: number) => `is longer than ${most} bytes`

/** A scale below 0 stands for zeros before the point. */
const scaledText = (value: number | bigint, scale: number): string =>
  scale >= 0 ? decimalText(value, Math.min(scale, 1000)) : `${value}${String(value) === '0' ? '' : '0'.repeat(Math.min(-scale, 1000))}`

const words = new Map([
  ['true', 1],
  ['t', 1],
  ['false', 0],
  ['f', 0],
])

/** Databases that have no flags send 1 and 0. */
export function putFlag({ flags }: DraftColumn, row: number, { bytes, kinds, starts, ends }: Found, slot: number): string | undefined {
  const kind = kinds[slot]
  const from = starts[slot]!
  if (kind === sentAs.true || kind === sentAs.false) flags[row] = kind === sentAs.true ? 1 : 0
  else if (kind === sentAs.number && ends[slot] === from + 1 && bytes[from]! - zero <= 1) flags[row] = bytes[from]! - zero
  else {
    const value = kind === sentAs.text ? words.get(bytes.latin1Slice(from, ends[slot])) : undefined
    if (value === undefined) return misfits.flag
    flags[row] = value
  }
  return undefined
}
