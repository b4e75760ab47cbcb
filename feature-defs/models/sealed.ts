/** Definitions that say of each model which file it is, to the last bit, and which version of the runtime computes it. */
import type { Definition, NamedFeature } from '../feature-set.ts'
import { isModel, modelRuntime, type ModelSpec } from './model.ts'

/** Where the file lies, if it is there, and its checksum. */
export type FoundModel = { readonly path?: string; readonly sha256: string }

export async function sealed(definition: Definition, find: (spec: ModelSpec, feature: string) => Promise<FoundModel>): Promise<Definition> {
  if (!definition.features.some(({ spec }) => isModel(spec))) return definition
  const features = await Promise.all(
    definition.features.map(async (feature): Promise<NamedFeature> => {
      const { name, spec } = feature
      if (!isModel(spec)) return feature
      const { sha256, path } = await find(spec, name)
      return { name, spec: { ...spec, sha256, runtime: spec.runtime ?? modelRuntime }, ...(path !== undefined && { path }) }
    }),
  )
  return { ...definition, features }
}
