/** Reads dates and moments that people type. */
import { usage } from './words.ts'

const dayPattern = /^\d{4}-\d{2}-\d{2}$/
const momentPattern = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/

/** Days since 1970. */
export function day(option: string, text: string): number {
  const ms = dayPattern.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text)
    throw usage(`--${option} ${text} is not a date`, `Give one, e.g. --${option} 2026-01-31.`)
  return ms / 86_400_000
}

/** Nanoseconds since 1970; UTC, where nothing else is said, and a date is its first moment. */
export function moment(option: string, text: string): bigint {
  if (dayPattern.test(text)) return BigInt(day(option, text)) * 86_400_000_000_000n
  const [, date, time, fraction = '', zone = 'Z'] = momentPattern.exec(text) ?? []
  const ms = date === undefined ? NaN : Date.parse(`${date}T${time!.length === 5 ? `${time}:00` : time}${zone}`)
  if (Number.isNaN(ms)) throw usage(`--${option} ${text} is not a date or a time`, `Give one, e.g. --${option} 2026-01-31T06:00:00Z.`)
  day(option, date!)
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}
