/** The plain twin of the CSV reader: whole text, a character (of latin1, so a byte) at a time, a fresh look at every record. */
import type { Field, RecordSchema } from '../schemas/record.ts'
import type { TextForm } from '../utilities/source.ts'
import type { Cell, Row, ShortReject } from './csv-rows.ts'

type PlainCell = { readonly raw: string; readonly value: string; readonly end: number; readonly stray: boolean }

const utf8 = (part: string) => Buffer.from(part, 'latin1').toString()
const isUtf8 = (part: string) => Buffer.from(utf8(part)).toString('latin1') === part

export function plainRead(
  schema: RecordSchema,
  bytes: Uint8Array,
  limit: number,
  form: TextForm = {},
): { readonly rows: Row[]; readonly rejects: ShortReject[] } {
  const { delimiter = ',', null: nulls = [''] } = form
  let all = Buffer.from(bytes).toString('latin1')
  if (!all.endsWith('\n')) all += '\n'
  const headerEnd = all.indexOf('\n')
  const header = all.slice(0, headerEnd).split(delimiter)
  const fieldOf = (index: number) => Object.values(schema.fields).find(({ csv }) => csv === header[index])
  const name = (index: number) => header[index] ?? String(index + 1)
  const atLineEnd = (at: number) => all[at] === '\n' || (all[at] === '\r' && all[at + 1] === '\n')

  const cellAt = (from: number): PlainCell | undefined => {
    let at = from
    let value = ''
    const quoted = all[at] === '"'
    if (quoted) {
      for (at++; all[at] !== '"' || all[at + 1] === '"'; at++) {
        if (at >= all.length) return undefined
        if (all[at] === '"') at++
        value += all[at]
      }
      at++
    }
    let behind = ''
    for (; all[at] !== delimiter && !atLineEnd(at); at++) behind += all[at]
    return { raw: all.slice(from, at), value: quoted ? value : behind, end: at, stray: quoted && behind !== '' }
  }

  const rows: Row[] = []
  const rejects: ShortReject[] = []
  let at = headerEnd + 1
  let line = 2
  let seq = 0
  let valid = 0
  while (at < all.length) {
    const start = at
    const lineEnd = all.indexOf('\n', start)
    if (atLineEnd(start)) {
      at = lineEnd + 1
      line++
      continue
    }
    seq++
    const cells: PlainCell[] = []
    let cell = cellAt(start)
    while (cell && all[cell.end] === delimiter) {
      cells.push(cell)
      cell = cellAt(cell.end + 1)
    }
    const end = cell ? cell.end : all.length
    const tooLong = cell ? end - start > limit : end - start > limit + 2
    if (!cell || tooLong) {
      const stop = Math.min(lineEnd, start + limit + 2)
      const textEnd = Math.min(all[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd, start + limit)
      rejects.push([
        seq,
        line,
        name(cells.filter((one) => one.end < stop).length),
        tooLong ? `longer than ${limit} bytes` : 'the quote is never closed',
        utf8(all.slice(start, textEnd)),
        valid,
      ])
      at = lineEnd + 1
      line++
      continue
    }
    cells.push(cell)
    const whole = all.slice(start, end)
    const values = new Map<Field, Cell>()
    const fault = ((): readonly [string, string] | undefined => {
      for (const [index, { raw, stray }] of cells.entries()) {
        if ((!header[index] || fieldOf(index)) && !isUtf8(raw)) return [name(index), 'bytes that are not UTF-8']
        if (stray) return [name(index), 'text after the closing quote']
      }
      if (cells.length !== header.length)
        return [
          name(Math.min(cells.length, header.length)),
          `${cells.length} ${cells.length === 1 ? 'cell' : 'cells'} where ${header.length} are expected`,
        ]
      for (const [index, { value }] of cells.entries()) {
        const field = fieldOf(index)
        if (!field) continue
        const read = nulls.includes(utf8(value)) ? plainNull(field, value) : plainValue(field, value, form)
        if (typeof read === 'object' && read !== null) return [field.csv, read.wrong]
        if (field === schema.fields[schema.at] && isEarly(read)) return [field.csv, 'before 1901']
        values.set(field, read)
      }
      return undefined
    })()
    if (fault) rejects.push([seq, line, ...fault, utf8(whole), valid])
    else {
      rows.push([seq, ...Object.values(schema.fields).map((field) => values.get(field)!)])
      valid = seq
    }
    at = end + (all[end] === '\r' ? 2 : 1)
    line += whole.split('\n').length
  }
  return { rows, rejects }
}

type Wrong = { readonly wrong: string }

const plainNull = ({ nullable }: Field, value: string): Wrong | null => (nullable ? null : { wrong: value === '' ? 'empty' : 'null' })

const isEarly = (value: Cell) => (typeof value === 'bigint' ? value < BigInt(Date.UTC(1901, 0)) * 1000n : String(value) < '1901')

/** By regular expressions, and whole numbers of any size. */
function plainValue(field: Field, value: string, form: TextForm): Cell | Wrong {
  const wrong = (reason: string): Wrong => ({ wrong: reason })
  if (field.kind === 'text') return value.length > field.bytes ? wrong(`longer than ${field.bytes} bytes`) : utf8(value)
  if (value === '') return wrong('empty')
  switch (field.kind) {
    case 'number':
      if (!/^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(value)) return wrong('not a number')
      return Math.abs(Number(value)) === Infinity ? wrong('too large for a number') : Number(value) + 0
    case 'integer': {
      if (!/^[-+]?[0-9]+$/.test(value)) return wrong('not a whole number')
      const whole = wholeOf(value)
      return BigInt.asIntN(64, whole) === whole ? whole : wrong('beyond 64 bits')
    }
    case 'decimal': {
      const [, sign = '', before = '', behind = ''] = /^([-+]?)([0-9]+)(?:\.([0-9]+))?$/.exec(value) ?? []
      if (before === '') return wrong('not a decimal number: a sign, digits, a point, digits')
      const digits = behind.replace(/0+$/, '')
      if (digits.length > field.scale) return wrong(`more than ${field.scale} digits behind the point`)
      const whole = wholeOf(sign + before + digits.padEnd(field.scale, '0'))
      const most = field.digits - field.scale
      return wholeOf(before) >= 10n ** BigInt(most) ? wrong(`more than ${most} digits before the point`) : whole
    }
    case 'flag': {
      const word = value.toLowerCase()
      if (['true', 't', 'yes', 'y', '1'].includes(word)) return true
      if (['false', 'f', 'no', 'n', '0'].includes(word)) return false
      return wrong('not a flag: true or false, t or f, yes or no, y or n, 1 or 0')
    }
    case 'date': {
      const day = plainDay(value, form.dates)
      if (day === undefined) return wrong(`not a date of the form YYYY-MM-DD${form.dates ? ` or ${form.dates}` : ''}`)
      return day === null ? wrong('not a real day') : day
    }
    case 'timestamp':
      return (
        plainMoment(value, form.timestamps) ??
        wrong(`not a timestamp of the form YYYY-MM-DDThh:mm:ss${form.timestamps ? ` or ${form.timestamps}` : ''}`)
      )
  }
}

const wholeOf = (digits: string) => (digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits.replace('+', '')))

