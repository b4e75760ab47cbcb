/** The key of rows as its text, of what a request says of the fields of the key. */
import type { Field } from '../schemas/record.ts'
import { decimalText, wholeOf } from '../utilities/values/decimal-text.ts'
import { dayMicros, firstMicros, isoText, lastMicros } from '../utilities/values/timestamp.ts'
import { keyOfParts } from '../utilities/values/key-text.ts'
import { Refused } from './refused.ts'

export type KeyField = { readonly name: string; readonly field: Field }

/** What JSON or a path can say of one field. */
export type Given = string | number | boolean | null

export function keyTextOf(fields: readonly KeyField[], givenAt: (at: number) => Given): string {
  if (fields.length === 1) return partText(fields[0]!, givenAt(0)) ?? ''
  return keyOfParts(fields.map((one, at) => partText(one, givenAt(at))))
}

function partText({ name, field }: KeyField, given: Given): string | null {
  if (given === null) return null
  const text = textAs(field, given)
  if (text !== undefined) return text
  throw new Refused(400, `${JSON.stringify(given)} is no value of ${name}`, `It is ${written[field.kind]}.`)
}

const written: { readonly [kind in Field['kind']]: string } = {
  text: 'a text',
  flag: 'true or false',
  number: 'a number',
  integer: 'a whole number of at most 64 bits; beyond 2^53 it is written as a text',
  decimal: 'a decimal; with more than 15 digits it is written as a text',
  date: 'a date, written "2026-01-31"',
  timestamp: 'a moment, written "2026-01-31T06:00:00Z"',
}

/** As rows have it (`keyTexts`): all ways to write a value are one key. Undefined where the field has no such value. */
function textAs(field: Field, given: Exclude<Given, null>): string | undefined {
  switch (field.kind) {
    case 'text':
      // Half a character would be stored as another one.
      return typeof given === 'string' && given.isWellFormed() ? given : undefined
    case 'flag':
      return given === true || given === 'true' ? 'true' : given === false || given === 'false' ? 'false' : undefined
    case 'number': {
      if (typeof given === 'boolean' || (typeof given === 'string' && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given)))
        return undefined
      return Number.isFinite(Number(given)) ? String(Number(given)) : undefined
    }
    case 'integer':
      if (typeof given === 'number') return Number.isSafeInteger(given) ? String(given) : undefined
      return typeof given === 'string' && /^[+-]?\d{1,19}$/.test(given) ? String(BigInt(given.replace('+', ''))) : undefined
    case 'decimal':
      return typeof given === 'boolean' ? undefined : decimalAs(String(given), field)
    case 'date': {
      const day = dayOf(given)
      return day === undefined ? undefined : String(day)
    }
    case 'timestamp':
      return momentAs(given)
  }
}

function decimalAs(text: string, { digits, scale }: Extract<Field, { kind: 'decimal' }>): string | undefined {
  if (text.length > 64 || !/^[+-]?\d+(\.\d+)?$/.test(text)) return undefined
  const short = text
    .replace('+', '')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
  if ((short.split('.')[1]?.length ?? 0) > scale) return undefined
  const whole = wholeOf(short, scale)
  return String(whole).replace('-', '').length > digits ? undefined : decimalText(whole, scale)
}

/** The days of a month are looked at, which Date.parse lets overflow. */
function dayOf(given: unknown): number | undefined {
  if (typeof given !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(given)) return undefined
  const ms = Date.parse(given)
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== given ? undefined : ms / 86_400_000
}

const momentPattern =
  /^(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?(?:Z|([+-])([01]\d|2[0-3]):?([0-5]\d))?$/

function momentAs(given: unknown): string | undefined {
  const found = typeof given === 'string' ? momentPattern.exec(given) : null
  const day = dayOf(found?.[1])
  if (!found || day === undefined) return undefined
  const [, , hour, minute, second = '0', fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = found
  const minutes = Number(hour) * 60 + Number(minute) - (sign === '-' ? -1 : 1) * (Number(offsetHour) * 60 + Number(offsetMinute))
  const micros =
    BigInt(day) * BigInt(dayMicros) + BigInt(minutes * 60 + Number(second)) * 1_000_000n + BigInt(Number(fraction.padEnd(6, '0')))
  return micros < firstMicros || micros > lastMicros ? undefined : isoText(micros)
}
