/** Many entries read at once, as their texts, are what they are one by one; and a JSON array cut in parts is its parts. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { textColumn } from '../feature-defs/values.ts'
import { memoryServedDatabase, openMemoryServed } from '../utilities/memory/served.ts'
import type { Column } from '../utilities/values/columns.ts'
import { partsOfJson } from '../utilities/values/json-parts.ts'

const awkward = ['', 'a', 'A', 'a\0', 'a\0b', '\0', '"', '\\', 'a,b', '\n', '\u2028', '😀', '7', '7.0', 'null', '__proto__']

it('entries come in the order of their keys, whatever is in a key, and those that are not there are missed', async () => {
  const served = openMemoryServed(memoryServedDatabase())
  const there = awkward.filter((_, i) => i % 3 !== 2)
  const entries = {
    count: there.length,
    byName: new Map<string, Column>([
      ['_key', textColumn(there)],
      ['_seq', { kind: 'int', values: Float64Array.from(there.keys()) }],
      ['_known_ts', { kind: 'long', values: new BigInt64Array(there.length) }],
      ['own', textColumn(there.map((key) => `of ${key}\n`))],
    ]),
  }
  await served.write({ lots: [{ table: 'rows', entries, kept: ['own'] }], notes: [] })
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...awkward)), (keys) => {
      const [many, one] = served.read((reader) => [reader.texts('rows', keys), keys.map((key) => reader.entry('rows', key))])
      expect(many).toEqual(one.map((entry) => entry && JSON.stringify(entry.values)))
    }),
  )
  expect(served.read((reader) => reader.texts('nothing', ['a', 'b']))).toEqual([undefined, undefined])
})

it('a JSON array is cut where its parts end', () =>
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null))), fc.nat({ max: 3 }), (parts, from) => {
      expect(partsOfJson(JSON.stringify(parts), from)).toEqual(parts.map((part) => JSON.stringify(part)).slice(from))
    }),
  ))
