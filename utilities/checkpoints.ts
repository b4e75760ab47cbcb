/** Checkpoints: named maps of small values, written only through a log's commit, so that rows and position are saved together. */
export type Save = {
  readonly name: string
  readonly key: string
  /** null removes the entry. */
  readonly value: Uint8Array | null
}

/**
 * Names that begin so hold the rows of a table: more entries, maybe, than fit into memory. Nobody looks them up, or for their names:
 * `entries` alone gives them.
 */
export const tablePrefix = 'table/'

/** Entries by key, of which whoever asks needs few. */
export type Lookup = { get(key: string): Uint8Array | undefined }

export interface Checkpoints {
  /** Every entry under the name as of the last commit. */
  load(name: string): Promise<ReadonlyMap<string, Uint8Array>>
  /** The entries under the name as of the last commit, each read when it is asked for; what is committed later may show or not. */
  lookup(name: string): Promise<Lookup>
  /**
   * Every entry under the name, some at a time, however many there are; what is committed meanwhile may show or not. Of the names of tables
   * an entry may come again with a newer value, and one that was removed may come with those that it had: all in the order of their
   * commits.
   */
  entries(name: string): AsyncIterable<readonly (readonly [key: string, value: Uint8Array])[]>
  /** The names that start with the prefix, sorted. */
  names(prefix: string): Promise<readonly string[]>
}
