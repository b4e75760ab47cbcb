/** A training set that is made again from its manifest: what must be as it was, before and after. */
import { label } from '../feature-defs/feature-set.ts'
import type { Cut, Manifest } from './training-manifest.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { PromotionAt } from '../versions/promotions.ts'
import type { Cuts } from './rows-there.ts'

export const cutsOf = ({ sets }: Manifest): Cuts =>
  new Map(sets.flatMap(({ set, cut }) => cut.map(({ version, lastSeq }) => [label({ set, version }), lastSeq] as const)))

/** Those of then: what was promoted since makes no difference. */
export const promotionsThen = ({ sets }: Manifest, set: string): readonly PromotionAt[] =>
  sets.find((one) => one.set === set)?.promotions ?? []

export function checkLabels(
  { labels }: Manifest,
  { sha256, file }: Manifest['labels'] | { readonly sha256: string; readonly file: string },
): void {
  if (sha256 !== labels.sha256)
    throw new Problem(
      `${file} is not the file of labels that it was made of`,
      'Give that file with --labels: its checksum is in the manifest.',
    )
}

/** Says what is another one now, if anything is. */
export function checkSame(was: Manifest, is: Manifest): void {
  for (const [i, { set, cut }] of was.sets.entries()) {
    for (const [j, one] of cut.entries()) checkCut(label({ set, version: one.version }), one, is.sets[i]!.cut[j])
  }
  if (is.out.sha256 === was.out.sha256) return
  throw new Problem(
    `${is.out.file} is not what ${was.out.file} was: values of the rows were changed since, or computed again`,
    'To see which, compare both files; tidemark verify tells whether rows are what their version computes.',
  )
}

function checkCut(name: string, was: Cut, is: Cut | undefined): void {
  if (is?.definition !== was.definition)
    throw new Problem(`${name} is not defined as it was`, 'Its rows are others: make a new training set.')
  if (is.rows === was.rows) return
  throw new Problem(
    `${name} has ${is.rows} rows up to _seq ${was.lastSeq}, and had ${was.rows}`,
    'Rows came or went since (a sink was behind, or they were removed): the file was made of what there is now.',
  )
}
