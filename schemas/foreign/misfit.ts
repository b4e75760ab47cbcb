/** Says of a value that was sent why it does not fit its field. */
import { printable } from '../../utilities/values/printable.ts'
import { sentAs, type Found } from './scan.ts'

const mostShown = 60

/** The value's beginning, on one line. */
export function shown({ bytes, kinds, starts, ends }: Found, slot: number): string {
  const [from, to] = [starts[slot]!, ends[slot]!]
  const isText = kinds[slot] === sentAs.text || kinds[slot] === sentAs.escapedText
  const text = printable(bytes.toString('utf8', from, Math.min(to, from + 4 * mostShown)))
  // Never half of a character.
  const beginning = text.slice(0, mostShown).replace(/[\ud800-\udbff]$/, '')
  const cut = to - from > 4 * mostShown || beginning.length < text.length ? '…' : ''
  return isText ? `"${beginning}${cut}"` : `${beginning}${cut}`
}

export const misfits = {
  text: 'is half of a character',
  wholeNumber: 'is not a whole number',
  bits: 'does not fit into 64 bits',
  number: 'is not a number',
  largeNumber: 'is too large for a number',
  decimal: 'is not a decimal number',
  base64: 'is not a decimal number in base64, as others of this column are: say "decimals" of the source in the config file',
  flag: 'is neither true nor false',
  date: 'is not a date of the form YYYY-MM-DD, nor a number of days since 1970',
  momentForDate: 'is a moment, and a moment is not a day',
  timeForDate: 'is a time of day, and that is not a day',
  realDay: 'is not a real day',
  timestamp: 'is not a timestamp of the form YYYY-MM-DDThh:mm:ss, nor a whole number',
  timeOfDay: 'is not a time of day',
  timeForTimestamp: 'is a time of day, and that is not a moment',
  years: 'is not within the years 1 to 9999',
} as const
