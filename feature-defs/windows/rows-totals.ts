/**
 * Count, sum, mean and stddev over the last n records. The loop over rows is written for speed; its plain twin is what each operator calls
 * `exact`.
 *
 * The state that matters is the last n inputs: in memory 8 bytes each (room grows by doubling, so a key with three records holds four),
 * saved in 1 to 8 bytes each, whole numbers beyond 2^53 in up to 22. The totals follow from them exactly, so a loaded state goes on with
 * the same bits.
 */
import { bigTen, commonScale, decimalOf, digitsAt, fifteenDigits, scaledBy, tens } from '../decimal.ts'
import type { Computation } from '../define-operator.ts'
import type { Output } from '../feature-columns.ts'
import { layoutOf, savedAs } from '../state-bytes.ts'
import { putValues, takeValues } from '../state-values.ts'
import type { Whole } from '../values.ts'
import { halfUp, plansFor, readTotals, readWide, safeDenominator, safeNumerator, type Plan, type Totals } from './totals.ts'

const layout = layoutOf(1)

type State = {
  /** A ring once it is full: the oldest input is then the one at `at`. NaN is null; -0 is kept as 0. */
  inputs: Whole[]
  filled: number
  at: number
  count: number
  /** Totals of the inputs as whole numbers of 1 / 10^scale, exact because each is small enough; without meaning while `wide` is there. */
  scale: number
  sum: number
  /** Exact for stddev alone, whose limit is made for it. */
  squares: number
  wide: Wide | null
}

/** Totals of any size, for inputs that do not fit one scale or would overflow. */
type Wide = {
  scale: number
  sum: bigint
  squares: bigint
  /** Records since the last look whether the window fits doubles again. */
  age: number
}

