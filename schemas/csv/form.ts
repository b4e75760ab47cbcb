/** How the cells of a text are written, made ready for reading bytes; what cannot be meant is refused. */
import { Problem } from '../../utilities/values/problem.ts'
import type { TextForm } from '../../utilities/source.ts'
import { dateFormOf, type DateForm } from './dates.ts'
import { timestampFormOf, type TimestampForm } from './timestamps.ts'

export type CsvForm = {
  readonly delimiter: number
  readonly emptyIsNull: boolean
  /** The other words that stand for null, and the bytes that one of them begins with: a 1 each. */
  readonly nulls: readonly Buffer[]
  readonly nullStarts: Uint8Array
  /** Beside ISO 8601. */
  readonly dates: DateForm | undefined
  readonly timestamps: TimestampForm | undefined
}

const wrong = (what: string, todo: string) => new Problem(what, todo, { usage: true })

export function csvForm({ delimiter = ',', null: nulls = [''], dates, timestamps }: TextForm): CsvForm {
  const divides = delimiterOf(delimiter)
  const words = nulls.filter((word) => word !== '').map((word) => Buffer.from(word))
  const split = nulls.find((word) => /["\r\n]/.test(word) || word.includes(delimiter))
  if (split !== undefined) {
    throw wrong(
      `the word ${JSON.stringify(split)} for null holds a quote, a line break or the delimiter`,
      'Give "null" words as they stand between two delimiters.',
    )
  }
  const nullStarts = new Uint8Array(256)
  for (const [first] of words) nullStarts[first!] = 1
  return {
    delimiter: divides,
    emptyIsNull: nulls.includes(''),
    nulls: words,
    nullStarts,
    dates: dates === undefined ? undefined : dateFormOf(dates),
    timestamps: timestamps === undefined ? undefined : timestampFormOf(timestamps),
  }
}

/** Whatever may stand in a number, a date or a quoted cell divides no cells. */
function delimiterOf(text: string): number {
  if (text.length === 1 && /[,;|^~\t\x01-\x09\x0b\x0c\x0e-\x1f]/.test(text)) return text.charCodeAt(0)
  throw wrong(`${JSON.stringify(text)} is no delimiter`, 'Give one character: , ; | ^ ~ or a tab ("\\t" in the config).')
}
