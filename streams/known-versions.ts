/** The released versions of a feature set, as the registry has them: found by the definition each schema carries. */
import type { Registered, Registry } from '../utilities/registry.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { definitionOf } from '../feature-defs/row-schema.ts'

export type Known = {
  readonly definition: Definition
  /** What its rows are written with. An earlier Tidemark may have registered it, so that `rowSchema` would make another one today. */
  readonly schema: AvroSchema
  readonly registered: Registered
}

/** Oldest first. */
export async function knownVersions(registry: Registry, set: string): Promise<readonly Known[]> {
  const known = (await registry.list(set)).flatMap((registered) => {
    const schema = JSON.parse(registered.definition) as AvroSchema
    const definition = definitionOf(schema)
    return definition?.set === set ? [{ definition, schema, registered }] : []
  })
  return known.sort((a, b) => a.definition.version - b.definition.version)
}

/** Every feature set that has a released version. */
export async function knownSets(registry: Registry): Promise<readonly string[]> {
  const subjects = await registry.subjects()
  const known = await Promise.all(subjects.map(async (subject) => ((await knownVersions(registry, subject)).length > 0 ? [subject] : [])))
  return known.flat()
}