/** YYYY-MM-DD; null where there is no such day, undefined where it is not written as one. */
function plainDay(value: string, form: string | undefined): string | null | undefined {
  const iso = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(value)
  let parts = iso && { Y: iso[1]!, M: iso[2]!, D: iso[3]! }
  if (!parts && form) {
    const letters: string[] = []
    const pattern = form.replace(/Y+|M+|D+|[^YMD]/g, (one) => {
      if (!/[YMD]/.test(one)) return `\\${one}`
      letters.push(one[0]!)
      return one.length === 1 ? '([0-9]{1,2})' : `([0-9]{${one.length}})`
    })
    const found = new RegExp(`^${pattern}$`).exec(value)
    if (found) parts = Object.fromEntries(letters.map((letter, i) => [letter, found[i + 1]!])) as { Y: string; M: string; D: string }
  }
  if (!parts) return undefined
  const text = `${parts.Y}-${parts.M.padStart(2, '0')}-${parts.D.padStart(2, '0')}`
  const parsed = new Date(`${text}T00:00:00Z`)
  if (parts.Y === '0000' || Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== text) return null
  return text
}

/** Microseconds since 1970. */
function plainMoment(value: string, form: string | undefined): bigint | Wrong | undefined {
  const count = { seconds: 1_000_000n, milliseconds: 1000n, microseconds: 1n }[form ?? '']
  const within = (micros: bigint) =>
    micros >= BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1000n && micros < BigInt(Date.UTC(10_000, 0)) * 1000n
      ? micros
      : { wrong: 'not within the years 1 to 9999' }
  if (count !== undefined && /^-?[0-9]+$/.test(value)) return within(wholeOf(value) * count)
  const [, date = '', hour, minute, second = '0', fraction = '', zone] =
    /^(.*)[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(Z|[+-][0-9]{2}(?::[0-9]{2})?)?$/.exec(value) ?? []
  const day = hour === undefined ? undefined : plainDay(date, form?.endsWith(' hh:mm:ss') ? form.slice(0, -9) : undefined)
  if (day === undefined) return undefined
  const [, sign = '+', zoneHour = '0', zoneMinute = '0'] = /^([+-])([0-9]{2}):?([0-9]{2})?$/.exec(zone ?? '') ?? []
  if (/[1-9]/.test(fraction.slice(6))) return { wrong: 'more than 6 digits of a second' }
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return { wrong: 'not a time of day' }
  if (day === null) return { wrong: 'not a real day' }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return { wrong: 'not a time of day' }
  const seconds = BigInt(hour!) * 3600n + BigInt(minute!) * 60n + BigInt(second)
  const offset = (BigInt(zoneHour) * 60n + BigInt(zoneMinute)) * (sign === '-' ? -60n : 60n)
  return within(
    (BigInt(Date.parse(`${day}T00:00:00Z`)) / 1000n + seconds - offset) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0')),
  )
}
