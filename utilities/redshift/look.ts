/**
 * A look at Redshift, for the doctor: whether it answers, as whom, what that user may do in the schema, and whether the staging bucket can
 * be listed.
 */
import type { Found, Look } from '../values/look.ts'
import { Problem } from '../values/problem.ts'
import { asProblem } from './trouble.ts'
import { openBucket } from './bucket.ts'
import { openRedshiftWarehouse, type RedshiftOptions } from './warehouse.ts'
import type { Warehouse } from '../warehouse.ts'

export function lookAtRedshift(options: RedshiftOptions): readonly Look[] {
  const { staging } = options
  return [
    { name: 'Redshift', needed: true, look: () => warehouse(options) },
    ...(staging ? [{ name: 'staging bucket', needed: false, look: () => bucket(options, staging) }] : []),
  ]
}

async function warehouse(options: RedshiftOptions): Promise<Found> {
  const opened = await openRedshiftWarehouse(options, () => {})
  try {
    const [user, version] = await only(opened, 'SELECT current_user, version()')
    const { database, schema } = options
    const [there] = await only(opened, `SELECT count(*) FROM pg_namespace WHERE nspname = '${schema}'`)
    const service = /Redshift [\d.]+/.exec(String(version))?.[0] ?? String(version).split(/[ ,(]/, 2).join(' ')
    const found = `${service}, database ${database}, user ${user}`
    if (Number(there) === 0) {
      const [mayMake] = await only(opened, `SELECT has_database_privilege(current_database(), 'create')`)
      const missing = `${found}; there is no schema ${schema} yet`
      return mayBe(mayMake)
        ? { found: `${missing}: apply makes it` }
        : { found: missing, todo: `Make it: CREATE SCHEMA ${schema}; and let this user create tables in it.` }
    }
    const [mayCreate] = await only(opened, `SELECT has_schema_privilege('${schema}', 'create')`)
    return mayBe(mayCreate)
      ? { found: `${found}, schema ${schema}` }
      : {
          found: `${found}; it may not create tables in the schema ${schema}`,
          todo: `GRANT CREATE, USAGE ON SCHEMA ${schema} to this user.`,
        }
  } finally {
    await opened.close()
  }
}

const only = async (opened: Warehouse, sql: string) => (await opened.query(sql)).rows[0] ?? []

const mayBe = (answer: unknown) => /^(t|true|1)$/i.test(String(answer))

async function bucket(options: RedshiftOptions, { bucket: name, prefix }: NonNullable<RedshiftOptions['staging']>): Promise<Found> {
  const opened = openBucket(options.region, name)
  try {
    for await (const _ of opened.list(`${prefix.replace(/^\/+|\/+$/g, '')}/tidemark-staging/`.replace(/^\//, ''))) break
    return { found: `${name} can be listed; whether it may be written to, and read by Redshift, shows at the first load` }
  } catch (error) {
    const told = asProblem(error, options)
    throw told instanceof Problem ? told : error
  } finally {
    opened.close()
  }
}
