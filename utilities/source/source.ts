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
  /** Reads it through once: checksum, and a Problem when it is missing, is not the gzip it says it is, or ends too early. */
  identify(signal?: AbortSignal): Promise<SourceIdentity>
  /** The text's bytes, unpacked, from the start. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>
}
