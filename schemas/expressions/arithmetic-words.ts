/** The words that calculate: + - * round abs, over integers, decimals, numbers and dates. */
import type { DateColumn, IntegerColumn, NumberColumn } from '../../utilities/values/columns.ts'
import { daysAway, daysBetween } from './days.ts'
import { inWords, isNumeric, mostScale, scaleOf, type Kind } from './kind.ts'
import { absoluteNumber, addNumbers, multiplyNumbers, negatedNumber, subtractNumbers } from './numbers.ts'
import type { Syntax } from './syntax.ts'
import type { Values, WholesColumn } from './values.ts'
import { widened, type Expression } from './widen.ts'
import { absolute, add, divide, multiply, negated, rescaled, subtract } from './wholes.ts'
import { made, operand, pair, word, type Call, type Operand } from './word.ts'

type Dates = Values<DateColumn>
type Wholes = Values<WholesColumn>
type Numbers = Values<NumberColumn>
type Two<V> = readonly [V, V]

const integer: Kind = { kind: 'integer' }
const date: Kind = { kind: 'date' }
const anyNumeric = ['integer', 'decimal', 'number'] as const

/** Both as numbers of one kind; a Problem when they are none. */
function numericPair(call: Call): readonly [Expression, Expression] {
  const [a, b] = pair(call)
  if (!isNumeric(a.kind)) call.refuse(call, `${call.word} does not go with ${inWords(a.kind)}`, 'Write numbers, or a date and days.')
  return [a, b]
}

const withDays = (call: Call): readonly [Expression, Expression] | undefined => {
  const [a, b] = call.args.map(call.typed) as [Operand, Operand]
  return a.kind.kind === 'date' && b.kind.kind === 'integer' ? [a, b] : undefined
}

const plus = word(2, (call) => {
  const days = withDays(call) ?? withDays({ ...call, args: call.args.toReversed() })
  if (days) return made<readonly [Dates, Values<IntegerColumn>]>(date, (from, by) => daysAway(from, by, 1), ...days)
  const [a, b] = numericPair(call)
  return a.kind.kind === 'number' ? made<Two<Numbers>>(a.kind, addNumbers, a, b) : made<Two<Wholes>>(a.kind, add, a, b)
})

const minus = word(2, (call) => {
  const days = withDays(call)
  if (days) return made<readonly [Dates, Values<IntegerColumn>]>(date, (from, by) => daysAway(from, by, -1), ...days)
  const [one, other] = pair(call)
  if (one.kind.kind === 'date') return made<Two<Dates>>(integer, daysBetween, one, other)
  const [a, b] = numericPair(call)
  return a.kind.kind === 'number' ? made<Two<Numbers>>(a.kind, subtractNumbers, a, b) : made<Two<Wholes>>(a.kind, subtract, a, b)
})

const times = word(2, (call) => {
  const [a, b] = numericPair(call)
  if (a.kind.kind === 'number') return made<Two<Numbers>>(a.kind, multiplyNumbers, a, b)
  if (a.kind.kind === 'integer') return made<Two<Wholes>>(integer, multiply, a, b)
  // Each with its own scale: the product has both.
  const [left, right] = call.args.map((arg) => operand(call, arg, 'decimal', 'integer')) as [Expression, Expression]
  const scale = scaleOf(left.kind) + scaleOf(right.kind)
  if (scale > mostScale) call.refuse(call, `the product has ${scale} digits behind the point`, 'Put round(…, d) around a factor.')
  return made<Two<Wholes>>({ kind: 'decimal', scale }, multiply, left, right)
})

const negative = word(1, (call) => {
  const of = operand(call, call.args[0]!, ...anyNumeric)
  return of.kind.kind === 'number' ? made<readonly [Numbers]>(of.kind, negatedNumber, of) : made<readonly [Wholes]>(of.kind, negated, of)
})

const abs = word(1, (call) => {
  const of = operand(call, call.args[0]!, ...anyNumeric)
  return of.kind.kind === 'number' ? made<readonly [Numbers]>(of.kind, absoluteNumber, of) : made<readonly [Wholes]>(of.kind, absolute, of)
})

const mostRound = 38

const round = word(2, (call) => {
  const [of, digits] = call.args as Two<Syntax>
  const to = digits.form === 'figure' && /^\d{1,2}$/.test(digits.text) ? Number(digits.text) : mostRound + 1
  if (to > mostRound) call.refuse(digits, `round takes so many digits, 0 to ${mostRound}`, 'Write the number itself there.')
  const kind: Kind = { kind: 'decimal', scale: to }
  if (of.form === 'call' && of.word === '/') return quotient({ ...call, ...of }, to)
  const one = exactOperand(call, of)
  return scaleOf(one.kind) <= to ? widened(one, { kind: 'decimal', scale: scaleOf(one.kind) }) : widened(one, kind)
})

/** Exact, and rounded once: PostgreSQL rounds quotients to some twenty digits first. */
function quotient(call: Call, to: number): Expression {
  const [above, below] = call.args.map((arg) => exactOperand(call, arg)) as [Expression, Expression]
  if (above.kind.kind === 'integer' && below.kind.kind === 'integer')
    call.refuse(call, 'PostgreSQL drops what is behind the point when it divides integers', 'Write 1.0 * … for one of them.')
  const more = to + scaleOf(below.kind) - scaleOf(above.kind)
  return made<Two<Wholes>>(
    { kind: 'decimal', scale: to },
    (a, b) => divide(rescaled(a, scaleOf(above.kind) + Math.max(more, 0)), rescaled(b, scaleOf(below.kind) + Math.max(-more, 0)), to),
    above,
    below,
  )
}

/** Only these have digits to round. */
function exactOperand(call: Call, arg: Syntax): Expression {
  const one = call.typed(arg)
  if (one.kind.kind === 'number')
    call.refuse(arg, `${call.word} takes what is exact, and this is a number, which is a double`, 'Declare its field as a decimal.')
  return operand(call, arg, 'integer', 'decimal')
}

const bareQuotient = word(2, (call) =>
  call.refuse(call, '/ stands only in round(x / y, d)', 'Say how many digits behind the point you want.'),
)

export const arithmeticWords = { '+': plus, '-': minus, '*': times, '/': bareQuotient, minus: negative, abs, round }
