/** The SQL columns that hold a record's fields. */
import type { SqlColumn, SqlType } from '../utilities/warehouse.ts'
import type { Field, Fields } from './record.ts'

export const sqlColumns = ({ fields }: { readonly fields: Fields }): readonly SqlColumn[] =>
  Object.entries(fields).map(([name, field]) => ({ name, type: sqlType(field) }))

function sqlType(field: Field): SqlType {
  switch (field.kind) {
    case 'number':
      return 'double'
    case 'date':
      return 'date'
    case 'text':
      return { varchar: field.bytes }
  }
}
