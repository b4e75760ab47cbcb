/** A feature set as a table of the Glue Data Catalog, whose columns are those of a registered schema. */
import { Problem } from '../values/problem.ts'
import type { GlueDoor } from './client.ts'
import type { Registered } from '../registry.ts'

const mark = 'tidemark.set'

/** Makes the table, or lets it follow to this version; a table that somebody else made is left alone. */
export async function showInCatalog(glue: GlueDoor, database: string, { id, subject, labels }: Registered): Promise<void> {
  // The catalog knows names in lower case only.
  const [DatabaseName, Name] = [database.toLowerCase(), subject.toLowerCase()]
  const table = {
    Name,
    Description: `Rows of the feature set ${subject} as they stand on outflow, in the newest version that is being computed.`,
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      classification: 'avro',
      [mark]: subject,
      ...(labels['version'] !== undefined && { 'tidemark.version': labels['version'] }),
    },
    StorageDescriptor: { Columns: [], SchemaReference: { SchemaVersionId: id } },
  }
  const found = await glue.ask('getTable', { DatabaseName, Name }, 'missing')
  if (found !== 'missing') {
    const { Parameters = {}, StorageDescriptor: stored } = found.Table!
    if (Parameters[mark] !== subject) throw foreign(`${DatabaseName}.${Name}`)
    if (stored?.SchemaReference?.SchemaVersionId !== id) await glue.ask('updateTable', { DatabaseName, TableInput: table })
    return
  }
  if ((await glue.ask('getDatabase', { Name: DatabaseName }, 'missing')) === 'missing') {
    await glue.ask('createDatabase', { DatabaseInput: { Name: DatabaseName, Description: 'Feature sets of Tidemark.' } }, 'exists')
  }
  // Whoever made it in the meantime meant the same.
  await glue.ask('createTable', { DatabaseName, TableInput: table }, 'exists')
}

const foreign = (table: string) =>
  new Problem(
    `the table ${table} of the catalog is not one of Tidemark's`,
    'Rename it, or choose another catalogDatabase for the registry in the config file.',
  )
