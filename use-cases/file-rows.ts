/** What became of the rows of a file, in figures that add up to what was read. */
import { ofYears, type Years } from '../schemas/csv/selection.ts'
import { count } from '../utilities/values/digits.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { RejectsFile } from '../utilities/files/rejects.ts'

export type Figures = {
  readonly rows: number
  /** Taken before. */
  readonly there: number
  readonly rejected: number
  readonly rejectedBefore: number
  readonly notChosen: number
  readonly interrupted: boolean
}

/** Where lines that cannot be read are kept. */
export type Rejecting = { readonly rejects: (name: string) => RejectsFile; readonly rejectsPath: (name: string) => string }

export const readOf = ({ rows, there, rejected, rejectedBefore, notChosen }: Figures): number =>
  rows + there + rejected + rejectedBefore + notChosen

export const linesText = (number: number) => `${count(number)} ${number === 1 ? 'line' : 'lines'}`

/** Refuses what took nothing because nothing could be taken: the years may be right, and the file another one. */
export function refuseNothing(file: string, years: Years, figures: Figures, rejects: string | null): void {
  const { rows, there, rejected, rejectedBefore, interrupted } = figures
  if (rows + there > 0 || interrupted) return
  if (rejected > 0) {
    const all = `none of the ${count(readOf(figures))} rows of ${file} could be taken`
    const chosen = ofYears(years)
    const lines = `${linesText(rejected)}${chosen && ` that may be${chosen}`}`
    const what = `${all}: ${lines} ${rejected === 1 ? 'was' : 'were'} rejected`
    const kept = rejects !== null && `See why in ${rejects}; correct the file, or name the right one.`
    throw new Problem(what, kept || 'See why with --strict, which names the first of them.')
  }
  if (rejectedBefore > 0) return
  const chosen = ofYears(years)
  throw new Problem(
    `${file} has no row${chosen}`,
    chosen ? 'Choose years that it has.' : 'Check that it is the right file: it has a header and nothing else.',
  )
}
