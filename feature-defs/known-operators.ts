/** Operators found by their word, and what a feature's description means by them. */
import type { Field, RecordSchema } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Computation, Operator, OperatorSpec } from './define-operator.ts'
import type { FeatureType } from './feature-columns.ts'
import { aNumber, type Given } from './gives.ts'
import { isModel } from './models/model.ts'
import * as list from './operators.ts'
import { windows, type Window, type WindowName } from './options.ts'
import type { FieldKind } from './takes.ts'

export const operators: readonly Operator[] = Object.values(list)

export const operatorNamed = (op: unknown): Operator | undefined => operators.find((one) => one.op === op)

export const windowsOf = ({ windows }: Operator) => Object.keys(windows) as WindowName[]

export const kindsOf = ({ gives }: Operator) => Object.keys(gives) as FieldKind[]

/** What a definition can tell it. */
export const optionsOf = (operator: Operator): readonly string[] => [...windowsOf(operator), ...Object.keys(operator.params), 'when']

/** Those that the feature has: one, if it is defined well. */
export const windowsGiven = (operator: Operator, spec: OperatorSpec): readonly WindowName[] =>
  windowsOf(operator).filter((name) => spec[name] !== undefined)

/** A window as whoever has its size as plain data sees it. */
export const windowNamed = (name: WindowName) => windows[name] as Window<unknown>

export const readsDate = (spec: OperatorSpec): boolean =>
  !isModel(spec) && windowsGiven(operatorOf(spec), spec).some((name) => windows[name].readsDate)

export function operatorOf({ op }: OperatorSpec): Operator {
  const operator = operatorNamed(op)
  if (operator) return operator
  throw new Problem(
    `no operator is called ${op}`,
    'Use one that this version of tidemark knows, or install the version that made the definition.',
  )
}

/** What computes the feature: its definition was checked, so that it has options of its operator. */
export function computationOf(spec: OperatorSpec, field: Field): Computation<unknown> {
  const operator = operatorOf(spec)
  const window = windowsGiven(operator, spec)[0]!
  return operator.windows[window]!(spec[window] as never, spec as never, field)
}

export const givenFor = (spec: OperatorSpec, { kind }: Field): Given | undefined => operatorOf(spec).gives[kind]

/** What a feature of this record is. */
export function featureType({ fields }: RecordSchema, { spec }: { readonly spec: OperatorSpec }): FeatureType {
  const field = fields[spec.of]!
  if (isModel(spec)) return aNumber.type(field, spec)
  return givenFor(spec, field)!.type(field, spec)
}
