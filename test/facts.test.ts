/**
 * Facts follow their tables: whatever changes, in whatever groups, wherever it is cut, they are what plain JavaScript makes of the rows.
 */
import { describe, expect, it } from 'vitest'
import { live } from './fact-lives.ts'

/** With TIDEMARK_SEEDS=1000 more of them. */
const seeds = Number(process.env['TIDEMARK_SEEDS'] ?? 120)
const first = Number(process.env['TIDEMARK_SEED'] ?? 1)

describe('facts of tables that change', { timeout: 300_000 }, () => {
  it(`are what the rows make of them, in order, whatever commits they come in: ${seeds} seeds`, async () => {
    for (let seed = first; seed < first + seeds; seed++) await live(seed, { cuts: false, atOnce: seed % 3 === 0 ? 3 : 20_000 })
  })

  it('are the same wherever loads are cut, and the tables lost or not', async () => {
    for (let seed = first; seed < first + seeds / 5; seed++) {
      const whole = await live(seed, { cuts: false, atOnce: 20_000 })
      expect(await live(seed, { cuts: true, atOnce: 1 + (seed % 4) })).toEqual(whole)
    }
  })

  it('lie in the partition of their key, and move with it', async () => {
    for (let seed = first; seed < first + seeds / 5; seed++) {
      const whole = await live(seed, { cuts: false, atOnce: 20_000 })
      expect(await live(seed, { cuts: seed % 2 === 0, atOnce: 1 + (seed % 5), partitions: 3 })).toEqual(whole)
    }
  })
})
