/** What the registry holds, and any definition in it. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { inWords } from '../feature-defs/in-words.ts'
import { definitionOf } from '../feature-defs/row-schema.ts'
import type { Json } from '../utilities/values/json.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registered, Registry } from '../utilities/registry.ts'

type SchemaShown = ReturnType<typeof inShort>

/** One with its definition where an id was asked for. */
export type Schemas = { readonly found: SchemaShown & { readonly definition: Json } } | { readonly listed: readonly SchemaShown[] }

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** `wanted` is an id or a subject; `nothingYet` says what to do in a store without any version. */
export async function listSchemas(registry: Registry, wanted: string | undefined, nothingYet: () => Promise<string>): Promise<Schemas> {
  const found = wanted !== undefined && idPattern.test(wanted) ? await registry.find(wanted.toLowerCase()) : undefined
  if (found) return { found: { ...inShort(found), definition: JSON.parse(found.definition) as Json } }
  const subjects = await registry.subjects()
  if (wanted !== undefined && !subjects.includes(wanted)) {
    const there = subjects.length > 0 && `Its subjects are ${subjects.join(', ')}; their ids: tidemark schemas`
    throw new Problem(`the registry has no subject or schema version ${wanted}`, there || `It is empty. ${await nothingYet()}`)
  }
  const listed = await Promise.all((wanted === undefined ? subjects : [wanted]).map((subject) => registry.list(subject)))
  return { listed: listed.flat().map(inShort) }
}

/** Its features in words; none where it is the schema of no feature set. */
function inShort(registered: Registered) {
  const { subject, number, id, labels } = registered
  const definition = readable(registered)
  const stated = labels['version'] === undefined ? null : Number(labels['version'])
  const features = Object.fromEntries((definition?.features ?? []).map(({ name, spec }) => [name, inWords(spec)]))
  return { subject, number, id, version: definition?.version ?? stated, live: labels['live'] ?? null, features, labels }
}

/** A look at the registry shows also what this program must not run. */
function readable({ definition }: Registered): Definition | undefined {
  try {
    return definitionOf(JSON.parse(definition))
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
