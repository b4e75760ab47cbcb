/** Chance for tests that kill at random moments: every moment comes from one number, which a failure prints. */

/** With TIDEMARK_SEED=… the same moments are tried again, as far as processes allow. */
export const seed = Number(process.env['TIDEMARK_SEED'] ?? Date.now() % 1_000_000)

/** npm run test:long tries more of what chance picks: more kills, more runs of a property. What is proved is the same. */
export const isLong = process.env['TIDEMARK_LONG'] === 'true'

/** From 0 to 1, 1 excluded. */
export const chance = randomFrom(seed)

export function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
