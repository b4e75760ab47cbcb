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
  return (await allKnown(registry)).map(([first]) => first!.definition.set)
}

/** Every version of each set, oldest first: one look for each subject. */
async function allKnown(registry: Registry): Promise<readonly (readonly Known[])[]> {
  const known = await Promise.all((await registry.subjects()).map((subject) => knownVersions(registry, subject)))
  return known.filter((versions) => versions.length > 0)
}

/** Every version that was ever released. */
export const allReleased = async (registry: Registry): Promise<readonly Definition[]> =>
  (await allKnown(registry)).flatMap((versions) => versions.map(({ definition }) => definition))

/** Those over a stream, or over any: the newest version of each. A set that went over to another stream is over both. */
export async function setsOver(registry: Registry, stream?: Stream): Promise<readonly Definition[]> {
  const newest = (await allKnown(registry)).flatMap((versions) => [
    ...new Map(versions.map(({ definition }) => [streamOf(definition.record).name, definition])).values(),
  ])
  return newest.filter(({ record }) => stream === undefined || streamOf(record).name === stream.name)
}

/** The same without what no consumer runs. */
export const streamedSets = async (registry: Registry, stream?: Stream): Promise<readonly Definition[]> =>
  (await setsOver(registry, stream)).filter(({ batchOnly }) => !batchOnly)

/** The streams that feature sets are computed over. */
export const streamsOf = (sets: readonly Pick<Definition, 'record'>[]): readonly Stream[] => [
  ...new Map(sets.map(({ record }) => streamOf(record)).map((stream) => [stream.name, stream])).values(),
]
