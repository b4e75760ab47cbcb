/** The registry: Avro schemas under a subject, each version immutable, found again by the id that every message carries. */
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

export interface Registry {
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
