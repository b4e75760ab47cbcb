/** The released versions of a feature set, as the registry has them: found by the definition each schema carries. */
import type { Registered, Registry } from '../utilities/registry.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { definitionOf } from '../feature-defs/row-schema.ts'
import { streamOf, type Stream } from './stream.ts'

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

/** Those over the record of a stream, or of any: the newest version of each. */
export async function setsOver(registry: Registry, stream?: Stream): Promise<readonly Definition[]> {
  const sets = await knownSets(registry)
  const newest = await Promise.all(sets.map(async (set) => (await knownVersions(registry, set)).at(-1)!.definition))
  return newest.filter(({ record }) => stream === undefined || record.name === stream.name)
}

/** The same without what no consumer runs. */
export const streamedSets = async (registry: Registry, stream?: Stream): Promise<readonly Definition[]> =>
  (await setsOver(registry, stream)).filter(({ batchOnly }) => !batchOnly)

/** The streams that feature sets are computed over. */
export const streamsOf = (sets: readonly Definition[]): readonly Stream[] => [
  ...new Map(sets.map(({ record }) => [record.name, streamOf(record)])).values(),
]
