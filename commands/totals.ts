/** What became of the rows of a file, in figures that add up to what was read. */
import { yearsText, type Years } from '../schemas/selection.ts'
import { Problem } from '../utilities/problem.ts'
import { count } from './console.ts'

export type Totals = {
  readonly rows: number
  readonly there: number
  readonly rejected: number
  readonly rejectedBefore?: number
  /** Of the rows, those that a version cannot read and another can. */
  readonly unread?: readonly { readonly name: string; readonly rows: number }[]
  readonly notChosen: number
  readonly interrupted: boolean
}

export const readOf = ({ rows, there, rejected, rejectedBefore = 0, notChosen }: Totals): number => rows + there + rejected + rejectedBefore + notChosen

/** `took` says what became of the rows taken, `rejects` where the others are, `goOn` what to do when it was interrupted. */
export function totalsText(totals: Totals, { took, rejects, goOn }: { readonly took: string; readonly rejects: string; readonly goOn: string }): string {
  const { rows, there, rejected, rejectedBefore = 0, unread = [], notChosen, interrupted } = totals
  return [
    rows > 0 ? took : 'nothing new',
    ...unread.map(({ name, rows: some }) => `${count(some)} of them cannot be read by ${name}, which has no rows for them, see ${rejects}`),
    ...(there > 0 ? [`${count(there)} were there already`] : []),
    ...(rejected > 0 ? [`${lines(rejected)} rejected, see ${rejects}`] : []),
    ...(rejectedBefore > 0 ? [`${lines(rejectedBefore)} rejected before`] : []),
    ...(notChosen > 0 ? [`${count(notChosen)} of other years`] : []),
    `${count(readOf(totals))} rows read`,
    ...(interrupted ? [`interrupted: ${goOn}`] : []),
  ].join('; ')
}

const lines = (number: number) => `${count(number)} ${number === 1 ? 'line' : 'lines'}`

/** Refuses what took nothing because nothing could be taken: the years may be right, and the file another one. `rejects` is where the lines are kept. */
export function refuseNothing(file: string, years: Years, totals: Totals, rejects: string | null): void {
  const { rows, there, rejected, rejectedBefore = 0, interrupted } = totals
  if (rows + there > 0 || interrupted) return
  if (rejected > 0) {
    throw new Problem(`none of the ${count(readOf(totals))} rows of ${file} could be taken: ${lines(rejected)} that may be of ${yearsText(years)} ${rejected === 1 ? 'was' : 'were'} rejected`,
      rejects === null ? 'See why with --strict, which names the first of them.' : `See why in ${rejects}; correct the file, or name the right one.`)
  }
  if (rejectedBefore === 0) throw new Problem(`${file} has no row of ${yearsText(years)}`, 'Choose years that it has.')
}
