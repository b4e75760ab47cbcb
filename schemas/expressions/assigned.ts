/** Assigns what an expression gives to a field: refused where kinds do not fit, and a row is bad whose value the field cannot hold. */
import type { Columns } from '../../utilities/values/columns.ts'
import { expression, type Scope } from './expression.ts'
import { common, inWords, scaleOf, type Kind, type Target } from './kind.ts'
import { misfits } from './misfits.ts'
import { refuseIn } from './syntax.ts'
import { bothBad, type Values } from './values.ts'
import { widen } from './widen.ts'

/** Of the batches that have the columns of the scope. */
export function assigned(label: string, text: string, scope: Scope, target: Target): (batch: Columns) => Values {
  const { kind, evaluate } = expression(label, text, scope)
  const whole = { from: 0, to: text.length }
  const refuse = refuseIn(label, text)
  // A decimal without digits behind the point is as good as an integer.
  const isWhole = target.kind === 'integer' && kind.kind === 'decimal' && kind.scale === 0
  if (!isWhole && common(kind, target)?.kind !== target.kind)
    refuse(whole, `it gives ${inWords(kind)}, and the field is ${inWords(target)}`, 'Change the expression, or the kind of the field.')
  if (target.kind === 'decimal' && scaleOf(kind) > target.scale)
    refuse(whole, `it gives ${scaleOf(kind)} digits behind the point, and the field has ${target.scale}`, 'Write round(…, d) around it.')
  return (batch) => {
    const { column, bad } = widen(evaluate(batch), kind, plain(target), batch.count)
    return { column, bad: bothBad(bad, misfits(column, target)) }
  }
}

const plain = (target: Target): Kind => (target.kind === 'decimal' ? { kind: 'decimal', scale: target.scale } : { kind: target.kind })
