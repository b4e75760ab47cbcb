/** What a person reads at the terminal: rates, and lines that do not grow with what they tell of. */
import { describe, expect, it } from 'vitest'
import { openRate } from '../commands/rate.ts'

describe('rows a second', () => {
  it('count the time in which rows came, not the time in which none did', () => {
    const rate = openRate(0, { mostWaitMs: 1000 })
    expect(rate.add(500, 500)).toBe(1000)
    const hour = 3_600_000
    expect(rate.add(1000, hour)).toBe(1000)
    expect(rate.add(1500, hour + 500)).toBe(1500)
  })

  it('count all of the time for work that has an end', () => {
    const rate = openRate(0)
    rate.add(100, 1000)
    expect([rate.add(100, 10_000), rate.seconds()]).toEqual([20, 10])
  })
})
