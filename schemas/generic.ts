/** Any Avro schema, by way of avsc: parsing, resolving what others write into a schema of ours, and single values for a person to read or for rare messages. */
import { Type, types } from 'avsc'
import { Problem } from '../utilities/problem.ts'
import type { AvroSchema, AvroType } from './avro.ts'

/** The bytes are not what the writer's schema says; the message is the reason. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** The schema in this text; a Problem with the reason when there is none. */
export function parseSchema(text: string): AvroType {
  const schema = parseJson(text)
  try {
    typeOf(schema)
  } catch (cause) {
    throw new Problem(`it is not an Avro schema: ${reasonOf(cause)}`, 'Correct the schema.', { cause })
  }
  return schema
}

function parseJson(text: string): AvroType {
  try {
    return JSON.parse(text) as AvroType
  } catch (cause) {
    throw new Problem(`it is not an Avro schema: it is not JSON (${reasonOf(cause)})`, 'Correct the schema.', { cause })
  }
}

/** Why readers of one schema could not read what writers of the other write; undefined when they can. */
export function unresolvable(writer: AvroType, reader: AvroType): string | undefined {
  try {
    typeOf(reader).createResolver(typeOf(writer))
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}
