/** What became of the labels, for a person. */

import type { Manifest } from '../use-cases/training-manifest.ts'
import { count } from '../utilities/values/digits.ts'

type Outcome = keyof Manifest['sets'][number]['labels']

const words: { readonly [one in Exclude<Outcome, 'found'>]: string } = {
  noSuchKey: 'a key that has no row',
  beforeFirstLoad: 'a time before the first load',
  beforeFirstRow: "a time before their key's first row",
  tooOld: 'rows that were too old',
  beforePromotion: 'a time before any version was promoted',
}

export function trainingText({ labels, out, sets, features }: Manifest, manifest: string, again: boolean): string {
  const lines = sets.map(({ set, version, labels: found }) => {
    const without = Object.entries(words)
      .filter(([one]) => found[one as Outcome] > 0)
      .map(([one, text]) => `${count(found[one as Outcome])} had ${text}`)
    return [`${set}@${version}: ${count(found.found)} of ${labelsText(labels.rows)} have features`, ...without].join('; ')
  })
  const nulls = features.filter((one) => one.nulls > 0).map(({ column, nulls }) => `${column} ${count(nulls)}`)
  const behind = `${count(features.length)} ${features.length === 1 ? 'feature' : 'features'}`
  return [
    `wrote ${labelsText(labels.rows)} with ${behind} to ${out.file}${again ? ', the same bytes as then' : ''}`,
    ...lines,
    ...(nulls.length > 0 ? [`nulls: ${nulls.join(', ')}`] : []),
    `to make it again: tidemark training-set --from ${manifest} --out FILE`,
  ].join('\n')
}

const labelsText = (number: number) => `${count(number)} ${number === 1 ? 'label' : 'labels'}`
