/** Days as files write them: YYYY-MM-DD always, and one of some other forms where the source says so. */
import { Problem } from '../../utilities/values/problem.ts'
import { zero } from './bytes.ts'
import { dayOf } from './cells.ts'

/** Parts in order: what each is, how many digits it may have, and the byte behind it, 0 for none. */
export type DateForm = { readonly name: string; readonly parts: readonly Part[]; readonly pattern: string }
type Part = { readonly of: 0 | 1 | 2; readonly least: number; readonly most: number; readonly behind: number }

const names = [
  'DD/MM/YYYY',
  'MM/DD/YYYY',
  'YYYY/MM/DD',
  'DD.MM.YYYY',
  'DD-MM-YYYY',
  'MM-DD-YYYY',
  'YYYYMMDD',
  'D/M/YYYY',
  'M/D/YYYY',
  'D.M.YYYY',
] as const

const places = { Y: 0, M: 1, D: 2 } as const

function parse(name: string): DateForm {
  const parts = [...name.matchAll(/(Y+|M+|D+)([^YMD]?)/g)].map(([, letters, separator]): Part => {
    const { length } = letters!
    return {
      of: places[letters![0] as 'Y' | 'M' | 'D'],
      least: length,
      most: Math.max(2, length),
      behind: separator === '' ? 0 : separator!.charCodeAt(0),
    }
  })
  const pattern = name
    .replaceAll('.', '\\.')
    .replace(/(Y+)|MM|DD|M|D/g, (letters) => (letters.length === 1 ? '\\d{1,2}' : `\\d{${letters.length}}`))
  return { name, parts, pattern }
}

const isoDate = parse('YYYY-MM-DD')

export function dateFormOf(name: string): DateForm {
  if ((names as readonly string[]).includes(name)) return parse(name)
  throw new Problem(`${JSON.stringify(name)} is no form of dates`, `Use one of ${names.join(', ')}; YYYY-MM-DD is always read.`, {
    usage: true,
  })
}

/** Where the form ends and -1 where it is another one; the day, or noDay where there is no such day, is put at the row. */
export function dateAt(form: DateForm | undefined, bytes: Uint8Array, from: number, days: Int32Array, row: number): number {
  const end = readParts(isoDate, bytes, from, days, row)
  return end < 0 && form ? readParts(form, bytes, from, days, row) : end
}

function readParts({ parts }: DateForm, bytes: Uint8Array, from: number, days: Int32Array, row: number): number {
  let at = from
  let year = 0
  let month = 0
  let day = 0
  for (let i = 0; i < parts.length; i++) {
    const { of, least, most, behind } = parts[i]!
    const start = at
    let value = 0
    while (at - start < most && (bytes[at]! - zero) >>> 0 <= 9) value = value * 10 + bytes[at++]! - zero
    if (at - start < least) return -1
    if (behind !== 0 && bytes[at++] !== behind) return -1
    if (of === 0) year = value
    else if (of === 1) month = value
    else day = value
  }
  days[row] = dayOf(year, month, day)
  return at
}
