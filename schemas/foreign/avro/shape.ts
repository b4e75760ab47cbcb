/**
 * The schema by which others wrote a message, as a tree to read by. It is taken as leniently as Java takes it: what only a reader would
 * need, such as defaults, is not looked at.
 */
import { Unreadable } from '../../avro/generic.ts'

type Attributes = { readonly [name: string]: unknown }

export type Shape = {
  /** What the schema says of it besides: logical types, and what Kafka Connect calls it. */
  readonly attributes: Attributes
} & (
  | { readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string' }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'union'; readonly branches: readonly Shape[] }
  | { readonly kind: 'array' | 'map'; readonly items: Shape }
  | { readonly kind: 'record'; readonly fields: readonly { readonly name: string; readonly shape: Shape }[] }
)

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const
type Primitive = (typeof primitives)[number]
const isPrimitive = (name: string): name is Primitive => (primitives as readonly string[]).includes(name)

const deepest = 100
const largestFixed = 16 * 1024 * 1024

type Around = { readonly namespace: string; readonly depth: number; readonly named: Map<string, Shape> }

/** Throws Unreadable with the reason when the text is no Avro schema. */
export function shapeOf(text: string): Shape {
  let schema: unknown
  try {
    schema = JSON.parse(text)
  } catch {
    throw new Unreadable('it is not JSON')
  }
  return shaped(schema, { namespace: '', depth: 0, named: new Map() })
}

function shaped(schema: unknown, around: Around): Shape {
  if (around.depth > deepest) throw new Unreadable(`it is deeper than ${deepest} levels`)
  const inside = { ...around, depth: around.depth + 1 }
  if (typeof schema === 'string') return ofName(schema, around)
  if (Array.isArray(schema)) return { kind: 'union', branches: schema.map((one: unknown) => shaped(one, inside)), attributes: {} }
  if (typeof schema !== 'object' || schema === null) throw new Unreadable(`${JSON.stringify(schema)} is no type`)
  const { type, ...attributes } = schema as { readonly type?: unknown; readonly [name: string]: unknown }
  switch (type) {
    case 'array':
      return { kind: type, items: shaped(attributes['items'], inside), attributes }
    case 'map':
      return { kind: type, items: shaped(attributes['values'], inside), attributes }
    case 'fixed':
    case 'enum':
    case 'record':
    case 'error':
      return define(type, attributes, inside)
    default: {
      const one = shaped(type, inside)
      return { ...one, attributes: { ...one.attributes, ...attributes } }
    }
  }
}

function ofName(name: string, { namespace, named }: Around): Shape {
  if (isPrimitive(name)) return { kind: name, attributes: {} }
  const found = (name.includes('.') ? undefined : named.get(`${namespace}.${name}`)) ?? named.get(name)
  if (!found) throw new Unreadable(`it names a type ${JSON.stringify(name)} that it does not have`)
  return found
}

function define(kind: 'fixed' | 'enum' | 'record' | 'error', attributes: Attributes, around: Around): Shape {
  const { name, namespace } = fullName(attributes, around.namespace)
  if (around.named.has(name)) throw new Unreadable(`it has two types ${name}`)
  switch (kind) {
    case 'fixed': {
      const size = attributes['size']
      if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > largestFixed)
        throw new Unreadable(`the size of ${name} is ${JSON.stringify(size)}`)
      return known(around, name, { kind, size: size as number, attributes })
    }
    case 'enum': {
      const symbols = attributes['symbols']
      if (!Array.isArray(symbols) || !symbols.every((one) => typeof one === 'string')) throw new Unreadable(`${name} has no symbols`)
      return known(around, name, { kind, symbols, attributes })
    }
    case 'record':
    case 'error': {
      if (!Array.isArray(attributes['fields'])) throw new Unreadable(`${name} has no fields`)
      const fields: { name: string; shape: Shape }[] = []
      // Its fields may name the record itself, so it is known before they are read.
      const record = known(around, name, { kind: 'record', fields, attributes })
      for (const field of attributes['fields'] as readonly unknown[]) {
        const { name: own, type } = (field ?? {}) as { readonly name?: unknown; readonly type?: unknown }
        if (typeof own !== 'string') throw new Unreadable(`a field of ${name} has no name`)
        fields.push({ name: own, shape: shaped(type, { ...around, namespace }) })
      }
      return record
    }
  }
}

function known<S extends Shape>({ named }: Around, name: string, shape: S): S {
  named.set(name, shape)
  return shape
}

/** And the namespace of the names within it. */
function fullName({ name, namespace: said }: Attributes, around: string): { readonly name: string; readonly namespace: string } {
  if (typeof name !== 'string' || name === '') throw new Unreadable('a type has no name')
  const namespace = typeof said === 'string' ? said : around
  const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
  return { name: full, namespace: full.slice(0, Math.max(0, full.lastIndexOf('.'))) }
}
