/** A partition that is being read: how far, and whether that is all there is. */

/** An answer of so long ago tells nothing. */
const freshMs = 2_000

export type Reading = {
  readonly topic: string
  readonly partition: number
  readonly several: boolean
  next: number
  end: number
  lookedAtMs: number
  /** It waits until there is room for more. */
  isFull?: boolean
  isOver?: true
}

/** `orFull`: or as far as there is room. */
export const isAtItsEnd = (one: Reading, orFull: boolean): boolean =>
  one.isOver === true || (orFull && one.isFull === true) || (one.next >= one.end && performance.now() - one.lookedAtMs < freshMs)
