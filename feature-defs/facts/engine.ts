/**
 * The engine over facts: takes what a change took back, adds what it brought, and reads the features of each key that it touched, once. A
 * tick moves the date of all keys, and those whose features change by it get a row.
 */
import { dropBeyond, featureColumn, outputOf, type FeatureColumn, type FeatureType, type Output } from '../feature-columns.ts'
import type { Definition, NamedFeature } from '../feature-set.ts'
import { computationOf, featureType } from '../known-operators.ts'
import type { Made, Maker, Past } from '../made.ts'
import { slotsOf } from '../slots.ts'
import { compareValues, type Value, type Whole } from '../values.ts'
import { duesInMemory, placeOf, placeText } from './dues.ts'
import { rowsMade, type RowsOf } from './rows-made.ts'
import { unitOf, type Standing, type Unit } from './standing.ts'
import { readsOf, runSteps, type Reads } from './run-steps.ts'
import { stepsOf, type Steps, type Tick } from './steps.ts'

type FeatureAtWork = NamedFeature & { readonly type: FeatureType; readonly computation: Standing; readonly states: unknown[] }

/** Rows of one sort that follow one another, with the values of each feature. */
type Stretch = { readonly rows: RowsOf; readonly values: readonly Output[] }

export function factEngine(definition: Definition, { from = new Map(), tick = null, findDue }: Past): Maker {
  const { record } = definition
  const unit = unitOf(record)
  const features = definition.features.map((feature): FeatureAtWork => ({
    ...feature,
    type: featureType(record, feature),
    computation: standingOf(feature, definition, unit),
    states: [],
  }))
  const slots = slotsOf(features, from)
  const dues = duesInMemory(unit)
  const dated = features.filter(({ computation }) => computation.due)
  let reached: Whole = tick ?? -Infinity
  let beyond = 0
  /** Slots that have moved since it was last looked when they are due. */
  let moved: number[] = []
  const hasMoved: boolean[] = []

  const dueOf = (slot: number): Whole => {
    let least: Whole = Infinity
    for (const { computation, states } of dated) {
      const due = computation.due!(states[slot])
      if (due < least) least = due
    }
    return least
  }

  const slotOf = (key: string): number => {
    const known = slots.met(key)
    if (known !== undefined) return known
    const slot = slots.slotOf(key)
    if (dated.length > 0) dues.opened(slot, dueOf(slot))
    return slot
  }

  const touch = (slot: number): void => {
    slots.touch(slot)
    if (dated.length === 0 || hasMoved[slot]) return
    hasMoved[slot] = true
    moved.push(slot)
  }

  const lookWhenDue = (): void => {
    for (const slot of moved) {
      dues.move(slot, dueOf(slot))
      hasMoved[slot] = false
    }
    moved = []
  }

  /** Steps from..to of all features, one after the other. */
  const take = (steps: Steps, reads: readonly Reads[], first: number, end: number): Stretch => {
    const rowSlots = new Int32Array(end - first)
    for (let step = first; step < end; step++) {
      const slot = slotOf(steps.keys[step]!)
      rowSlots[step - first] = slot
      touch(slot)
    }
    const values = features.map(({ type, computation, states }, i) => {
      const out = outputOf(type, end - first)
      runSteps(computation, states, rowSlots, { steps, first, reached, reads: reads[i]! }, out)
      return out
    })
    return { rows: { kind: 'steps', steps, first, end }, values }
  }

  /** The keys that may change by the date: those in memory, and those that were kept and not met since. */
  const dueAt = async (date: Whole): Promise<readonly number[]> => {
    lookWhenDue()
    const until = placeText(unit, placeOf(unit, date))
    const after = reached === -Infinity ? null : placeText(unit, placeOf(unit, reached))
    const found = (await findDue?.(until, after)) ?? []
    const known = new Set(dues.upTo(date))
    for (const one of found) dues.found(slotOf(one.key), one)
    for (const slot of dues.upTo(date)) known.add(slot)
    return [...known].sort((a, b) => compareValues(slots.keyOf(a), slots.keyOf(b)))
  }

  const goTo = async ({ date, message }: Tick): Promise<Stretch | undefined> => {
    if (!(date > reached)) return undefined
    const due = dated.length === 0 ? [] : await dueAt(date)
    const values = features.map(({ type }): Output => outputOf(type, due.length))
    let count = 0
    const keys: string[] = []
    for (const slot of due) {
      let differs = false
      for (const [i, { computation, states }] of features.entries()) {
        const state = states[slot]
        computation.reach?.(state, reached)
        const before = computation.reach ? computation.read(state) : NaN
        computation.reach?.(state, date)
        const value = computation.read(state)
        if (computation.reach && !isSame(before, value)) differs = true
        values[i]![count] = value
      }
      touch(slot)
      if (!differs) continue
      keys.push(slots.keyOf(slot))
      count++
    }
    dues.reached(due, date)
    reached = date
    return { rows: { kind: 'tick', message, date, keys }, values: values.map((some) => firstOf(some, count)) }
  }

  return {
    async push(facts): Promise<Made> {
      const steps = stepsOf(definition, unit, facts)
      const reads = features.map((feature) => readsOf(feature, definition.record, steps, facts))
      const stretches: Stretch[] = []
      let first = 0
      for (const tick of steps.ticks) {
        if (tick.step > first) stretches.push(take(steps, reads, first, tick.step))
        first = tick.step
        const rows = await goTo(tick)
        if (rows) stretches.push(rows)
      }
      if (steps.count > first || stretches.length === 0) stretches.push(take(steps, reads, first, steps.count))
      const values = features.map(({ type }, i): FeatureColumn => {
        const out = joined(
          type,
          stretches.map(({ values }) => values[i]!),
        )
        beyond += dropBeyond(type, out)
        return featureColumn(type, out)
      })
      return {
        records: rowsMade(
          definition,
          facts,
          steps,
          stretches.map(({ rows }) => rows),
        ),
        values,
      }
    },
    changes: slots.changes,
    changedKeys: slots.changedKeys,
    statesOf: slots.statesOf,
    noNumbers: () => new Map(),
    dueChanges() {
      lookWhenDue()
      return dues.changes(slots.keyOf)
    },
    tick: () => (reached === -Infinity ? null : Number(reached)),
    beyond() {
      const since = beyond
      beyond = 0
      return since
    },
  }
}

function standingOf({ name, spec }: NamedFeature, { set, record }: Definition, unit: Unit): Standing {
  const made = computationOf(spec, record.fields[spec.of]!).standing?.(unit)
  if (!made) throw new TypeError(`feature ${name} of ${set} is of the order of arrival, which facts have not`)
  return made
}

const isSame = (one: Value, other: Value): boolean => one === other || (one !== one && other !== other)

function firstOf(some: Output, count: number): Output {
  return some instanceof Float64Array ? some.subarray(0, count) : ((some as unknown as Value[]).slice(0, count) as unknown as Output)
}

function joined(type: FeatureType, some: readonly Output[]): Output {
  if (some.length === 1) return some[0]!
  const all = outputOf(
    type,
    some.reduce((sum, { length }) => sum + length, 0),
  )
  let at = 0
  for (const one of some) for (let i = 0; i < one.length; i++) all[at++] = one[i]!
  return all
}
