/** Decimals as databases send them: as a number, as a text, or a whole number in base64 whose scale a schema knows. */
import { putWhole } from '../../utilities/values/columns.ts'
import { decimalAt } from '../csv/wholes.ts'
import type { DraftColumn } from './draft.ts'
import { base64Whole, exactWhole, isBase64, isPlainNumber, rescaled } from './exact.ts'
import type { ForeignField } from './fields.ts'
import { misfits } from './misfit.ts'
import { jsonScanner, sentAs, type Found } from './scan.ts'
import type { SentType } from './sent.ts'
import { newShape, want } from './shape.ts'

/** So many of 1 / 10^scale. */
export type Scaled = { readonly value: number | bigint; readonly scale: number }

const shape = newShape()
const scaleSlot = want(shape, shape.members, 'scale')
const valueSlot = want(shape, shape.members, 'value')
const parts = jsonScanner(shape)

/** What a schema, or the value itself, says to be a decimal that is not written as a number; null where it is not even that. */
export function scaledSent(
  { ofDatabase }: ForeignField,
  found: Found,
  slot: number,
  type: SentType | undefined,
): Scaled | null | undefined {
  const { bytes, kinds, starts, ends } = found
  if (kinds[slot] === sentAs.text && type?.is === 'decimal') {
    const value = base64Whole(bytes, starts[slot]!, ends[slot]!)
    return value === undefined ? null : { value, scale: type.scale }
  }
  if (kinds[slot] !== sentAs.object || !(type?.is === 'scaled' || ofDatabase)) return undefined
  parts.scan(bytes, starts[slot]!, ends[slot]!)
  const inside = parts.found
  if (inside.kinds[scaleSlot] !== sentAs.number || inside.kinds[valueSlot] !== sentAs.text) return null
  const scale = Number(bytes.latin1Slice(inside.starts[scaleSlot], inside.ends[scaleSlot]))
  const value = base64Whole(bytes, inside.starts[valueSlot]!, inside.ends[valueSlot]!)
  return value === undefined || !Number.isInteger(scale) ? null : { value, scale }
}

export function putDecimal(column: DraftColumn, row: number, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const { bytes, kinds, starts, ends } = found
  const { field, learnt } = column.of
  if (field.kind !== 'decimal') throw new TypeError(`${column.of.own} is ${field.kind}, not decimal`)
  const scaled = scaledSent(column.of, found, slot, type)
  if (scaled !== undefined) return scaled === null ? misfits.decimal : putScaled(column, field, row, scaled)
  if (kinds[slot] !== sentAs.number && kinds[slot] !== sentAs.text) return misfits.decimal
  const [from, to] = [starts[slot]!, ends[slot]!]
  if (kinds[slot] === sentAs.text && type === undefined && learnt.decimals !== 'text') {
    if (isInBase64(learnt, bytes, from, to)) {
      const value = base64Whole(bytes, from, to)
      return value === undefined ? misfits.base64 : putScaled(column, field, row, { value, scale: field.scale })
    }
  }
  if (from < to && decimalAt(bytes, from, field.digits, field.scale, column.numbers, column.wide, row) === to) return undefined
  return putExact(column, field, row, exactWhole(bytes.latin1Slice(from, to), field.scale))
}

/** What only one of the two can be tells of all texts of the column; what may be either is a number until then. */
function isInBase64(learnt: ForeignField['learnt'], bytes: Buffer, from: number, to: number): boolean {
  if (learnt.decimals !== undefined) return learnt.decimals === 'base64'
  const text = bytes.latin1Slice(from, to)
  const [isNumber, mayBeBase64] = [isPlainNumber(text), isBase64(text)]
  if (isNumber && mayBeBase64) learnt.guessed = true
  else if (isNumber) learnt.decimals = 'text'
  else if (mayBeBase64) learnt.decimals = 'base64'
  return !isNumber && mayBeBase64
}

function putScaled(column: DraftColumn, field: Digits, row: number, { value, scale }: Scaled): string | undefined {
  const { numbers, wide } = column
  if (typeof value !== 'number' || scale !== field.scale || Math.abs(value) >= 10 ** Math.min(field.digits, 15))
    return putExact(column, field, row, rescaled(BigInt(value), scale, field.scale))
  numbers[row] = value
  if (wide.size > 0) wide.delete(row)
  return undefined
}

type Digits = { readonly digits: number; readonly scale: number }

function putExact(
  { numbers, wide }: DraftColumn,
  { digits, scale }: Digits,
  row: number,
  value: ReturnType<typeof exactWhole>,
): string | undefined {
  if (value === undefined) return misfits.decimal
  if (value === 'fine') return `has more than ${scale} digits behind the point`
  const limit = 10n ** BigInt(digits)
  if (value === 'large' || value >= limit || value <= -limit) return `has more than ${digits - scale} digits before the point`
  wide.delete(row)
  putWhole(numbers, wide, row, value)
  return undefined
}
