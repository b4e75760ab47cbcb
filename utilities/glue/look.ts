/** A look at the Glue registry, for the doctor: whether it answers, what these credentials may do, its settings, and the clocks. */
import type { Found, Look } from '../values/look.ts'
import { Problem } from '../values/problem.ts'
import { openGlue, type GlueDoor } from './client.ts'
import type { GlueOptions } from './registry.ts'
import { listSubjects } from './versions.ts'

type LookedAt = Pick<GlueOptions, 'region' | 'registry' | 'compatibility' | 'catalogDatabase'>

/** AWS refuses signatures that are five minutes off. */
const mostSkewMs = 60_000

export function lookAtGlue(
  options: LookedAt,
  tuning: { readonly pace?: number } = {},
): { readonly looks: readonly Look[]; readonly close: () => void } {
  const glue = openGlue(options.region, tuning)
  const { catalogDatabase } = options
  const looks: Look[] = [
    { name: 'Glue registry', needed: true, look: () => registry(glue, options) },
    { name: 'Glue permissions', needed: false, look: () => permissions(glue, options) },
    { name: 'Glue compatibility', needed: false, look: () => compatibility(glue, options) },
    ...(catalogDatabase === false ? [] : [{ name: 'Glue Data Catalog', needed: false, look: () => catalog(glue, catalogDatabase) }]),
    { name: "this machine's clock", needed: false, look: () => clock(glue) },
  ]
  return { looks, close: () => glue.close() }
}

async function registry(glue: GlueDoor, { registry: name, region }: LookedAt): Promise<Found> {
  const there = await glue.ask('getRegistry', { RegistryId: { RegistryName: name } }, 'missing')
  // Where others should see what is there already, this is how a wrong region looks.
  if (there === 'missing') return { found: `there is no registry ${name} in ${region} yet: apply makes it` }
  const count = (await listSubjects(glue, name)).length
  return { found: `${name} in ${region}, ${count} ${count === 1 ? 'schema' : 'schemas'}` }
}

/**
 * Each call is made on something that is not there, or with something that Glue must refuse: who may not make it hears so before anything
 * else.
 */
async function permissions(glue: GlueDoor, { registry: name }: LookedAt): Promise<Found> {
  const nobody = '00000000-0000-4000-8000-000000000000'
  const schema = { RegistryName: name, SchemaName: 'tidemark.doctor' }
  const metadata = { SchemaVersionId: nobody, MetadataKeyValue: { MetadataKey: 'doctor', MetadataValue: 'doctor' } }
  const unreadable = { DataFormat: 'AVRO', Compatibility: 'BACKWARD', SchemaDefinition: '{' } as const
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'glue:ListSchemas': () => glue.ask('listSchemas', { RegistryId: { RegistryName: name } }, 'missing'),
    'glue:GetSchema': () => glue.ask('getSchema', { SchemaId: schema }, 'missing'),
    'glue:ListSchemaVersions': () => glue.ask('listSchemaVersions', { SchemaId: schema }, 'missing'),
    'glue:GetSchemaVersion': () => glue.ask('getSchemaVersion', { SchemaVersionId: nobody }, 'missing'),
    'glue:CheckSchemaVersionValidity': () => glue.ask('checkSchemaVersionValidity', { DataFormat: 'AVRO', SchemaDefinition: '"long"' }),
    'glue:QuerySchemaVersionMetadata': () => glue.ask('querySchemaVersionMetadata', { SchemaVersionId: nobody }, 'missing'),
    'glue:CreateSchema': () =>
      glue.ask('createSchema', { RegistryId: { RegistryName: name }, SchemaName: schema.SchemaName, ...unreadable }, 'missing'),
    'glue:RegisterSchemaVersion': () => glue.ask('registerSchemaVersion', { SchemaId: schema, SchemaDefinition: '{' }, 'missing'),
    'glue:PutSchemaVersionMetadata': () => glue.ask('putSchemaVersionMetadata', metadata, 'missing'),
    'glue:RemoveSchemaVersionMetadata': () => glue.ask('removeSchemaVersionMetadata', metadata, 'missing'),
  }
  const denied: string[] = []
  for (const [call, make] of Object.entries(calls)) if (await isDenied(make)) denied.push(call)
  if (denied.length === 0) return { found: `${Object.keys(calls).length} calls are allowed` }
  return { found: `not allowed: ${denied.join(', ')}`, todo: 'Give these credentials the policy in docs/aws.md.' }
}

async function isDenied(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call()
    return false
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { name } = error.cause as Error
    if (name === 'InvalidInputException') return false
    if (name.startsWith('AccessDenied')) return true
    throw error
  }
}

async function compatibility(glue: GlueDoor, { registry: name, compatibility: wanted }: LookedAt): Promise<Found> {
  const others: string[] = []
  for (const subject of await listSubjects(glue, name)) {
    const schema = await glue.ask('getSchema', { SchemaId: { RegistryName: name, SchemaName: subject } }, 'missing')
    if (schema !== 'missing' && schema.Compatibility !== wanted) others.push(`${subject} is ${schema.Compatibility}`)
  }
  if (others.length === 0) return { found: wanted }
  return {
    found: others.join(', '),
    todo: `The config says ${wanted}. Change the one or the other; a schema's with: aws glue update-schema.`,
  }
}

async function catalog(glue: GlueDoor, database: string): Promise<Found> {
  const name = database.toLowerCase()
  const there = await glue.ask('getDatabase', { Name: name }, 'missing')
  return { found: there === 'missing' ? `there is no database ${name} yet: apply makes it` : `feature sets appear in ${name}` }
}

async function clock(glue: GlueDoor): Promise<Found> {
  const ahead = glue.aheadMs()
  if (ahead === undefined) return { found: 'AWS has not told the time' }
  // The server tells whole seconds.
  if (Math.abs(ahead) < 2_000) return { found: 'as that of AWS' }
  const found = `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? 'behind' : 'ahead of'} that of AWS`
  return Math.abs(ahead) < mostSkewMs
    ? { found }
    : { found, todo: 'Set it, for instance with NTP: AWS refuses requests that are minutes off.' }
}
