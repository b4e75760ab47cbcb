/** The registry: Avro schemas under a subject, each version immutable, found again by the id that every message carries. */
import { Problem } from './values/problem.ts'

export type Registered = {
  /** A UUID, as messages carry it. */
  readonly id: string
  readonly subject: string
  /** The registry's own numbering, from 1. Feature versions are found by the definition's attributes, never by this. */
  readonly number: number
  /** The schema's JSON text, as registered. */
  readonly definition: string
  readonly labels: Readonly<Record<string, string>>
}

/** Which registry it is: messages name schemas by ids that no other one knows. */
export type RegistryIdentity = {
  readonly id: string
  /** Where it is, for a person. */
  readonly place: string
}

export interface Registry {
  /** The same for all who open it, for ever, and for no other registry. */
  identity(): Promise<RegistryIdentity>
  /** The same definition gives the same version again. A Problem with the reasons when it is incompatible; nothing is registered then. */
  register(subject: string, definition: string): Promise<Registered>
  /** Why it could not be registered; nothing when it could. Nothing is changed. */
  reasonsAgainst(subject: string, definition: string): Promise<readonly string[]>
  find(id: string): Promise<Registered | undefined>
  /** Oldest first; empty when the subject is unknown. */
  list(subject: string): Promise<readonly Registered[]>
  subjects(): Promise<readonly string[]>
  /** Sets these labels, keeping the others. At most 10 a version, values of at most 128 characters. */
  label(id: string, labels: Readonly<Record<string, string>>): Promise<void>
  /** Puts a lost version back under the id that messages name; missing where the registry gives every version an id of its own. */
  restore?(lost: Pick<Registered, 'id' | 'subject' | 'definition'>): Promise<void>
  close(): Promise<void>
}

/** Reasons why readers and writers of the new schema and the old ones could not understand each other; none when they can. */
export type Incompatibility = (definition: string, earlier: readonly string[]) => readonly string[]

/** Of a definition that is not there already. */
export const reasonsAgainst = (incompatibility: Incompatibility, definition: string, earlier: readonly Registered[]): readonly string[] => {
  const definitions = earlier.map((one) => one.definition)
  return definitions.includes(definition) ? [] : incompatibility(definition, definitions)
}

export const incompatible = (subject: string, reasons: readonly string[]) =>
  new Problem(
    `the schema is not compatible with the earlier ones of ${subject}: ${reasons.join('; ')}`,
    'Nothing was registered; change the definition so that both can be read.',
  )

const mostLabels = 10
const longestLabel = 128

/** The labels of a version with these set; a Problem when there is no such version, or when they are too many or too long. */
export function labelled(id: string, version: Registered | undefined, labels: Registered['labels']): Registered['labels'] {
  if (!version) throw new Problem(`the registry holds no schema ${id}`, 'Run: tidemark schemas, to see which there are.')
  const all = { ...version.labels, ...labels }
  const long = Object.keys(labels).find((name) => labels[name]!.length > longestLabel)
  if (long !== undefined) throw new Problem(`the label ${long} has more than ${longestLabel} characters`, 'Use a shorter text.')
  if (Object.keys(all).length <= mostLabels) return all
  throw new Problem(`schema ${id} would have more than ${mostLabels} labels`, 'Use fewer of them.')
}
