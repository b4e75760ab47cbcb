/** Exact fractions, in which operators say plainly what they mean. Slow, and sharing no code with what computes them. */

export type Fraction = { readonly over: bigint; readonly under: bigint }

export const whole = (value: number): Fraction => ({ over: BigInt(value), under: 1n })
export const multiply = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under })
export const divide = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.under, under: a.under * b.over })
export const subtract = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.under - b.over * a.under, under: a.under * b.under })

/** Denominators of decimals divide one another: adding at the largest keeps them from growing with every term. */
export function sumOf(fractions: readonly Fraction[]): Fraction {
  const under = fractions.reduce((most, fraction) => (fraction.under > most ? fraction.under : most), 1n)
  return { over: fractions.reduce((sum, fraction) => sum + fraction.over * (under / fraction.under), 0n), under }
}

/** Of a number, the decimal that the double prints as; of a flag 1 or 0. */
export function fractionOf(value: number | bigint | boolean | Fraction): Fraction {
  if (typeof value === 'object') return value
  if (typeof value !== 'number') return { over: BigInt(value), under: 1n }
  const [, sign, digits, decimals = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))!
  const places = decimals.length - Number(exponent)
  const over = BigInt(`${sign}${digits}${decimals}`)
  return places > 0 ? { over, under: 10n ** BigInt(places) } : { over: over * 10n ** BigInt(-places), under: 1n }
}

/** The same for values that are the same. */
export const sameness = (value: number | bigint | boolean | string | Fraction): string =>
  typeof value === 'object' ? `${(value.over * 10n ** 40n) / value.under}` : String(value)

/** Values of one kind from the least to the greatest. */
export const inOrder = <V extends number | bigint | Fraction>(values: readonly V[]): V[] =>
  values.toSorted((a, b) => {
    if (typeof a !== 'object' || typeof b !== 'object') return a < b ? -1 : a > b ? 1 : 0
    const { over } = subtract(a, b)
    return over < 0n ? -1 : over > 0n ? 1 : 0
  })

/** No point half-way between two doubles has more decimals. */
const decimalsOfHalves = 1100

/** The nearest double, by writing the fraction down and letting the language read it; a last digit stands for all that is cut off. */
export function toDouble({ over, under }: Fraction): number {
  if (over === 0n) return 0
  const size = over < 0n ? -over : over
  const scaled = size * 10n ** BigInt(decimalsOfHalves)
  const digits = (scaled / under).toString().padStart(decimalsOfHalves + 1, '0')
  const tail = scaled % under === 0n ? '' : '1'
  const nearest = Number(`${digits.slice(0, -decimalsOfHalves)}.${digits.slice(-decimalsOfHalves)}${tail}`)
  return over < 0n ? 0 - nearest : nearest
}
