/** The words that are true or false: comparisons, in, between, like, is, and what joins them. */
import type { TextColumn } from '../../utilities/values/columns.ts'
import { compare, type Comparison } from './comparisons.ts'
import type { Kind } from './kind.ts'
import { endsOpen, like, openEnd } from './like.ts'
import { and, is, isNull, not, or, type Flags } from './logic.ts'
import type { Values } from './values.ts'
import { widen, type Expression } from './widen.ts'
import { commonOf, made, operand, pair, word, type Call, type Operand, type Word } from './word.ts'

const flag: Kind = { kind: 'flag' }

const comparison = (which: Comparison): Word =>
  word(2, (call) => made<readonly [Values, Values]>(flag, (a, b) => compare(which, a, b), ...pair(call)))

const joining = (join: (a: Flags, b: Flags) => Flags): Word =>
  word(2, (call) => made<readonly [Flags, Flags]>(flag, join, ...call.args.map((arg) => operand(call, arg, 'flag'))))

const ofFlag = (of: (value: Flags) => Flags): Word =>
  word(1, (call) => made<readonly [Flags]>(flag, of, operand(call, call.args[0]!, 'flag')))

/** A comparison of values that are there already: of each pair by the kind that the two have in common. */
export function comparing(call: Pick<Call, 'refuse' | 'word'>, left: Operand, right: Operand) {
  const kind = commonOf(call, [left, right])
  if (kind.kind === 'null') call.refuse(right.at, 'nothing says of what kind null is', 'Write a column or a literal.')
  return (which: Comparison, x: Values, y: Values, count: number): Flags =>
    compare(which, widen(x, left.kind, kind, count), widen(y, right.kind, kind, count))
}

const among = word(
  2,
  (call) => {
    const [of, ...list] = call.args.map(call.typed) as [Operand, ...Operand[]]
    const equals = list.map((one) => comparing(call, of, one))
    return {
      kind: flag,
      evaluate: (batch) => {
        const value = of.evaluate(batch)
        return list.map((one, i) => equals[i]!('=', value, one.evaluate(batch), batch.count)).reduce(or)
      },
    }
  },
  Infinity,
)

const between = word(3, (call) => {
  const [of, low, high] = call.args.map(call.typed) as [Operand, Operand, Operand]
  const [least, most] = [comparing(call, of, low), comparing(call, of, high)]
  return {
    kind: flag,
    evaluate: (batch) => {
      const value = of.evaluate(batch)
      return and(least('>=', value, low.evaluate(batch), batch.count), most('<=', value, high.evaluate(batch), batch.count))
    },
  }
})

const alike = word(2, (call) => {
  const [text, pattern] = call.args.map((arg) => operand(call, arg, 'text')) as [Expression, Expression]
  const [, written] = call.args
  if (written?.form === 'text' && endsOpen(Buffer.from(written.text), 0, Buffer.byteLength(written.text)))
    call.refuse(written, openEnd, 'Write two backslashes for one.')
  return made<readonly [Values<TextColumn>, Values<TextColumn>]>(flag, like, text, pattern)
})

export const testWords: Readonly<Record<string, Word>> = {
  '=': comparison('='),
  '!=': comparison('!='),
  '<': comparison('<'),
  '<=': comparison('<='),
  '>': comparison('>'),
  '>=': comparison('>='),
  and: joining(and),
  or: joining(or),
  not: ofFlag(not),
  'is true': ofFlag(is(1)),
  'is false': ofFlag(is(0)),
  'is null': word(1, (call) => made<readonly [Values]>(flag, isNull, call.typed(call.args[0]!))),
  in: among,
  between,
  like: alike,
}
