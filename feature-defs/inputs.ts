/** What an engine reads of a batch of records: the columns of the fields that features are made of. */
import type { RecordSchema } from '../schemas/record.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { daysOf } from '../utilities/values/days.ts'
import type { OperatorSpec } from './define-operator.ts'
import type { Definition } from './feature-set.ts'
import { keyFields, keysOf } from './keys.ts'
import { isModel } from './models/model.ts'
import { wholesIn } from './values.ts'
import type { Times } from './windows/reach.ts'

/** The columns are by field: at least those that features are of. */
export type Inputs = Times & {
  readonly count: number
  readonly byName: ReadonlyMap<string, Column>
  /** The key of each record, when the definition is `per` something. */
  readonly keys?: readonly string[]
}

/** The fields that the engine of this version reads. */
export const fieldsRead = ({ record, per, features }: Definition): readonly string[] => [
  ...new Set([record.at, ...keyFields(per), ...features.flatMap(({ spec }) => fieldsOf(spec, record))]),
]

function fieldsOf(spec: OperatorSpec, { fields }: RecordSchema): readonly string[] {
  const { of, when } = spec
  if (isModel(spec)) return spec.inputs.filter((input) => Object.hasOwn(fields, input))
  return typeof when === 'string' ? [of, when] : [of]
}

export function inputsOf({ record, per }: Definition, columns: Columns): Inputs {
  const { count, byName } = columns
  const at = byName.get(record.at)
  const times = { days: daysOf(columns, record.at), ...(at?.kind === 'timestamp' && { micros: wholesIn(at) }) }
  return { count, byName, ...times, ...(per !== null && { keys: keysOf(columns, per) }) }
}
