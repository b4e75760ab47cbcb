/** Keys by their bytes against a Map of texts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { knownOf, newKeys, numbersOf, textOf } from '../training/keys.ts'
import { textsFrom } from '../utilities/sql/cells.ts'

const text = fc.oneof(fc.constant(null), fc.string({ unit: 'grapheme', maxLength: 12 }), fc.stringMatching(/^account_\d{4}$/))

describe('keys by their bytes', () => {
  it('have the numbers that a map of texts gives them, and are found again', () => {
    fc.assert(
      fc.property(fc.array(fc.array(text, { maxLength: 200 }), { maxLength: 4 }), fc.array(text), (batches, others) => {
        const keys = newKeys()
        const map = new Map<string, number>()
        for (const batch of batches) {
          const expected = batch.map((one) => map.get(one ?? '') ?? map.set(one ?? '', map.size).size - 1)
          expect([...numbersOf(keys, textsFrom(batch))]).toEqual(expected)
        }
        const all = [...map.keys(), ...others]
        expect([...knownOf(keys, textsFrom(all))]).toEqual(all.map((one) => map.get(one ?? '') ?? -1))
        expect([...map.keys()].map((_, key) => textOf(keys, key))).toEqual([...map.keys()])
      }),
    )
  })

  it('are as many as there are', () => {
    const keys = newKeys()
    const texts = Array.from({ length: 50_000 }, (_, i) => `key ${i % 20_000}`)
    expect([...numbersOf(keys, textsFrom(texts))]).toEqual(texts.map((_, i) => i % 20_000))
  })
})
