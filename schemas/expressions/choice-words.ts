/** The words that choose a value: coalesce, nullif and case. */
import type { Columns } from '../../utilities/values/columns.ts'
import { chooseWhen, coalesce, nullIf } from './choice.ts'
import type { Flags } from './logic.ts'
import type { Refuse, Syntax, When } from './syntax.ts'
import { comparing } from './test-words.ts'
import { widen, widened, type Expression } from './widen.ts'
import { commonOf, operand, pair, word, type Call, type Word } from './word.ts'

export const choiceWords: Readonly<Record<string, Word>> = {
  coalesce: word(
    1,
    (call) => {
      const all = call.args.map(call.typed)
      const kind = commonOf(call, all)
      const branches = all.map((one) => widened(one, kind))
      const values = (batch: Columns) => branches.map((one) => one.evaluate(batch))
      return { kind, evaluate: (batch) => coalesce(kind, values(batch), batch.count) }
    },
    Infinity,
  ),
  // As PostgreSQL has it, a number has the kind in which it was compared, and a date stays one.
  nullif: word(2, (call) => {
    const [a, b] = pair(call)
    const own = call.typed(call.args[0]!)
    const value = own.kind.kind === 'date' ? own : a
    return {
      kind: value.kind,
      evaluate: (batch) => nullIf(value.kind, value.evaluate(batch), a.evaluate(batch), b.evaluate(batch), batch.count),
    }
  }),
}

type Case = { readonly of: Syntax | null; readonly whens: readonly When[]; readonly otherwise: Syntax | null }

export function typedCase({ of, whens, otherwise }: Case, typed: Call['typed'], refuse: Refuse): Expression {
  const call = { word: 'case', typed, refuse }
  const results = [...whens.map(({ value }) => value), ...(otherwise ? [otherwise] : [])].map(typed)
  const kind = commonOf(call, results)
  const branches = results.map((one) => widened(one, kind))
  const value = of && typed(of)
  const conditions = whens.map(({ when }) => {
    if (!value) return { of: operand({ ...call, ...when, args: [] }, when, 'flag'), equals: undefined }
    const one = typed(when)
    return { of: one, equals: comparing(call, value, one) }
  })
  return {
    kind,
    evaluate: (batch) => {
      const compared = value?.evaluate(batch)
      const flags = conditions.map(({ of: one, equals }) => {
        const found = one.evaluate(batch)
        return compared && equals ? equals('=', compared, found, batch.count) : (found as Flags)
      })
      const values = branches.map((one) => one.evaluate(batch))
      const others = otherwise ? [] : [widen(values[0]!, { kind: 'null' }, kind, batch.count)]
      return chooseWhen(kind, flags, [...values, ...others], batch.count)
    },
  }
}
