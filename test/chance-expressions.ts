/**
 * Expressions by chance, each as we read it and as PostgreSQL is asked: there literals come from functions, so that nothing is calculated
 * before rows are seen, integers are bigint everywhere, and quotients have so many digits that their own rounding cannot be seen.
 */
import type { Kind } from '../schemas/expressions/kind.ts'

type Sort = Exclude<Kind['kind'], 'null'>
/** `level`: how strongly its operator binds, from or (1) to what stands for itself (11). */
export type Asked = { readonly ours: string; readonly theirs: string; readonly level: number; readonly kind: Sort; readonly scale: number }

export const columns = {
  i: { kind: 'integer' },
  j: { kind: 'integer' },
  p: { kind: 'decimal', scale: 2 },
  q: { kind: 'decimal', scale: 10 },
  x: { kind: 'number' },
  y: { kind: 'number' },
  s: { kind: 'text' },
  t: { kind: 'text' },
  d: { kind: 'date' },
  e: { kind: 'date' },
  m: { kind: 'timestamp' },
  n: { kind: 'timestamp' },
  f: { kind: 'flag' },
  g: { kind: 'flag' },
} as const satisfies Readonly<Record<string, Kind>>

export const sqlTypes: Readonly<Record<Sort, string>> = {
  integer: 'bigint',
  decimal: 'numeric',
  number: 'double precision',
  text: 'text',
  date: 'date',
  timestamp: 'timestamp',
  flag: 'boolean',
}

const letters = [
  'a',
  'b',
  'A',
  'Z',
  ' ',
  '%',
  '_',
  '\\',
  "'",
  '-',
  '1',
  'ß',
  'ẞ',
  'İ',
  'ı',
  'ŉ',
  'ǆ',
  'ǅ',
  'ﬁ',
  'é',
  'É',
  '\u0301',
  '.',
  '字',
  '🌊',
  '\t',
  '\n',
  '"',
]
const integers = [
  '0',
  '1',
  '2',
  '3',
  '5',
  '7',
  '10',
  '-1',
  '-2',
  '-20',
  '4294967297',
  '9007199254740993',
  '-9007199254740991',
  '9223372036854775807',
  '-9223372036854775808',
]
const decimals = [
  '0.5',
  '1.00',
  '2.5',
  '-0.05',
  '.25',
  '0.005',
  '3.',
  '99999999999999999999.5',
  '-1234567890.12',
  '0.3333333333',
  '18446744073709551616',
]
const numbers = ['0', '-0', '1', '0.1', '-2.5', '1e308', '-1e308', '5e-324', '1e-200', '9007199254740993', '1e20']
const dates = ['2024-02-29', '1970-01-01', '0001-01-01', '9999-12-31', '2000-12-31', '1969-12-31']
const timestamps = [
  '2024-02-29 00:00:00',
  '1970-01-01 00:00:00.000001',
  '0001-01-01 00:00:00',
  '9999-12-31 23:59:59.999999',
  '1969-12-31 23:59:59.5',
  '2300-01-01 01:02:03.123457',
]

export type Chance = () => number
export const oneOf = <T>(chance: Chance, all: readonly T[]): T => all[Math.floor(chance() * all.length)]!
const upTo = (chance: Chance, most: number) => Math.floor(chance() * (most + 1))

const textBy = (chance: Chance) => Array.from({ length: upTo(chance, 6) }, () => oneOf(chance, letters)).join('')

