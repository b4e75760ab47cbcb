/** The words for texts. */
import type { IntegerColumn, TextColumn } from '../../utilities/values/columns.ts'
import type { Kind } from './kind.ts'
import { cased, concatenated, length, substr, trim } from './texts.ts'
import type { Values } from './values.ts'
import type { Expression } from './widen.ts'
import { made, operand, word, type Word } from './word.ts'

type Texts = Values<TextColumn>
type Integers = Values<IntegerColumn>

const text: Kind = { kind: 'text' }

const ofText = (kind: Kind, of: (value: Texts) => Values): Word =>
  word(1, (call) => made<readonly [Texts]>(kind, of, operand(call, call.args[0]!, 'text')))

export const textWords: Readonly<Record<string, Word>> = {
  lower: ofText(text, cased('lower')),
  upper: ofText(text, cased('upper')),
  trim: ofText(text, trim),
  length: ofText({ kind: 'integer' }, length),
  substr: word(
    2,
    (call) => {
      const [of, from, many] = call.args.map((arg, i) => operand(call, arg, i === 0 ? 'text' : 'integer')) as [
        Expression,
        Expression,
        Expression?,
      ]
      return many
        ? made<readonly [Texts, Integers, Integers]>(text, substr, of, from, many)
        : made<readonly [Texts, Integers]>(text, substr, of, from)
    },
    3,
  ),
  '||': word(2, (call) => made<readonly [Texts, Texts]>(text, concatenated, ...call.args.map((arg) => operand(call, arg, 'text')))),
}
