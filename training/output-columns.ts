/**
 * The columns of a training set: the label's own, then the features in the order in which they were asked for, then what is said beside.
 */
import { sqlType } from '../schemas/sql.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'
import type { Answers } from './answers.ts'
import type { AskedSet } from './asked.ts'
import type { Labels } from './labels.ts'
import type { Column } from '../utilities/values/columns.ts'

/** A feature by its set's place among those asked for. */
export type AskedColumn = { readonly set: number; readonly feature: string }
export type Beside = 'version' | 'age'

/** A column that is put behind the labels', and where its values come from. */
export type OutputColumn = SqlColumn & {
  readonly set: number
  /** undefined for what is said beside the features. */
  readonly feature?: string
  readonly of: (answers: Answers, from: number, end: number) => Column
}

/**
 * A feature has its own name where no other column has it, and else that of its set before it: SET__FEATURE, of two versions of one set
 * SET_vN__FEATURE.
 */
export function outputColumns(
  { columns }: Labels,
  sets: readonly AskedSet[],
  asked: readonly AskedColumn[],
  beside: readonly Beside[],
): readonly OutputColumn[] {
  const own = columns.map(({ name }) => name)
  const nameOf = ({ set, version }: AskedSet) => (sets.filter((one) => one.set === set).length > 1 ? `${set}_v${version}` : set)
  const features = asked.map(({ set, feature }): OutputColumn => {
    const of = sets[set]!
    const isAlone = !own.includes(feature) && asked.filter((one) => one.feature === feature).length === 1
    const { type } = of.features.find(({ name }) => name === feature)!
    return {
      name: isAlone ? feature : `${nameOf(of)}__${feature}`,
      type: sqlType(type),
      set,
      feature,
      of: (answers, from, end) => answers.feature(feature, from, end),
    }
  })
  const said = sets.flatMap((one, set) =>
    beside.map((what): OutputColumn => ({
      name: `${nameOf(one)}__${what}`,
      type: what === 'version' ? 'integer' : 'double',
      set,
      of: (answers, from, end) => answers[what](from, end),
    })),
  )
  const all = [...features, ...said]
  const taken = all.find(({ name }, i) => own.includes(name) || all.findIndex((one) => one.name === name) < i)
  if (taken)
    throw new Problem(`two columns of the training set would be called ${taken.name}`, 'Give that column of the labels another name.', {
      usage: true,
    })
  return all
}
