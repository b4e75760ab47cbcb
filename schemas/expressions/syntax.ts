/** Expressions as they are written: the words of PostgreSQL that are taken, and where in the text each stands. */
import { Problem } from '../../utilities/values/problem.ts'

export type Place = { readonly from: number; readonly to: number }

export type Syntax = Place &
  (
    | { readonly form: 'column'; readonly name: string; readonly quoted: boolean }
    /** Digits, perhaps with a sign and a point. */
    | { readonly form: 'figure'; readonly text: string }
    | { readonly form: 'text' | 'date' | 'timestamp'; readonly text: string }
    | { readonly form: 'flag'; readonly value: boolean }
    | { readonly form: 'null' }
    /** An operator or a function. */
    | { readonly form: 'call'; readonly word: string; readonly args: readonly Syntax[] }
    | { readonly form: 'case'; readonly of: Syntax | null; readonly whens: readonly When[]; readonly otherwise: Syntax | null }
  )
export type When = { readonly when: Syntax; readonly value: Syntax }

/** Refuses what stands at a place. */
export type Refuse = (place: Place, what: string, todo: string) => never

/** `label` is the field whose expression it is. */
export const refuseIn =
  (label: string, text: string): Refuse =>
  ({ from, to }, what, todo) => {
    const found = text.slice(from, to).trim()
    throw new Problem(`${label}: sql '${text}': ${found === '' ? 'at the end' : `${found}, at character ${from + 1}`}: ${what}`, todo)
  }

export const grammar =
  'There are columns, literals, + - *, round(x / y, d), comparisons, and, or, not, in, between, is null, like, case, coalesce, ' +
  'nullif, abs, lower, upper, trim, substr, length and ||.'
