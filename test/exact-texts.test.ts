/** Moments and decimals as texts, and the days that moments lie in: against Dates and against divisions. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { putWhole } from '../utilities/values/columns.ts'
import { daysOf } from '../utilities/values/days.ts'
import { decimalText, wholeOf } from '../utilities/values/decimal-text.ts'
import { firstMicros, isoText, lastMicros, microsOf, timestampText } from '../utilities/values/timestamp.ts'

const dayMicros = 86_400_000_000n
/** Just about midnight, too, where the nearest double may lie on another day. */
const moments = fc.oneof(
  fc.bigInt(firstMicros, lastMicros),
  fc
    .tuple(fc.bigInt(firstMicros / dayMicros + 1n, lastMicros / dayMicros), fc.bigInt(-40n, 40n))
    .map(([day, more]) => day * dayMicros + more),
  fc.constantFrom(firstMicros, lastMicros, 0n, -1n),
)
const below = (micros: bigint) => ((micros % 1000n) + 1000n) % 1000n

it('a moment is written as a Date writes it, to the microsecond, and read again', () =>
  fc.assert(
    fc.property(moments, (micros) => {
      const iso = new Date(Number((micros - below(micros)) / 1000n)).toISOString().slice(0, -1)
      const full = `${iso}${String(below(micros)).padStart(3, '0')}`.replace('T', ' ')
      const text = timestampText(micros)
      expect(text).toBe(full.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, ''))
      expect(isoText(micros)).toBe(`${text.replace(' ', 'T')}Z`)
      expect(BigInt(microsOf(text))).toBe(micros)
      if (Number.isSafeInteger(Number(micros))) expect(timestampText(Number(micros))).toBe(text)
    }),
  ))

it('moments sort as their texts do', () =>
  fc.assert(
    fc.property(moments, moments, (one, other) => {
      const texts = [timestampText(one), timestampText(other)] as const
      expect([texts[0] < texts[1], texts[0] === texts[1]]).toEqual([one < other, one === other])
    }),
  ))

it('the day of a moment is that of its text, however far off', () =>
  fc.assert(
    fc.property(fc.array(moments, { maxLength: 9 }), (all) => {
      const column = { kind: 'timestamp' as const, values: new Float64Array(all.length), wide: new Map<number, bigint>() }
      for (const [row, micros] of all.entries()) putWhole(column.values, column.wide, row, micros)
      const days = daysOf({ count: all.length, byName: new Map([['at', column]]) }, 'at')
      expect([...days]).toEqual(all.map((micros) => Date.parse(timestampText(micros).slice(0, 10)) / 86_400_000))
    }),
  ))

it('a decimal is written with its point where its scale says, and read again with or without zeros behind it', () =>
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 38n) + 1n, 10n ** 38n - 1n), fc.nat(38), (whole, scale) => {
      const text = decimalText(whole, scale)
      const [size, unit] = [whole < 0n ? -whole : whole, 10n ** BigInt(scale)]
      expect(text).toBe(`${whole < 0n ? '-' : ''}${size / unit}${scale === 0 ? '' : `.${String(unit + (size % unit)).slice(1)}`}`)
      expect(wholeOf(text, scale)).toBe(whole)
      if (scale > 0) expect(wholeOf(text.replace(/\.?0+$/, ''), scale)).toBe(whole)
    }),
  ))
