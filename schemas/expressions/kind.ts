/** The kinds of values that expressions have, and which of them go together, as in PostgreSQL. */

/** A field of a record is one. `null` is the literal, which takes the kind of what stands beside it. */
export type Kind =
  | { readonly kind: 'number' | 'integer' | 'date' | 'timestamp' | 'flag' | 'text' | 'null' }
  | { readonly kind: 'decimal'; readonly scale: number }

/** What a result is assigned to: a field of a record is one. */
export type Target = Kind & { readonly nullable: boolean; readonly digits?: number; readonly bytes?: number }

/** More than this behind the point is no figure of anybody's, but products of products. */
export const mostScale = 100

const numeric: readonly Kind['kind'][] = ['integer', 'decimal', 'number']
const timely: readonly Kind['kind'][] = ['date', 'timestamp']

export const isNumeric = ({ kind }: Kind): boolean => numeric.includes(kind)

/** The digits behind the point; integers have none. */
export const scaleOf = (kind: Kind): number => (kind.kind === 'decimal' ? kind.scale : 0)

/** The narrowest kind that both can become without a word: integer, decimal, number; date, timestamp. undefined where there is none. */
export function common(a: Kind, b: Kind): Kind | undefined {
  if (a.kind === 'null') return b
  if (b.kind === 'null') return a
  if (a.kind === 'decimal' && b.kind === 'decimal') return a.scale > b.scale ? a : b
  if (a.kind === b.kind) return a
  for (const row of [numeric, timely])
    if (row.includes(a.kind) && row.includes(b.kind)) return row.indexOf(a.kind) > row.indexOf(b.kind) ? a : b
  return undefined
}

const words: Readonly<Record<Kind['kind'], string>> = {
  number: 'a number',
  integer: 'an integer',
  decimal: 'a decimal',
  date: 'a date',
  timestamp: 'a timestamp',
  flag: 'a flag',
  text: 'a text',
  null: 'null',
}

export const inWords = ({ kind }: Kind): string => words[kind]
