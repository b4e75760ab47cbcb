/** Models: files that compute a number for each row from other numbers of it. */

/** What a definition says of one: this file alone, run by this version of the runtime, gives its values. */
export type ModelFile = {
  /** As the definition names it. */
  readonly name: string
  readonly sha256: string
  readonly runtime: string
  /** Where it lies on this machine, if definitions that were loaded here say so. */
  readonly path?: string
}

/** What goes in or comes out; without `tensor` it is no array of numbers or texts. */
export type Port = {
  readonly name: string
  /** A length is null where it may be any. */
  readonly tensor?: { readonly type: string; readonly lengths: readonly (number | null)[] }
}

export type Numbers = Float32Array | Float64Array

/** Values row after row, so many for each. */
export type Feed = { readonly port: string; readonly values: Numbers; readonly lengths: readonly number[] }

/** One that is open. */
export interface Model {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** The same bits for the same values, on every machine. */
  run(feeds: readonly Feed[], output: string): Promise<{ readonly values: ArrayLike<number | bigint>; readonly lengths: readonly number[] }>
}

export interface Models {
  /** Once for a file; a Problem where it is nowhere to be found, is another file, or is no model. */
  open(file: ModelFile): Promise<Model>
  /** Its bytes, of which the checksum is right. */
  read(file: ModelFile): Promise<Uint8Array>
}
