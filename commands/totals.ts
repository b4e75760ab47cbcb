/** What became of the rows of a file, in words. */
import { linesText, readOf, type Figures } from '../use-cases/file-rows.ts'
import type { NoNumbers } from '../feature-defs/models/no-numbers.ts'
import { count } from '../utilities/values/digits.ts'

/** What became of the rows taken, where the others are, and what to do when it was interrupted. */
type Words = {
  readonly took: string
  readonly rejects: string | null
  readonly goOn: string
  /** Of the rows, those that a version cannot read and another can. */
  readonly unread?: readonly { readonly name: string; readonly rows: number }[]
  readonly beyond?: number
  readonly noNumbers?: NoNumbers
}

export function totalsText(figures: Figures, { took, rejects, goOn, unread = [], beyond = 0, noNumbers }: Words): string {
  const { rows, there, rejected, rejectedBefore, notChosen, interrupted } = figures
  return [
    rows > 0 ? took : 'nothing new',
    ...unread.map(({ name, rows: some }) => `${count(some)} of them cannot be read by ${name}, which has no rows for them, see ${rejects}`),
    ...beyondText(beyond),
    ...noNumbersText(noNumbers),
    ...(there > 0 ? [`${count(there)} were there already`] : []),
    ...(rejected > 0 ? [`${linesText(rejected)} rejected, see ${rejects}`] : []),
    ...(rejectedBefore > 0 ? [`${linesText(rejectedBefore)} rejected before`] : []),
    ...(notChosen > 0 ? [`${count(notChosen)} of other years`] : []),
    `${count(readOf(figures))} rows read`,
    ...(interrupted ? [`interrupted: ${goOn}`] : []),
  ].join('; ')
}

/** Of features of integers and decimals. */
export const beyondText = (beyond: number): readonly string[] =>
  beyond > 0 ? [`${count(beyond)} value${beyond === 1 ? '' : 's'} null for having more digits than there is room for`] : []

export const noNumbersText = (found: NoNumbers = {}): readonly string[] =>
  Object.entries(found).flatMap(([version, features]) =>
    Object.entries(features).map(([name, rows]) => `${name} of ${version} null in ${count(rows)} rows: its model gave no number`),
  )
