/** The SQL columns that hold a record's fields. */
import type { SqlColumn, SqlType } from '../utilities/warehouse.ts'
import type { Field, Fields } from './record.ts'

export const sqlColumns = ({ fields }: { readonly fields: Fields }): readonly SqlColumn[] =>
  Object.entries(fields).map(([name, field]) => ({ name, type: sqlType(field) }))

const sqlTypes = { number: 'double', integer: 'bigint', date: 'date', timestamp: 'timestamp', flag: 'boolean' } as const

function sqlType(field: Field): SqlType {
  if (field.kind === 'text') return { varchar: field.bytes }
  return field.kind === 'decimal' ? { digits: field.digits, scale: field.scale } : sqlTypes[field.kind]
}
