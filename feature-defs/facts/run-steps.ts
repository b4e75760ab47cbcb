/**
 * How a feature of facts is run over the steps of a batch: what it reads of both sides once, and what each step does to the key's state.
 */
import type { RecordSchema } from '../../schemas/record.ts'
import type { Columns } from '../../utilities/values/columns.ts'
import type { OperatorSpec } from '../define-operator.ts'
import type { Output } from '../feature-columns.ts'
import { operatorOf } from '../known-operators.ts'
import { textsIn, type Value, type Values, type Whole } from '../values.ts'
import type { Standing } from './standing.ts'
import type { Side, Steps } from './steps.ts'

/** What a feature reads of one side. A fact whose flag is not set takes no part, and no place; one whose value is null has a place. */
type Read = { readonly values: Values; readonly flags: Uint8Array | undefined; readonly at: Side['at']; readonly keys: Values }

export type Reads = readonly [before: Read, after: Read]

type Feature = { readonly spec: OperatorSpec; readonly computation: Standing }

type Running = {
  readonly steps: Steps
  readonly first: number
  readonly reached: Whole
  readonly reads: Reads
}

/** Steps from the first on, as many as there are slots: out[i] is the value once the step is done. */
export function runSteps(computation: Standing, states: readonly unknown[], slots: Int32Array, running: Running, out: Output): void {
  const { steps, first, reached, reads } = running
  const { left, came, dates } = steps
  const [before, after] = reads
  for (let i = 0; i < slots.length; i++) {
    const state = states[slots[i]!]
    const [leaves, comes] = [left[first + i]!, came[first + i]!]
    if (computation.reach) {
      const date = dates[first + i]!
      computation.reach(state, date > reached ? date : reached)
    }
    const was = leaves >= 0 && (before.flags === undefined || before.flags[leaves] === 1)
    const is = comes >= 0 && (after.flags === undefined || after.flags[comes] === 1)
    // Most of a fact that changes stays as it was: taken, and added again with the same words, it would be as if nothing had been.
    if (!was || !is || before.at[leaves] !== after.at[comes] || !isSame(before.values[leaves]!, after.values[comes]!)) {
      if (was) computation.take(state, plain(before.values[leaves]!), before.at[leaves]!, before.keys[leaves] as string)
      if (is) computation.add(state, plain(after.values[comes]!), after.at[comes]!, after.keys[comes] as string)
    }
    out[i] = computation.read(state)
  }
}

const isSame = (one: Value, other: Value): boolean => one === other || (one !== one && other !== other)

/** No zero is negative. */
const plain = (value: Value): Value => (typeof value === 'number' ? value + 0 : value)

const noKeys: Values = []

export function readsOf({ spec, computation }: Feature, record: RecordSchema, { before, after }: Steps, facts: Columns): Reads {
  const { reads } = operatorOf(spec)
  const key = facts.byName.get('key')
  const keys = computation.inOrder && key?.kind === 'text' ? keysIn(key) : noKeys
  const read = ({ columns, at }: Side): Read => {
    const column = columns.byName.get(spec.of)
    const field = record.fields[spec.of]!
    if (column?.kind !== field.kind) throw new TypeError(`column ${spec.of} is ${column?.kind ?? 'missing'}, not ${field.kind}`)
    const flag = typeof spec['when'] === 'string' ? columns.byName.get(spec['when']) : undefined
    if (typeof spec['when'] === 'string' && flag?.kind !== 'flag') throw new TypeError(`column ${spec['when']} is no flag`)
    return { values: reads(column) as Values, flags: flag?.kind === 'flag' ? flag.values : undefined, at, keys }
  }
  return [read(before), read(after)]
}

const keysRead = new WeakMap<object, Values>()

/** Once for all features. */
function keysIn(column: Parameters<typeof textsIn>[0]): Values {
  const made = keysRead.get(column) ?? textsIn(column)
  keysRead.set(column, made)
  return made
}
