/** Messages that look like records, and whose number cannot be right: taken at their word, they would make duplicates of all that come. */
import type { Span } from './position.ts'

export type Recorded =
  /**
   * The last number that any producer has recorded; as of now where it is asked about one beyond; null while none has recorded anything.
   */
  | { readonly upTo: (beyond: number) => Promise<number | null> }
  /** Offsets of messages that were strangers when they were first read. */
  | { readonly not: readonly Span[] }

/** Numbers from here on are told apart no more once something is added to them. */
const tooLarge = 2 ** 52

/** The rows of strangers, with the reason. */
export async function strangers(
  seq: Float64Array,
  offsetOf: (row: number) => number,
  recorded: Recorded | undefined,
): Promise<ReadonlyMap<number, string>> {
  const odd = new Map<number, string>()
  let largest = 0
  for (let row = 0; row < seq.length; row++) if (seq[row]! > largest) largest = seq[row]!
  const last = recorded && 'upTo' in recorded && largest > 0 ? await recorded.upTo(largest) : null
  const not = recorded && 'not' in recorded ? recorded.not : []
  if (largest < tooLarge && (last === null || largest <= last) && not.length === 0) return odd
  for (let row = 0; row < seq.length; row++) {
    const offset = offsetOf(row)
    if (seq[row]! >= tooLarge) odd.set(row, `its number ${seq[row]} is beyond what a position can be`)
    else if ((last !== null && seq[row]! > last) || not.some(([from, to]) => offset >= from && offset < to))
      odd.set(row, `no producer has recorded its number ${seq[row]}`)
  }
  return odd
}
