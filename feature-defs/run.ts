/**
 * How the engine runs a feature over a batch: what is read of the columns once, and, with `when`, which records take part. A record that
 * takes none has no place in a window of records, where the value stays as it stands; in one of time it moves the window and adds nothing.
 */
import type { RecordSchema } from '../schemas/record.ts'
import { columnOf } from '../utilities/values/columns.ts'
import type { Computation, OperatorSpec } from './define-operator.ts'
import type { Output } from './feature-columns.ts'
import type { Inputs } from './inputs.ts'
import { computationOf, operatorOf } from './known-operators.ts'
import type { FieldColumn } from './takes.ts'
import type { Value, Values } from './values.ts'

/** Rows from..to of the batch. */
export type Run = (state: unknown, out: Output, from: number, to: number) => void

type Running = { readonly computation: Computation<unknown>; readonly batch: (inputs: Inputs) => Run }

const noPlaces = new Int32Array(0)

export function runOf(spec: OperatorSpec, { fields }: RecordSchema): Running {
  const { reads } = operatorOf(spec)
  const field = fields[spec.of]!
  const computation = computationOf(spec, field)
  const { when } = spec
  const batch = (inputs: Inputs): Run => {
    const column = inputs.byName.get(spec.of)
    if (column?.kind !== field.kind) throw new TypeError(`column ${spec.of} is ${column?.kind ?? 'missing'}, not ${field.kind}`)
    const input = reads(column as FieldColumn)
    const places = computation.places?.(inputs) ?? noPlaces
    if (typeof when !== 'string') return (state, out, from, to) => computation.run(state, input, places, out, from, to)
    const { values: flags } = columnOf(inputs, when, 'flag')
    if (computation.now) return skipping(computation, flags, (state, out, from, to) => computation.run(state, input, places, out, from, to))
    const part = withoutRest(input as Values, flags)
    return (state, out, from, to) => computation.run(state, part, places, out, from, to)
  }
  return { computation, batch }
}

/** Runs the stretches of records that take part. */
const skipping =
  (computation: Computation<unknown>, flags: Uint8Array, run: Run): Run =>
  (state, out, from, to) => {
    for (let row = from; row < to;) {
      const first = row
      while (row < to && flags[row] === 1) row++
      if (row > first) run(state, out, first, row)
      if (row === to) return
      const value = computation.now!(state)
      while (row < to && flags[row] !== 1) out[row++] = value
    }
  }

/** The input with null where a record takes no part. */
function withoutRest(input: Values, flags: Uint8Array): Values {
  const part: { [row: number]: Value } & Values = input instanceof Float64Array ? input.slice() : Array.from(input)
  for (let row = 0; row < part.length; row++) if (flags[row] !== 1) part[row] = NaN
  return part
}