/** A value as a literal writes it between its quotes; null now and then. */
export function valueBy(chance: Chance, kind: Sort, scale = 0): string | null {
  if (chance() < 0.12) return null
  switch (kind) {
    case 'integer':
      return chance() < 0.6 ? String(upTo(chance, 40) - 20) : oneOf(chance, integers)
    case 'decimal':
      return chance() < 0.8
        ? ((upTo(chance, 4000) - 2000) / 200).toFixed(scale)
        : scale === 2
          ? oneOf(chance, ['9999999999.99', '-0.01'])
          : `${oneOf(chance, ['', '-'])}9999999999999999999999999999.9999999999`
    case 'number':
      return chance() < 0.5 ? String(upTo(chance, 100) / 8) : oneOf(chance, numbers)
    case 'text':
      return textBy(chance)
    case 'date':
      return oneOf(chance, dates)
    case 'timestamp':
      return oneOf(chance, timestamps)
    case 'flag':
      return oneOf(chance, ['true', 'false'])
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

export function expressionBy(chance: Chance, { parentheses = true } = {}): (kind: Sort, depth: number) => Asked {
  const pick = <T>(all: readonly T[]) => oneOf(chance, all)
  const scales: Partial<Record<string, number>> = { p: 2, q: 10 }

  /** In parentheses where they are needed, and now and then where they are not. */
  const within = (one: Asked, least: number): Asked => {
    const bare = !parentheses || (one.level >= least && chance() < 0.9)
    return bare ? one : { ...one, ours: `(${one.ours})`, theirs: `(${one.theirs})`, level: 11 }
  }
  const joined = (kind: Sort, scale: number, level: number, parts: readonly (string | Asked)[]): Asked => ({
    kind,
    scale,
    level,
    ours: parts.map((part) => (typeof part === 'string' ? part : part.ours)).join(''),
    theirs: parts.map((part) => (typeof part === 'string' ? part : part.theirs)).join(''),
  })
  const cast = (one: Asked, type: string): Asked => ({ ...one, theirs: `(${one.theirs})::${type}` })

  const column = (kind: Sort): Asked => {
    const name = pick(Object.keys(columns).filter((one) => columns[one as keyof typeof columns].kind === kind))
    return { kind, scale: scales[name] ?? 0, level: 11, ours: pick([name, name, name.toUpperCase(), `"${name}"`]), theirs: name }
  }
  const literal = (kind: Sort): Asked => {
    const plain = (text: string, ours: string): Asked => {
      const scale = kind === 'decimal' ? (text.split('.')[1] ?? '').length : 0
      return { kind, scale, level: ours.startsWith('-') ? 10 : 11, ours, theirs: `k(${quoted(text)}::${sqlTypes[kind]})` }
    }
    switch (kind) {
      case 'integer':
        return ((text) => plain(text, text))(pick(integers))
      case 'decimal':
        return ((text) => plain(text, text))(pick(decimals))
      case 'text':
        return ((text) => plain(text, quoted(text)))(textBy(chance))
      case 'date':
        return ((text) => plain(text, `date '${text}'`))(pick(dates))
      case 'timestamp':
        return ((text) => plain(text, `timestamp '${text}'`))(pick(timestamps))
      case 'flag':
        return ((text) => plain(text, text))(pick(['true', 'false']))
      case 'number':
        return column(kind)
    }
  }
  const atom = (kind: Sort) => (chance() < 0.65 ? column(kind) : literal(kind))
  const nothing = (kind: Sort): Asked => ({ kind, scale: 0, level: 11, ours: 'null', theirs: `k(null::${sqlTypes[kind]})` })
  /** One that may be null itself, beside another whose kind is known. */
  const maybe = (kind: Sort, depth: number) => (chance() < 0.04 ? nothing(kind) : any(kind, depth))

  /** A kind that can become this one. */
  const narrower = (kind: Sort): Sort => {
    if (kind === 'number') return pick(['number', 'integer', 'decimal'])
    if (kind === 'decimal') return pick(['decimal', 'integer'])
    return kind === 'timestamp' ? pick(['timestamp', 'date']) : kind
  }
  const scaleOfAll = (all: readonly Asked[]) => Math.max(...all.map(({ scale }) => scale))
  /** Two of which the first is of the kind, in any order. */
  const two = (kind: Sort, depth: number): readonly [Asked, Asked] => {
    const [a, b] = [any(kind, depth), maybe(narrower(kind), depth)]
    return chance() < 0.5 ? [a, b] : [b, a]
  }

  const calculated = (kind: 'integer' | 'decimal' | 'number', depth: number): Asked => {
    const way = pick(['+', '-', '*', 'minus', 'abs'])
    if (way === 'minus') {
      const one = any(kind, depth)
      // A minus before a literal is a part of it.
      return ((of) => joined(kind, of.scale, 10, ['- ', within(of, 11)]))(
        /^[-.\d]/.test(one.ours) && one.theirs.startsWith('k(') ? column(kind) : one,
      )
    }
    if (way === 'abs') return ((one) => joined(kind, one.scale, 11, ['abs(', one, ')']))(any(kind, depth))
    const [a, b] = two(kind, depth)
    const scale = way === '*' ? a.scale + b.scale : scaleOfAll([a, b])
    if (scale > 60) return column(kind)
    const level = way === '*' ? 9 : 8
    return joined(kind, scale, level, [within(a, level), ` ${way} `, within(b, level + 1)])
  }

  const chosen = (kind: Sort, depth: number): Asked => {
    const [a, b] = two(kind, depth)
    const scale = scaleOfAll([a, b])
    const way = pick(['coalesce', 'case', 'case of', 'nullif', 'case without'])
    if (way === 'coalesce') return joined(kind, scale, 11, ['coalesce(', a, ', ', b, ')'])
    if (way === 'nullif') {
      const [one, other] = [any(kind, depth), maybe(kind === 'date' ? pick(['date', 'timestamp']) : narrower(kind), depth)]
      return joined(kind, scaleOfAll([one, other]), 11, ['nullif(', one, ', ', other, ')'])
    }
    if (way === 'case') return joined(kind, scale, 11, ['case when ', any('flag', depth), ' then ', a, ' else ', b, ' end'])
    if (way === 'case without')
      return joined(kind, scale, 11, ['case when ', any('flag', depth), ' then ', a, ' when ', any('flag', depth), ' then ', b, ' end'])
    const of = pick(Object.keys(sqlTypes) as Sort[])
    return joined(kind, scale, 11, ['case ', any(of, depth), ' when ', maybe(narrower(of), depth), ' then ', a, ' else ', b, ' end'])
  }

  const rounded = (depth: number): Asked => {
    const digits = pick([0, 1, 2, 5, 12])
    if (chance() < 0.4) {
      const one = any(pick(['decimal', 'decimal', 'integer']), depth)
      return joined('decimal', Math.min(digits, one.scale), 11, ['round(', one, `, ${digits})`])
    }
    const [a, b] = two('decimal', depth)
    return joined('decimal', digits, 11, ['round(', cast(within(a, 9), 'numeric(1000, 150)'), ' / ', within(b, 10), `, ${digits})`])
  }

  const tested = (depth: number): Asked => {
    const of = pick(Object.keys(sqlTypes) as Sort[])
    const flag = (level: number, ...parts: readonly (string | Asked)[]) => joined('flag', 0, level, parts)
    switch (pick(['compare', 'compare', 'compare', 'and', 'or', 'not', 'in', 'between', 'like', 'null', 'truth'])) {
      case 'and':
        return flag(2, within(any('flag', depth), 2), ' and ', within(maybe('flag', depth), 3))
      case 'or':
        return flag(1, within(any('flag', depth), 1), ' or ', within(maybe('flag', depth), 2))
      case 'not':
        return flag(3, 'not ', within(any('flag', depth), 3))
      case 'in':
        return flag(
          6,
          within(any(of, depth), 7),
          pick([' in (', ' not in (']),
          atom(narrower(of)),
          ', ',
          chance() < 0.1 ? nothing(of) : atom(narrower(of)),
          ')',
        )
      case 'between':
        return flag(
          6,
          within(any(of, depth), 7),
          pick([' between ', ' not between ']),
          within(maybe(narrower(of), depth), 7),
          ' and ',
          within(maybe(narrower(of), depth), 7),
        )
      case 'like':
        return flag(6, within(any('text', depth), 7), pick([' like ', ' not like ']), within(patterned(depth), 7))
      case 'null':
        return flag(4, within(any(of, depth), 6), pick([' is null', ' is not null']))
      case 'truth':
        return flag(4, within(any('flag', depth), 6), pick([' is true', ' is not true', ' is false', ' is not false']))
      default: {
        const [a, b] = two(of, depth)
        return flag(5, within(a, 7), ` ${pick(['=', '<>', '!=', '<', '<=', '>', '>='])} `, within(b, 7))
      }
    }
  }

  /** A backslash at the end of a pattern is one of ours alone: PostgreSQL minds it only where it comes to it. */
  const patterned = (depth: number): Asked => {
    if (chance() < 0.3) return joined('text', 0, 11, ['coalesce(', any('text', depth), " || '%', '_')"])
    const text = Array.from({ length: upTo(chance, 4) }, () => pick(['%', '_', 'a', 'ß', '🌊', '\\%', '\\_', '\\\\', "'"])).join('')
    return { kind: 'text', scale: 0, level: 11, ours: quoted(text), theirs: `k(${quoted(text)}::text)` }
  }

  const written = (depth: number): Asked => {
    const of = any('text', depth)
    switch (pick(['lower', 'upper', 'trim', 'substr', 'substr of', '||'])) {
      case 'substr':
        return joined('text', 0, 11, ['substr(', of, ', ', cast(any('integer', depth - 1), 'int4'), ')'])
      case 'substr of':
        return joined('text', 0, 11, ['substr(', of, ', ', cast(atom('integer'), 'int4'), ', ', cast(atom('integer'), 'int4'), ')'])
      case '||':
        return joined('text', 0, 7, [within(of, 7), ' || ', within(maybe('text', depth), 8)])
      default:
        return joined('text', 0, 11, [`${pick(['lower', 'upper', 'trim'])}(`, of, ')'])
    }
  }

  const any = (kind: Sort, depth: number): Asked => {
    if (depth <= 0 || chance() < 0.15) return atom(kind)
    if (chance() < 0.2) return chosen(kind, depth - 1)
    switch (kind) {
      case 'integer':
        if (chance() < 0.15) return cast(joined('integer', 0, 11, ['length(', any('text', depth - 1), ')']), 'bigint')
        if (parentheses && chance() < 0.15) {
          const days = joined('integer', 0, 8, [within(any('date', depth - 1), 8), ' - ', within(any('date', depth - 1), 9)])
          return cast(days, 'bigint')
        }
        return calculated(kind, depth - 1)
      case 'decimal':
        return chance() < 0.35 ? rounded(depth - 1) : calculated(kind, depth - 1)
      case 'number':
        return calculated(kind, depth - 1)
      case 'date': {
        // Casts, which only PostgreSQL needs there, would bind otherwise.
        if (!parentheses) return chosen(kind, depth - 1)
        const days = cast(within(atom('integer'), 9), 'int4')
        const from = within(any('date', depth - 1), 8)
        return pick([0, 1, 2]) === 0
          ? joined('date', 0, 8, [days, ' + ', within(from, 9)])
          : joined('date', 0, 8, [from, pick([' + ', ' - ']), days])
      }
      case 'timestamp':
        return chosen(kind, depth - 1)
      case 'flag':
        return tested(depth - 1)
      case 'text':
        return written(depth - 1)
    }
  }
  return any
}
