/** A schema that names types of others becomes one text: each is written out where it is used first, as Avro itself would have it. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
type Named = { readonly schema: { readonly [name: string]: Json }; readonly namespace: string }

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const kindsWithNames = new Set<Json | undefined>(['record', 'error', 'enum', 'fixed'])

/** `references` are the texts of the schemas that it refers to, by way of others too, in any order. */
export function withReferences(text: string, references: readonly string[]): string {
  if (references.length === 0) return text
  try {
    const elsewhere = new Map<string, Named>()
    for (const one of references) collect(JSON.parse(one) as Json, '', elsewhere)
    return JSON.stringify(written(JSON.parse(text) as Json, '', elsewhere, new Set()))
  } catch {
    // What is no JSON, or nested without end, is no schema either, as whoever reads it says.
    return text
  }
}

const isObject = (schema: Json | undefined): schema is { readonly [name: string]: Json } =>
  typeof schema === 'object' && schema !== null && !Array.isArray(schema)

/** Every type that has a name. */
function collect(schema: Json | undefined, namespace: string, into: Map<string, Named>): void {
  if (Array.isArray(schema)) return schema.forEach((one) => collect(one as Json, namespace, into))
  if (!isObject(schema)) return
  if (!kindsWithNames.has(schema['type'])) return ['type', 'items', 'values'].forEach((part) => collect(schema[part], namespace, into))
  const [name, own] = nameOf(schema, namespace)
  if (!into.has(name)) into.set(name, { schema, namespace: own })
  for (const field of fieldsOf(schema)) collect(field['type'], own, into)
}

function written(schema: Json, namespace: string, elsewhere: ReadonlyMap<string, Named>, defined: Set<string>): Json {
  const deeper = (one: Json, inside = namespace) => written(one, inside, elsewhere, defined)
  if (typeof schema === 'string') {
    if (primitives.has(schema)) return schema
    const name = [full(schema, namespace), schema].find((one) => defined.has(one) || elsewhere.has(one))
    if (name === undefined || defined.has(name)) return name ?? schema
    const definition = elsewhere.get(name)!
    return deeper({ ...definition.schema, name, namespace: '' })
  }
  if (Array.isArray(schema)) return schema.map((one: Json) => deeper(one))
  if (!isObject(schema)) return schema
  if (!kindsWithNames.has(schema['type'])) {
    const parts = ['type', 'items', 'values'].filter((part) => schema[part] !== undefined)
    return { ...schema, ...Object.fromEntries(parts.map((part) => [part, deeper(schema[part]!)])) }
  }
  const [name, own] = nameOf(schema, namespace)
  if (defined.has(name)) return name
  defined.add(name)
  const { fields, ...rest } = schema
  return {
    ...rest,
    name,
    // Else a name without one would take the namespace of what is around it.
    ...(name.includes('.') ? {} : { namespace: '' }),
    ...(fields === undefined
      ? {}
      : { fields: fieldsOf(schema).map((field) => ({ ...field, type: deeper(field['type'] ?? 'null', own) })) }),
  }
}

const fieldsOf = (schema: { readonly [name: string]: Json }) =>
  (Array.isArray(schema['fields']) ? (schema['fields'] as readonly Json[]) : []).filter(isObject)

/** With the namespace that names within it have. */
function nameOf(
  { name: own, namespace: said }: { readonly [name: string]: Json },
  around: string,
): readonly [name: string, namespace: string] {
  const name = full(typeof own === 'string' ? own : '', typeof said === 'string' ? said : around)
  return [name, name.slice(0, Math.max(0, name.lastIndexOf('.')))]
}

const full = (name: string, namespace: string) => (name.includes('.') || namespace === '' ? name : `${namespace}.${name}`)
