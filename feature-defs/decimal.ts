/** Exact decimals: a double stands for the shortest decimal that prints it, and an exact ratio becomes a double by one correct rounding. */

/** digits / 10^scale; the scale is never negative. */
export type Decimal = { readonly digits: bigint; readonly scale: number }

/** 10^0 to 10^22: all the powers of ten that a double holds exactly. */
export const tens: readonly number[] = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

const bigTens = [1n]
export const bigTen = (exponent: number): bigint => {
  while (bigTens.length <= exponent) bigTens.push(bigTens.at(-1)! * 10n)
  return bigTens[exponent]!
}

/** Below it, no two decimals at one scale share a double: the one found is the shortest. */
export const fifteenDigits = 999_999_999_999_999
export const mostScale = 15

/** The value as a whole number of 1 / 10^scale, when it is one: what `fits` has said. */
export const scaledBy = (value: number, power: number): number => Math.floor(value * power + 0.5)

export const fits = (value: number, scale: number, limit: number): boolean => {
  const scaled = scaledBy(value, tens[scale]!)
  return scaled / tens[scale]! === value && Math.abs(scaled) <= limit
}

/**
 * The smallest scale at which each of the first `count` values (but null) is a whole number up to the limit (at most fifteen digits); -1
 * when there is none, as with a bigint.
 */
export function commonScale(values: readonly (number | bigint)[], limit: number, count = values.length): number {
  let scale = 0
  let largest = 0
  for (let index = 0; index < count; index++) {
    const value = values[index]!
    if (typeof value === 'bigint') return -1
    if (value !== value) continue
    const size = value < 0 ? -value : value
    // Whole numbers, which most are, without multiplying and dividing by one.
    if (scale > 0 || Math.floor(size) !== size || size > fifteenDigits)
      while (!fits(value, scale, fifteenDigits)) if (++scale > mostScale) return -1
    if (size > largest) largest = size
  }
  return scaledBy(largest, tens[scale]!) <= limit ? scale : -1
}

export function decimalOf(value: number | bigint): Decimal {
  if (typeof value === 'bigint') return { digits: value, scale: 0 }
  if (Number.isInteger(value) && Math.abs(value) <= fifteenDigits) return { digits: BigInt(value), scale: 0 }
  const [mantissa, exponent] = value.toExponential().split('e')
  if (exponent === undefined) throw new RangeError(`an input is ${value}: only numbers and null can be computed with`)
  const point = mantissa!.indexOf('.')
  const digits = BigInt(mantissa!.replace('.', ''))
  const scale = (point < 0 ? 0 : mantissa!.length - point - 1) - Number(exponent)
  return scale < 0 ? { digits: digits * bigTen(-scale), scale: 0 } : { digits, scale }
}

/** The whole number of 1 / 10^scale; the decimal must have no more places than that. */
export const digitsAt = ({ digits, scale }: Decimal, wanted: number): bigint => digits * bigTen(wanted - scale)

const magnitude = (value: bigint) => (value < 0n ? -value : value)
const bits = (value: bigint) => value.toString(16).length * 4
const exactDouble = 2n ** 53n

/** The double nearest to the ratio, ties to even, never -0. The denominator is positive. */
export function nearestDouble(numerator: bigint, denominator: bigint): number {
  const size = magnitude(numerator)
  if (size <= exactDouble && denominator <= exactDouble) return Number(numerator) / Number(denominator)
  const nearest = nearestPositive(size, denominator)
  return numerator < 0n ? 0 - nearest : nearest
}

function nearestPositive(numerator: bigint, denominator: bigint): number {
  const order = bits(numerator) - bits(denominator)
  if (order > 1030) return Infinity
  // At least 56 bits of quotient, so that one last bit can stand for all that follows; but nothing beyond a quarter of the smallest double.
  const shift = Math.min(60 - order, 1076)
  const dividend = shift > 0 ? numerator << BigInt(shift) : numerator
  const divisor = shift < 0 ? denominator << BigInt(-shift) : denominator
  const quotient = (dividend / divisor) | (dividend % divisor === 0n ? 0n : 1n)
  if (shift < 1076 || quotient >= 2n ** 55n) return Number(quotient) * 2 ** -Math.floor(shift / 2) * 2 ** -Math.ceil(shift / 2)
  const rest = quotient & 3n
  const whole = quotient >> 2n
  return Number(rest > 2n || (rest === 2n && (whole & 1n) === 1n) ? whole + 1n : whole) * Number.MIN_VALUE
}

/** The ratio rounded to so many decimals, half away from zero, as a whole number of such. The denominator is positive. */
export function roundedWhole(numerator: bigint, denominator: bigint, decimals: number): bigint {
  const size = (2n * magnitude(numerator) * bigTen(decimals) + denominator) / (2n * denominator)
  return numerator < 0n ? -size : size
}

/** The same as the nearest double. */
export const roundRatio = (numerator: bigint, denominator: bigint, decimals: number): number =>
  nearestDouble(roundedWhole(numerator, denominator, decimals), bigTen(decimals))

/** How far, relatively, a double, its shortest decimal and a product of it can lie apart, with room to spare. */
const doubt = 2 ** -50

/** The double's shortest decimal rounded to so many decimals, half away from zero, as the nearest double; NaN stays NaN. */
export function roundDecimal(value: number, decimals: number): number {
  const unit = tens[decimals]!
  const raised = Math.abs(value) * unit + 0.5
  const whole = Math.floor(raised)
  const over = raised - whole
  const margin = raised * doubt
  if (over > margin && over < 1 - margin) return (value < 0 ? 0 - whole : whole) / unit
  return roundExactly(value, decimals)
}

function roundExactly(value: number, decimals: number): number {
  if (!Number.isFinite(value)) return value
  const { digits, scale } = decimalOf(value)
  return scale <= decimals ? value : roundRatio(digits, bigTen(scale), decimals)
}
