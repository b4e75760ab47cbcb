/** The fields of a source as they are looked for in its messages, and what is learnt of how it writes them. */
import type { Field } from '../record.ts'
import type { ForeignSource } from './source.ts'

export type ForeignField = {
  /** The field's own name, and the one that it has in the source. */
  readonly own: string
  readonly name: string
  readonly field: Field
  /** In change events NaN is null, as a database has it and we have not. */
  readonly ofDatabase: boolean
  readonly timestamps: ForeignSource['timestamps']
  readonly learnt: Learnt
}

type Learnt = {
  /** What texts are that stand for decimals, where no schema tells. */
  decimals: 'base64' | 'text' | undefined
  /** Such a text was taken for a number, and might have been base64. */
  guessed: boolean
  /** A value of it has fitted before. */
  fitted: boolean
}

export const fieldsOf = ({ fields, format, timestamps, decimals }: ForeignSource): readonly ForeignField[] =>
  Object.entries(fields).map(([own, field]) => ({
    own,
    name: field.csv,
    field,
    ofDatabase: format === 'debezium',
    timestamps,
    learnt: { decimals: decimals ?? (format === 'debezium' ? undefined : 'text'), guessed: false, fitted: false },
  }))
