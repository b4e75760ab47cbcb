/** What a word of expressions is: how it types its operands, and what it gives. */
import type { Columns } from '../../utilities/values/columns.ts'
import { common, inWords, type Kind } from './kind.ts'
import type { Place, Refuse, Syntax } from './syntax.ts'
import type { Values } from './values.ts'
import { widened, type Expression } from './widen.ts'

/** What has been typed, and where it stands. */
export type Operand = Expression & { readonly at: Place }

/** Operands as they are written, and what gives them as they are typed. */
export type Call = Place & {
  readonly word: string
  readonly args: readonly Syntax[]
  readonly typed: (arg: Syntax) => Operand
  readonly refuse: Refuse
}
export type Word = { readonly least: number; readonly most: number; readonly type: (call: Call) => Expression }

/** A word that takes so many operands; or from so many to so many. */
export const word = (least: number, type: (call: Call) => Expression, most = least): Word => ({ least, most, type })

/** Values from the values of operands, which the typing has made sure are of the kinds that `of` takes. */
export const made = <Operands extends readonly Values[]>(
  kind: Kind,
  of: (...values: Operands) => Values,
  ...operands: readonly Expression[]
): Expression => ({ kind, evaluate: (batch: Columns) => of(...(operands.map((one) => one.evaluate(batch)) as unknown as Operands)) })

const kindOf = (kind: Kind['kind']): Kind => (kind === 'decimal' ? { kind, scale: 0 } : { kind })

/** The operand, which must be of one of these kinds, or null. */
export function operand({ typed, refuse, word: name }: Call, arg: Syntax, ...wanted: readonly Kind['kind'][]): Expression {
  const found = typed(arg)
  const kinds = wanted.map((kind) => inWords(kindOf(kind))).join(' or ')
  if (found.kind.kind === 'null') return widened(found, kindOf(wanted[0]!))
  if (!wanted.includes(found.kind.kind)) refuse(arg, `${name} takes ${kinds}, and this is ${inWords(found.kind)}`, `Write ${kinds} there.`)
  return found
}

/** The kind that all of these can become. */
export function commonOf({ refuse, word: name }: Pick<Call, 'refuse' | 'word'>, all: readonly Operand[]): Kind {
  let kind: Kind = { kind: 'null' }
  for (const { kind: next, at } of all)
    kind =
      common(kind, next) ??
      refuse(at, `${name} cannot have ${inWords(kind)} and ${inWords(next)} together`, 'Write operands of one kind, or numbers.')
  return kind
}

/** Both operands, widened to the kind that they have in common; `null` alone has none. */
export function pair(call: Call): readonly [Expression, Expression] {
  const [a, b] = call.args.map(call.typed) as [Operand, Operand]
  const kind = commonOf(call, [a, b])
  if (kind.kind === 'null') call.refuse(call, 'nothing says of what kind null is', 'Write a column or a literal on one side.')
  return [widened(a, kind), widened(b, kind)]
}
