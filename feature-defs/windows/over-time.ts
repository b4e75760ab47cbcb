/** The windows of time, for what computes its values over any of them, of records and of facts. */
import type { Field } from '../../schemas/record.ts'
import type { Computation } from '../define-operator.ts'
import * as spans from '../facts/spans.ts'
import type { Standing, Unit } from '../facts/standing.ts'
import { daysBack, everything, hoursBack, monthsBack, olderThan, type Reach } from './reach.ts'

type Over<Size, Params, Input> = (size: Size, params: Params, field: Field) => Computation<unknown, Input>
/** Without a span, of all facts that stand. */
type OverFacts<Params> = (span: spans.SpanOf | undefined, params: Params, field: Field) => (unit: Unit) => Standing

export function overTime<Params, Input>(computation: Over<Reach, Params, Input>, facts: OverFacts<Params>) {
  const over =
    <Size>(reachOf: (size: Size) => Reach, spanOf: (size: Size) => spans.SpanOf | undefined): Over<Size, Params, Input> =>
    (size, params, field) => ({
      ...computation(reachOf(size), params, field),
      standing: (unit) => facts(spanOf(size), params, field)(unit),
    })
  return {
    days: over(daysBack, spans.daysBack),
    hours: over(hoursBack, spans.hoursBack),
    months: over(monthsBack, spans.monthsBack),
    olderThanDays: over(olderThan, spans.olderThan),
    all: over<true>(everything, () => undefined),
  }
}
