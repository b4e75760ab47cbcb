/**
 * A schema registry that speaks Confluent's API, as Apicurio and Redpanda do, too: asked for schemas by number, patiently, and never for
 * one twice.
 */
import { remembered, type ForeignSchemas } from '../foreign-schemas.ts'
import { Problem } from '../values/problem.ts'
import { openDoor, type Door, type SchemaRegistryOptions } from './door.ts'
import { withReferences } from './references.ts'

type Reference = { readonly subject: string; readonly version: number }
type Answer = { readonly schema: string; readonly schemaType?: string; readonly references?: readonly Reference[] }

/** A chain of references that comes to no end is a fault of the registry. */
const mostReferences = 500

/** `pace` makes every pause that much shorter: for tests. Opening asks nothing. */
export function openSchemaRegistry(
  options: SchemaRegistryOptions,
  { pace = 1, nowMs = () => performance.now() }: { readonly pace?: number; readonly nowMs?: () => number } = {},
): ForeignSchemas {
  const door = openDoor(options, pace)
  return remembered(async (id) => {
    const answer = answerOf(door, await door.ask(`/schemas/ids/${id}`))
    if (answer === undefined || (answer.schemaType ?? 'AVRO') !== 'AVRO') return undefined
    const others = await referencesOf(door, answer)
    return others && withReferences(answer.schema, others)
  }, nowMs)
}

/** The texts of all that it refers to, by way of others too; undefined when one is not there. */
async function referencesOf(door: Door, { references = [] }: Answer): Promise<readonly string[] | undefined> {
  const texts = new Map<string, string>()
  const open = [...references]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // What was deleted by its owner is still there for those who refer to it.
    const path = `/subjects/${encodeURIComponent(next.subject)}/versions/${next.version}?deleted=true`
    if (texts.has(path)) continue
    if (texts.size >= mostReferences)
      throw new Problem(
        `a schema in the schema registry at ${door.place} refers to more than ${mostReferences} others`,
        'Look at its references.',
      )
    const answer = answerOf(door, await door.ask(path))
    if (answer === undefined) return undefined
    texts.set(path, answer.schema)
    open.push(...(answer.references ?? []))
  }
  return [...texts.values()]
}

function answerOf(door: Door, answer: unknown): Answer | undefined {
  if (answer === undefined || isAnswer(answer)) return answer
  throw door.stranger('it gives no schema')
}

function isAnswer(answer: unknown): answer is Answer {
  const { schema, schemaType, references } = (answer ?? {}) as Partial<Answer>
  const isReference = (one: unknown) => {
    const { subject, version } = (one ?? {}) as Partial<Reference>
    return typeof subject === 'string' && Number.isInteger(version)
  }
  return (
    typeof schema === 'string' &&
    (schemaType === undefined || schemaType === null || typeof schemaType === 'string') &&
    (references === undefined || references === null || (Array.isArray(references) && references.every(isReference)))
  )
}
