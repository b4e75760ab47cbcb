/** The windows of time, for what computes its values over any of them. */
import type { Field } from '../../schemas/record.ts'
import type { Computation } from '../define-operator.ts'
import { daysBack, everything, hoursBack, monthsBack, olderThan, type Reach } from './reach.ts'

type Over<Size, Params, Input> = (size: Size, params: Params, field: Field) => Computation<unknown, Input>

export function overTime<Params, Input>(computation: Over<Reach, Params, Input>) {
  const over =
    <Size>(reachOf: (size: Size) => Reach): Over<Size, Params, Input> =>
    (size, params, field) =>
      computation(reachOf(size), params, field)
  return {
    days: over(daysBack),
    hours: over(hoursBack),
    months: over(monthsBack),
    olderThanDays: over(olderThan),
    all: over<true>(everything),
  }
}
