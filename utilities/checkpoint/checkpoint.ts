/** Checkpoints: named maps of small values, written only through a log's commit, so that rows and position are saved together. */
export type Save = {
  readonly name: string
  readonly key: string
  /** null removes the entry. */
  readonly value: Uint8Array | null
}

export interface Checkpoints {
  /** Every entry under the name as of the last commit. */
  load(name: string): Promise<ReadonlyMap<string, Uint8Array>>
  /** The names that start with the prefix, sorted. */
  names(prefix: string): Promise<readonly string[]>
}
