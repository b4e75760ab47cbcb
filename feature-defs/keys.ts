/** Keys: a set has one running state for each value of a field, or for each combination of values of several. */
import type { Columns } from '../utilities/values/columns.ts'
import { keyTexts } from '../utilities/values/key-text.ts'

/** The field or the fields; null for one state of the whole stream. */
export type Per = string | readonly string[] | null

export const keyFields = (per: Per): readonly string[] => (per === null ? [] : typeof per === 'string' ? [per] : per)

/** One field is the same key whether it stands in a list or not. */
export const perOf = (per: Per | undefined): Per => (typeof per === 'object' && per?.length === 1 ? per[0]! : (per ?? null))

export const samePer = (one: Per, other: Per): boolean => JSON.stringify(one) === JSON.stringify(other)

export const keyWords = (per: Per, none = 'nothing'): string => keyFields(per).join(' and ') || none

/** The key of each record as text. */
export const keysOf = (columns: Columns, per: Exclude<Per, null>): string[] => keyTexts(columns, keyFields(per))
