/** A source: the file that records are read from, and what tells it from another file. */
export type SourceIdentity = {
  /** The file's name, without its folder: moving a file does not change it. */
  readonly name: string
  /** Bytes as stored. */
  readonly size: number
  readonly sha256: string
}

export interface Source {
  /** Where it is, for messages. */
  readonly place: string
  /** The checksum of the stored bytes; a Problem when the file is missing or is not the gzip that its name says. */
  identify(signal?: AbortSignal): Promise<SourceIdentity>
  /** Unpacks it to its end; a Problem when it is damaged or cut short. For whoever cannot take back what was read before the end. */
  prove(signal?: AbortSignal): Promise<void>
  /**
   * The text's bytes, unpacked, from the start; the same Problems as they are met. Once identified, exactly the bytes that were: a file may
   * grow meanwhile. Each chunk is good until the next is asked for.
   */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Its first so many stored bytes, as a source of their own: what it was before it grew. */
  first(size: number): Source
}
