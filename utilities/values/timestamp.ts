/** Moments as SQL and people write them: microseconds since 1970 in UTC, and back. */
import { dayText } from './day.ts'

export const dayMicros = 86_400_000_000
/** 0001-01-01 00:00:00, and the last microsecond of 9999: what SQL has, too. */
export const firstMicros = -62_135_596_800_000_000n
export const lastMicros = 253_402_300_799_999_999n

const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** YYYY-MM-DD HH:MM:SS, and behind a point no more digits than there are: texts of such sort as the moments do. */
export function timestampText(micros: number | bigint): string {
  const [day, rest] = dayAndRest(micros)
  const seconds = Math.floor(rest / 1_000_000)
  const fraction = rest - seconds * 1_000_000
  const [hour, minute, second] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const time = `${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[second]}`
  return `${dayText(day)} ${time}${fraction === 0 ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`}`
}

/** As ISO 8601 has it. */
export const isoText = (micros: number | bigint): string => `${timestampText(micros).replace(' ', 'T')}Z`

/** The day since 1970 that a moment lies in. */
export const dayIn = (micros: number | bigint): number => dayAndRest(micros)[0]

function dayAndRest(micros: number | bigint): readonly [day: number, rest: number] {
  if (typeof micros === 'number') {
    const day = Math.floor(micros / dayMicros)
    return [day, micros - day * dayMicros]
  }
  const rest = ((micros % BigInt(dayMicros)) + BigInt(dayMicros)) % BigInt(dayMicros)
  return [Number((micros - rest) / BigInt(dayMicros)), Number(rest)]
}

/** Reads what `timestampText` writes: a number where one holds it. */
export function microsOf(text: string): number | bigint {
  const [year, month, day] = [numberAt(text, 0, 4), numberAt(text, 5, 7), numberAt(text, 8, 10)]
  const seconds = (numberAt(text, 11, 13) * 60 + numberAt(text, 14, 16)) * 60 + numberAt(text, 17, 19)
  const behind = text.length - 20
  const fraction = behind > 0 ? numberAt(text, 20, text.length) * 10 ** (6 - behind) : 0
  const days = daysUntil(year, month, day)
  const micros = (days * 86_400 + seconds) * 1_000_000 + fraction
  return Number.isSafeInteger(micros) ? micros : BigInt(days * 86_400 + seconds) * 1_000_000n + BigInt(fraction)
}

function numberAt(text: string, from: number, end: number): number {
  let number = 0
  for (let at = from; at < end; at++) number = number * 10 + text.charCodeAt(at) - 48
  return number
}

/** Days since 1970, counted in years that begin with March, so that a leap day is a year's last. */
function daysUntil(year: number, month: number, day: number): number {
  const years = month > 2 ? year : year - 1
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400)
  return years * 365 + leaps + Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 719_469
}