export function rowsTotals(totals: Totals, last: number): Computation<State, ArrayLike<Whole>> {
  const { op } = totals
  const plans = plansFor(totals)
  const limit = Math.min(fifteenDigits, Math.floor(op === 'stddev' ? Math.sqrt(2 ** 52 / last) : 2 ** 51 / last))

  // A literal of doubles, and copies of it, because V8 keeps such an array as bare doubles, far smaller than a typed array of a few.
  const init = (): State => ({ inputs: [NaN, NaN, NaN, NaN], filled: 0, at: 0, count: 0, scale: 0, sum: 0, squares: 0, wide: null })

  /** Goes on until a value does not fit, and says how far it came. */
  const runNarrow = (state: State, plan: Plan, input: ArrayLike<number>, out: Output, from: number, to: number): number => {
    const { power, up, down, unit } = plan
    const counting = plan.op === 'count'
    const dividing = plan.op === 'mean'
    // What readTotals does most, without asking again each time what the plan is.
    const rounding = plan.round >= 0 && (dividing || plan.op === 'sum') && last * down <= safeDenominator
    let { filled, at, count, sum, squares } = state
    // Without bigints: with one the totals are wide.
    let inputs = state.inputs as number[]
    let row = from
    for (; row < to; row++) {
      const value = counting && input[row] === input[row] ? 1 : input[row]!
      const present = value === value
      let scaled = 0
      if (present) {
        scaled = Math.floor(value * power + 0.5)
        if (scaled / power !== value || scaled > limit || scaled < -limit) break
      }
      if (filled === last) {
        const leaving = inputs[at]!
        if (leaving === leaving) {
          const gone = Math.floor(leaving * power + 0.5)
          count--
          sum -= gone
          squares -= gone * gone
        }
      } else {
        if (at === inputs.length) inputs = inputs.concat(inputs)
        filled++
      }
      inputs[at] = value + 0
      at = at + 1 === last ? 0 : at + 1
      if (present) {
        count++
        sum += scaled
        squares += scaled * scaled
      }
      if (rounding && count > 0) {
        const numerator = (sum < 0 ? -sum : sum) * up
        if (numerator <= safeNumerator) {
          const whole = halfUp(numerator, dividing ? count * down : down)
          out[row] = (sum < 0 ? 0 - whole : whole) / unit
          continue
        }
      }
      out[row] = readTotals(plan, count, sum, squares)
    }
    state.inputs = inputs
    state.filled = filled
    state.at = at
    state.count = count
    state.sum = sum
    state.squares = squares
    return row
  }

  const runWide = (state: State, wide: Wide, value: Whole): Whole => {
    if (state.filled === last) addWide(state, wide, state.inputs[state.at]!, -1)
    else {
      if (state.at === state.inputs.length) state.inputs = state.inputs.concat(state.inputs)
      state.filled++
    }
    state.inputs[state.at] = typeof value === 'number' ? value + 0 : value
    state.at = state.at + 1 === last ? 0 : state.at + 1
    addWide(state, wide, value, 1)
    const result = readWide(plans[0]!, state.count, wide.sum, wide.squares, wide.scale)
    if (++wide.age > last) total(state, commonScale(inOrder(state), limit))
    return result
  }

  const run: Computation<State, ArrayLike<Whole>>['run'] = (state, input, places, out, from, to) => {
    let row = from
    while (row < to) {
      if (state.wide) {
        out[row] = runWide(state, state.wide, input[row]!)
        row++
      } else {
        const until = input instanceof Float64Array ? to : firstBig(input, row, to)
        row = runNarrow(state, plans[state.scale]!, input as ArrayLike<number>, out, row, until)
        if (row < to) total(state, commonScale([...inOrder(state), input[row]!], limit))
      }
    }
  }

  return {
    init,
    now: ({ wide, scale, count, sum, squares }) =>
      wide ? readWide(plans[0]!, count, wide.sum, wide.squares, wide.scale) : readTotals(plans[scale]!, count, sum, squares),
    run,
    ...savedAs<State>(
      layout,
      (to, state) => putValues(to, state.inputs, state.filled, state.at < state.filled ? state.at : 0),
      (from) => {
        const inputs = takeValues(from) as ArrayLike<Whole>
        if (inputs.length > last) throw new RangeError(`a saved window of ${inputs.length} records was given to one of ${last}`)
        const state = init()
        run(state, inputs, [], new Array<Whole>(inputs.length), 0, inputs.length)
        return state
      },
    ),
    mostBytes: () => 16 + 22 * last,
  }
}

function firstBig(input: ArrayLike<Whole>, from: number, to: number): number {
  let row = from
  while (row < to && typeof input[row] !== 'bigint') row++
  return row
}

const inOrder = ({ inputs, filled, at }: State): Whole[] =>
  at < filled ? inputs.slice(at, filled).concat(inputs.slice(0, at)) : inputs.slice(0, filled)

/** Works the totals out anew: in doubles at this scale, or wide when there is none. */
function total(state: State, scale: number): void {
  const inputs = inOrder(state)
  state.count = 0
  if (scale < 0) {
    state.wide = { scale: 0, sum: 0n, squares: 0n, age: 0 }
    for (const value of inputs) addWide(state, state.wide, value, 1)
    return
  }
  state.wide = null
  state.scale = scale
  state.sum = 0
  state.squares = 0
  for (const value of inputs as number[]) {
    if (value !== value) continue
    const scaled = scaledBy(value, tens[scale]!)
    state.count++
    state.sum += scaled
    state.squares += scaled * scaled
  }
}

function addWide(state: State, wide: Wide, value: Whole, sign: 1 | -1): void {
  if (value !== value) return
  const decimal = decimalOf(value)
  if (decimal.scale > wide.scale) {
    wide.sum *= bigTen(decimal.scale - wide.scale)
    wide.squares *= bigTen(2 * (decimal.scale - wide.scale))
    wide.scale = decimal.scale
  }
  const digits = digitsAt(decimal, wide.scale)
  state.count += sign
  wide.sum += sign === 1 ? digits : -digits
  wide.squares += sign === 1 ? digits * digits : -(digits * digits)
}
