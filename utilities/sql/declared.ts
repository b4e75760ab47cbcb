/** The types of columns as each dialect declares them, and back. */
import type { SqlColumn, SqlType } from '../warehouse.ts'

export type Dialect = 'sqlite' | 'redshift'

/** A column of a rows table, with the type it was declared with. */
export type StoredColumn = { readonly name: string; readonly type: string }

/**
 * SQLite reads from a type's name how values are compared. A plain DATE or TIMESTAMP would make it compare them as numbers, and
 * `application_date >= '2008'` hold for every row; a plain DECIMAL would make whole ones integers, and dividing them lose what is behind
 * the point (docs/decisions/0021).
 */
const names: { readonly [type in Exclude<SqlType, object>]: { readonly [dialect in Dialect]: string } } = {
  double: { sqlite: 'DOUBLE PRECISION', redshift: 'DOUBLE PRECISION' },
  integer: { sqlite: 'INTEGER', redshift: 'INTEGER' },
  bigint: { sqlite: 'BIGINT', redshift: 'BIGINT' },
  date: { sqlite: 'DATE TEXT', redshift: 'DATE' },
  timestamp: { sqlite: 'TIMESTAMP TEXT', redshift: 'TIMESTAMP' },
  boolean: { sqlite: 'BOOLEAN', redshift: 'BOOLEAN' },
}
/** A double holds so many digits whatever they are. */
export const digitsOfDouble = 15
export const exactPrefix = '_exact_'

/** The columns of the rows table that hold one of a record or a feature: SQLite needs a second one for decimals of many digits. */
export const columnsFor = (target: { readonly dialect: Dialect }, { name, type }: SqlColumn): readonly StoredColumn[] => {
  const own = { name, type: typeText(target, type) }
  const isLong = target.dialect === 'sqlite' && typeof type === 'object' && 'digits' in type && type.digits > digitsOfDouble
  return isLong ? [own, { name: exactPrefix + name, type: 'TEXT' }] : [own]
}

const decimalName = { sqlite: 'DECIMAL REAL', redshift: 'NUMERIC' } as const

function typeText({ dialect }: { readonly dialect: Dialect }, type: SqlType): string {
  if (typeof type === 'string') return names[type][dialect]
  if ('digits' in type) return `${decimalName[dialect]}(${type.digits}, ${type.scale})`
  if (!Number.isInteger(type.varchar) || type.varchar < 1 || type.varchar > 65535) throw new RangeError(`VARCHAR(${type.varchar})`)
  return `VARCHAR(${type.varchar})`
}

const byName = new Map(Object.entries(names).flatMap(([type, { sqlite, redshift }]) => [sqlite, redshift].map((name) => [name, type])))

/** What `typeText` declared so; any other is a text. */
function typeOf(declared: string): SqlType {
  const [, name = declared, digits, scale] = /^([A-Z ]+)\((\d+)(?:, ?(\d+))?\)$/.exec(declared) ?? []
  if (Object.values(decimalName).some((one) => one === name)) return { digits: Number(digits), scale: Number(scale ?? 0) }
  return (byName.get(name) as SqlType | undefined) ?? { varchar: Number(digits ?? 65535) }
}

export const columnOfStored = ({ name, type }: StoredColumn): SqlColumn => ({ name, type: typeOf(type) })
