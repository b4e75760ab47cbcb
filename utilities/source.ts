/** A source: the file that records are read from, or several one behind the other, and what tells it from another one. */

/** How cells are written, where not as by default: commas, nothing for null, dates and timestamps of ISO 8601. */
export type TextForm = {
  readonly delimiter?: string
  /** What stands for null. */
  readonly null?: readonly string[]
  /** A form of dates, and one of timestamps, beside ISO 8601. */
  readonly dates?: string
  readonly timestamps?: string
}

export const sameForm = (a: TextForm = {}, b: TextForm = {}): boolean =>
  a.delimiter === b.delimiter && a.dates === b.dates && a.timestamps === b.timestamps && JSON.stringify(a.null) === JSON.stringify(b.null)

export type SourceIdentity = {
  /** The file's name, without its folder: moving a file does not change it. */
  readonly name: string
  /** Bytes as stored. */
  readonly size: number
  readonly sha256: string
  /** Of several files: how many, and the name of the last. The checksum is that of their names, sizes and checksums, then. */
  readonly files?: { readonly count: number; readonly last: string }
  /** Where it is not the default: the same bytes have other rows otherwise. */
  readonly form?: TextForm
}

export type SourceFile = {
  /** Where it is, for messages. */
  readonly place: string
  readonly form: TextForm
  /**
   * The text's bytes, unpacked, from the start; Problems as they are met. Once identified, exactly the bytes that were: a file may grow
   * meanwhile. Each chunk is good until the next is asked for. Columns other than those `wanted` may come without values.
   */
  read(signal?: AbortSignal, wanted?: readonly string[]): AsyncIterable<Uint8Array>
}

export interface Source {
  readonly place: string
  /** The checksum of the stored bytes; a Problem when the file is missing or is not the gzip that its name says. */
  identify(signal?: AbortSignal): Promise<SourceIdentity>
  /** Unpacks it to its end; a Problem when it is damaged or cut short. For whoever cannot take back what was read before the end. */
  prove(signal?: AbortSignal): Promise<void>
  /** The files whose rows are numbered one behind the other, each with a header of its own. */
  files(): Promise<readonly SourceFile[]>
  /** What it was when it was identified so, if it has only grown since: its first so many files and bytes, their cells written as then. */
  asOf(identity: SourceIdentity): Source
  /** Of several files: the name of the one that came between those identified then, where it is that alone. */
  intruder?(identity: SourceIdentity): Promise<string | undefined>
}
