/**
 * Rows of tables as the log's checkpoints keep them: under the row's key, what it was and what it is, and which load made it so. Until that
 * load is done, the row is what it was.
 */
import { keysOf } from '../feature-defs/keys.ts'
import { avroField, type AvroSchema } from '../schemas/avro/schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder } from '../schemas/avro/encode.ts'
import type { Table } from '../schemas/record.ts'
import { tablePrefix, type Save } from '../utilities/checkpoints.ts'
import { columnOf, pick, type Column, type Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import { message } from '../streams/dead.ts'
import { rewriter } from '../streams/rewriter.ts'
import type { IngestPlace } from './place.ts'

export const rowsName = ({ name }: Pick<Table, 'name'>) => `${tablePrefix}${name}`

const namePattern = /^[A-Za-z][A-Za-z0-9_]*$/

export function tableSchema({ name, key, fields }: Table): AvroSchema {
  const odd = Object.keys(fields).find((one) => !namePattern.test(one))
  if (odd !== undefined)
    throw new Problem(
      `table ${name}: the field name ${JSON.stringify(odd)} cannot be used`,
      "Use letters, digits and _, and { from: '…' }.",
    )
  const row = `${name}_row`
  return {
    type: 'record',
    name,
    fields: [
      { name: 'load', type: 'long' },
      {
        name: 'before',
        type: ['null', { type: 'record', name: row, fields: Object.entries(fields).map(([own, field]) => avroField(own, field)) }],
        default: null,
      },
      { name: 'after', type: ['null', row], default: null },
    ],
    tidemark: { key },
  }
}

/** A table with the schema that its rows are written with. */
export type KnownTable = { readonly table: Table; readonly registered: Registered }

/** In the order of the tables; of a `dryRun` nobody will see what is not registered yet. */
export async function registerTables(
  registry: Registry,
  tables: readonly Table[],
  { dryRun = false } = {},
): Promise<readonly KnownTable[]> {
  const known: KnownTable[] = []
  for (const table of tables) {
    const definition = JSON.stringify(tableSchema(table))
    const there = dryRun ? (await registry.list(table.name)).find((one) => one.definition === definition) : undefined
    const unseen = { id: nobody, subject: table.name, number: 0, definition, labels: {} }
    known.push({ table, registered: dryRun ? (there ?? unseen) : await registry.register(table.name, definition) })
  }
  return known
}

const nobody = '00000000-0000-0000-0000-000000000000'

/** Rows are kept under their keys. */
export function checkKeys(tables: readonly Table[], place: IngestPlace): void {
  for (const { name, key } of tables) {
    const before = place.tables[name]?.key
    if (before && before.join() !== key.join())
      throw new Problem(
        `the table ${name} was loaded by ${before.join(', ')}, and its key is ${key.join(', ')} now`,
        'Give the table with the other key a name of its own.',
      )
  }
}

/** Of rows with `before` and `after`, as `Tables.changes` gives them. */
export function rowSaves(table: Table, id: string) {
  const encode = encoder(tableSchema(table), id)
  const name = rowsName(table)
  return (changes: Columns, load: number, keys: readonly string[] = keysOf(changes, table.key)): readonly Save[] => {
    const numbers: Column = { kind: 'long', values: new BigInt64Array(changes.count).fill(BigInt(load)) }
    const batch = encode({ count: changes.count, byName: new Map([...changes.byName, ['load', numbers]]) })
    return keys.map((key, i) => ({ name, key, value: message(batch, i) }))
  }
}

/** Reads entries, whichever form of the table they were written as. */
export function rowReader(registry: Registry, table: Table, own: Registered): (values: readonly Uint8Array[]) => Promise<Columns> {
  const decode = decoder(tableSchema(table))
  const toOwn = rewriter(registry, { ...table, at: '' }, own)
  return async (values) => {
    let end = 0
    const ends = Uint32Array.from(values, ({ length }) => (end += length))
    const { batch, dead } = await toOwn({ offset: 0, next: values.length, batch: { bytes: Buffer.concat(values), ends } })
    const { columns, bad } = decode(batch, 0, values.length)
    const [first] = [...dead, ...bad]
    if (first)
      throw new Problem(
        `a row of ${table.name} in the checkpoints cannot be read: ${first.reason}`,
        'Put the log back from a copy, or load the tables into a new store.',
      )
    return columns
  }
}

/** The rows, or the keys of rows, of one of the two sides, by the names of the table's columns. */
export function sideOf(table: Table, states: Columns, side: 'before' | 'after', rows: Int32Array): Columns {
  const columns = Object.keys(table.fields).map((name): [string, Column] => [name, states.byName.get(`${side}.${name}`)!])
  return pick({ count: states.count, byName: new Map(columns) }, rows)
}

export const loadsOf = (states: Columns): BigInt64Array => columnOf(states, 'load', 'long').values
