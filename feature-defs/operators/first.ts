/** The earliest value of a window, in the order of the log. */
import { defineOperator } from '../define-operator.ts'
import { anyItself } from '../gives.ts'
import { round } from '../options.ts'
import { values } from '../takes.ts'
import { pickOver } from '../windows/pick-over.ts'

/** The earliest value that is not null, in the order of the log. */
export const first = defineOperator({
  op: 'first',
  gives: anyItself,
  reads: values,
  params: { round },
  windows: pickOver('first'),
  exact: (values) => values[0] ?? null,
})
