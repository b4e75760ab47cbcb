/** The check of benchmarks: that it compares things that agree, notices what fell behind and names it. No clock runs here. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pairsOver } from '../bench/check-pairs.ts'
import { fellBehind, ratiosOf, spoiled, type Meter, type Pair } from '../bench/check-ratios.ts'

const fast = () => 'fast'
const twin = () => 'twin'
const pair: Pair = { name: 'reading | reading plainly', fast, twin, agree: () => undefined, atLeast: 2 }

/** As if each piece of work took what stands beside it. */
const meterOf = (costs: ReadonlyMap<unknown, readonly number[]>): Meter => {
  const turns = new Map<unknown, number>()
  return async (work, times) => {
    const all = costs.get(work)!
    const turn = turns.get(work) ?? 0
    turns.set(work, turn + 1)
    return all[turn % all.length]! * times
  }
}
const measure = (one: Pair, costs: ReadonlyMap<unknown, readonly number[]>) => ratiosOf(one, { rounds: 9, meter: meterOf(costs) })
const named = async (one: Pair, costs: ReadonlyMap<unknown, readonly number[]>) =>
  fellBehind([await measure(one, costs)]).map(({ name }) => name)

describe('bench:check', () => {
  it('passes a fast path that is as much faster as it must be', async () =>
    expect(
      await named(
        pair,
        new Map([
          [fast, [1000]],
          [twin, [2000]],
        ]),
      ),
    ).toEqual([]))

  it('names a fast path that fell below it', async () =>
    expect(
      await named(
        pair,
        new Map([
          [fast, [1000]],
          [twin, [1990]],
        ]),
      ),
    ).toEqual([pair.name]))

  it('names a fast path that was replaced by its twin', async () =>
    expect(
      await named(
        spoiled(pair),
        new Map([
          [fast, [1000]],
          [twin, [2500]],
        ]),
      ),
    ).toEqual([pair.name]))

  it('compares costs of one time through, however often each is done in a round', async () => {
    const { ratios } = await measure(
      pair,
      new Map([
        [fast, [700]],
        [twin, [50_000]],
      ]),
    )
    for (const ratio of ratios) expect(ratio).toBeCloseTo(50_000 / 700, 6)
  })

  it('does not mind single slow rounds', async () =>
    expect(
      await named(
        pair,
        new Map([
          [fast, [1000, 1000, 9000]],
          [twin, [2500]],
        ]),
      ),
    ).toEqual([]))

  it('names what could not be measured at all', async () =>
    expect(fellBehind([{ name: 'x', atLeast: 1, ratios: [NaN] }]).map(({ name }) => name)).toEqual(['x']))

  it('compares only what comes to the same', async () => {
    const pairs = await pairsOver(join(import.meta.dirname, 'fixtures/loans-slice.csv.gz'))
    expect(pairs.length).toBeGreaterThan(0)
    for (const { agree } of pairs) expect(agree).not.toThrow()
  })
})
