/** The plain twin of the operators: every window taken anew and worked out in exact fractions, straight from its definition. Slow, and shares no code with them. */
import type { OperatorSpec } from '../feature-defs/operators/operator.ts'

export type Value = number | null
export type Windowed = Exclude<OperatorSpec, { op: 'ema' }>
type Fraction = { readonly over: bigint; readonly under: bigint }

/** The value of the feature after each record. */
export function exact(spec: OperatorSpec, inputs: readonly Value[], days: readonly number[]): Value[] {
  if (spec.op === 'ema') return exactEma(spec.span, spec.round, inputs)
  return inputs.map((_, row) => exactAt(spec, inputs, days, row))
}

/** The value after this one, of an operator over a window. */
export function exactAt(spec: Windowed, inputs: readonly Value[], days: readonly number[], row: number): Value {
  const seen = inputs.slice(0, row + 1)
  const window = 'days' in spec
    ? seen.filter((_, at) => days[at]! > days[row]! - spec.days && days[at]! <= days[row]!)
    : seen.slice(-spec.last)
  return aggregate(spec.op, window.filter((value) => value !== null), spec.round)
}

function aggregate(op: Windowed['op'], values: readonly number[], round: number | undefined): Value {
  if (op === 'count') return values.length
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  switch (op) {
    case 'min':
      return rounded(fractionOf(sorted[0]!), round)
    case 'max':
      return rounded(fractionOf(sorted.at(-1)!), round)
    case 'last':
      return rounded(fractionOf(values.at(-1)!), round)
    case 'sum':
      return rounded(sumOf(values.map(fractionOf)), round)
    case 'mean':
      return rounded(divide(sumOf(values.map(fractionOf)), whole(values.length)), round)
    case 'stddev': {
      if (values.length < 2) return null
      const fractions = values.map(fractionOf)
      const mean = divide(sumOf(fractions), whole(values.length))
      const squares = fractions.map((fraction) => subtract(fraction, mean)).map((gap) => multiply(gap, gap))
      const variance = divide(sumOf(squares), whole(values.length - 1))
      const huge = 4n ** 512n
      const deviation = toDouble(variance) === Infinity ? Math.sqrt(toDouble(divide(variance, { over: huge, under: 1n }))) * 2 ** 512 : Math.sqrt(toDouble(variance))
      return Number.isFinite(deviation) ? rounded(fractionOf(deviation), round) : null
    }
  }
}

function exactEma(span: number, round: number | undefined, inputs: readonly Value[]): Value[] {
  const alpha = 2 / (span + 1)
  let level: Value = null
  return inputs.map((x) => {
    if (x !== null) level = level === null ? x : towards(level, x, alpha)
    return level === null ? null : rounded(fractionOf(level), round)
  })
}

/** In double precision, as if there were no largest double. */
function towards(level: number, x: number, alpha: number): number | null {
  if (Number.isFinite(x - level)) return level + alpha * (x - level)
  const half = level / 2 + alpha * (x / 2 - level / 2)
  return Number.isFinite(2 * half) ? 2 * half : null
}

const whole = (value: number): Fraction => ({ over: BigInt(value), under: 1n })
const multiply = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under })
const divide = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.under, under: a.under * b.over })
const subtract = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.under - b.over * a.under, under: a.under * b.under })

/** Denominators of decimals divide one another: adding at the largest keeps them from growing with every term. */
function sumOf(fractions: readonly Fraction[]): Fraction {
  const under = fractions.reduce((most, fraction) => (fraction.under > most ? fraction.under : most), 1n)
  return { over: fractions.reduce((sum, fraction) => sum + fraction.over * (under / fraction.under), 0n), under }
}

/** The decimal that the double prints as. */
function fractionOf(value: number): Fraction {
  const [, sign, digits, decimals = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))!
  const places = decimals.length - Number(exponent)
  const over = BigInt(`${sign}${digits}${decimals}`)
  return places > 0 ? { over, under: 10n ** BigInt(places) } : { over: over * 10n ** BigInt(-places), under: 1n }
}

/** Beyond the doubles it is null. */
function rounded(value: Fraction, decimals: number | undefined): Value {
  const result = decimals === undefined ? toDouble(value) : roundedDouble(value, decimals)
  return Number.isFinite(result) ? result : null
}

function roundedDouble(value: Fraction, decimals: number): number {
  const unit = 10n ** BigInt(decimals)
  const size = (value.over < 0n ? -value.over : value.over) * unit
  const down = size / value.under
  const up = 2n * (size % value.under) >= value.under ? down + 1n : down
  return toDouble({ over: value.over < 0n ? -up : up, under: unit })
}

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
