/** The laws of features over facts: a key's value is a function of its standing facts and its date, whatever way they came there. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OperatorSpec } from '../feature-defs/define-operator.ts'
import type { Standing as Computation, Unit } from '../feature-defs/facts/standing.ts'
import { dropBeyond, featureColumn, outputOf } from '../feature-defs/feature-columns.ts'
import { sameness } from '../feature-defs/fractions.ts'
import { computationOf, featureType, operatorOf, operators } from '../feature-defs/known-operators.ts'
import { written } from '../feature-defs/state-bytes.ts'
import type { FieldKind } from '../feature-defs/takes.ts'
import { wholeOf, type Value as Held, type Whole } from '../feature-defs/values.ts'
import { exactOf, valuesIn, type Input, type Standing, type Value } from './exact.ts'
import { anyValue, clock, firstDay, kinds, specs, stretch } from './operator-specs.ts'

const dayMicros = 86_400_000_000n

type Fact = Standing & { readonly day: number; readonly micros: bigint }
/** What happens to a key: one fact leaves, or one comes, or both; or a date has come. */
type Change =
  | { readonly left: Fact | null; readonly came: Fact | null; readonly moves: boolean }
  | { readonly tick: { readonly day: number; readonly micros: bigint } }

/** Dates are counted in days, or in microseconds: the facts of a day then all happen when it begins. */
const inUnit = (unit: Unit, { day, micros }: { readonly day: number; readonly micros: bigint }): Whole =>
  unit === 'date' ? day : wholeOf(micros)

/** A key that goes through changes, beside the plain meaning of the same. */
function keyWith(spec: OperatorSpec, kind: FieldKind, unit: Unit) {
  const { field, column } = kinds[kind]
  const type = featureType({ name: 'r', at: 'x', fields: { x: field } }, { spec })
  const computation: Computation = computationOf(spec, field).standing!(unit)
  const { reads } = operatorOf(spec)
  const heldAs = (input: Input) => {
    const value = (reads(column([input])) as ArrayLike<Held>)[0]!
    // As the engine gives it: no zero is negative.
    return typeof value === 'number' ? value + 0 : value
  }
  let state = computation.init()
  const facts = new Map<string, Fact>()
  let date: { readonly day: number; readonly micros: bigint } | null = null
  let bytes = 0
  const reach = (at: { readonly day: number; readonly micros: bigint }) => {
    if (date === null || at.micros > date.micros) date = { day: at.day, micros: at.micros }
    computation.reach?.(state, inUnit(unit, at))
  }
  const move = (by: 'add' | 'take', fact: Fact) => {
    const { input, key, part = true } = fact
    bytes = Math.max(bytes, key.length, typeof input === 'string' ? Buffer.byteLength(input) : 0)
    if (part) computation[by](state, heldAs(input), inUnit(unit, fact), key)
  }
  return {
    facts,
    change(change: Change) {
      if ('tick' in change) return reach(change.tick)
      if (change.left) {
        facts.delete(change.left.key)
        move('take', change.left)
      }
      if (!change.came) return
      facts.set(change.came.key, change.came)
      move('add', change.came)
      if (change.moves) reach(change.came)
    },
    value(): Value {
      const out = outputOf(type, 1)
      out[0] = computation.read(state)
      dropBeyond(type, out)
      return valuesIn(featureColumn(type, out))[0]!
    },
    exactly: (at = date): Value => exactOf(spec, field, [...facts.values()], at && { row: 0, ...at }),
    due: () => computation.due?.(state) ?? Infinity,
    date: () => date,
    reload() {
      const saved = written((to) => computation.put(to, state))
      const all = [...facts.values()]
      const most = {
        places: all.length,
        values: new Set(all.map(({ input, key }) => `${key} ${input === null || sameness(input)}`)).size,
        bytes,
      }
      expect(saved.length).toBeLessThanOrEqual(computation.mostBytes(most))
      state = computation.load(saved)
      expect(computation.load(written((to) => computation.put(to, state)))).toEqual(state)
    },
  }
}

/** Those that facts can have: where the order of arrival is the meaning there is none. */
const overFacts = specs.filter(([, spec, kind]) => computationOf(spec, kinds[kind].field).standing)

/** Facts come, change and leave, some of a time to come, and dates come, all by chance. */
function histories(kind: FieldKind, unit: Unit) {
  const step = fc.record({
    id: fc.nat(11),
    does: fc.constantFrom('come', 'come', 'come', 'leave', 'tick'),
    days: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -3, max: 4 }) }, fc.integer({ min: -45, max: 60 })),
    at: clock,
    part: fc.integer({ min: 0, max: 4 }).map((one) => one > 0),
    isKnown: fc.integer({ min: 0, max: 4 }).map((one) => one > 0),
    reload: fc.integer({ min: 0, max: 5 }).map((one) => one === 0),
  })
  return fc
    .tuple(firstDay, fc.array(fc.tuple(step, fc.option(anyValue, { freq: 5 })), { maxLength: 40 }), fc.option(stretch))
    .map(([first, steps, alike]) => {
      const facts = new Map<string, Fact>()
      let day: number = first
      return steps.map(
        ([{ id, does, days, at, part, isKnown, reload }, any], row): { readonly change: Change; readonly reload: boolean } => {
          const when = day + days
          if (days < 5) day = Math.max(day, when)
          const moment = { day: when, micros: BigInt(when) * dayMicros + (unit === 'date' ? 0n : BigInt(at)) }
          if (does === 'tick') return { change: { tick: moment }, reload }
          const key = `f${id % 7 === 6 ? 'ä' : ''}${id}`
          const left = facts.get(key) ?? null
          facts.delete(key)
          if (does === 'leave') return { change: { left, came: null, moves: false }, reload }
          const value = alike && alike.length > 0 ? alike[row % alike.length]! : any
          const came: Fact = { key, part, input: value === null ? null : kinds[kind].of(value), ...moment }
          facts.set(key, came)
          return { change: { left, came, moves: isKnown }, reload }
        },
      )
    })
}

const unitsOf = (spec: OperatorSpec): readonly Unit[] => ('hours' in spec ? ['timestamp'] : ['date', 'timestamp'])

describe.each(overFacts)('%s of facts', (_, spec, kind) => {
  const numRuns = kind === 'number' ? 25 : 8

  it('equals the plain meaning of the facts that stand and the date, wherever it is saved and loaded', () => {
    for (const unit of unitsOf(spec))
      fc.assert(
        fc.property(histories(kind, unit), (history) => {
          const key = keyWith(spec, kind, unit)
          for (const { change, reload } of history) {
            key.change(change)
            if (reload) key.reload()
            expect(key.value()).toEqual(key.exactly())
          }
        }),
        { numRuns },
      )
  })

  it('is the same for any order of arrival, with what was taken back never been and what changed so all along, ticks early or late', () => {
    for (const unit of unitsOf(spec))
      fc.assert(
        fc.property(histories(kind, unit), fc.infiniteStream(fc.nat()), (history, chance) => {
          const key = keyWith(spec, kind, unit)
          for (const { change } of history) key.change(change)
          const again = keyWith(spec, kind, unit)
          const date = key.date()
          const early = chance.next().value % 2 === 0
          if (early && date) again.change({ tick: date })
          const rest = [...key.facts.values()]
          while (rest.length > 0) {
            const [came] = rest.splice(chance.next().value % rest.length, 1)
            again.change({ left: null, came: came!, moves: false })
          }
          if (!early && date) again.change({ tick: date })
          expect(again.value()).toEqual(key.value())
          expect(again.due()).toEqual(key.due())
        }),
        { numRuns },
      )
  })

  it('does not fail where a fact leaves that never came', () => {
    for (const unit of unitsOf(spec))
      fc.assert(
        fc.property(histories(kind, unit), (history) => {
          const key = keyWith(spec, kind, unit)
          for (const { change, reload } of history) {
            key.change('tick' in change ? change : { ...change, left: change.left ?? change.came })
            if (reload) key.reload()
            key.value()
          }
        }),
        { numRuns: 4 },
      )
  })

  it('changes by no date before the one that is due', () => {
    for (const unit of unitsOf(spec))
      fc.assert(
        fc.property(histories(kind, unit), fc.array(fc.integer({ min: 0, max: 70 }), { maxLength: 6 }), (history, later) => {
          const key = keyWith(spec, kind, unit)
          for (const { change } of history) key.change(change)
          const [date, due] = [key.date(), key.due()]
          if (!date) return
          const moments = later.map((days) => ({ day: date.day + days, micros: date.micros + BigInt(days) * dayMicros }))
          const last = due === Infinity ? [] : [momentBefore(unit, due)]
          for (const moment of [...moments, ...last])
            if (inUnit(unit, moment) < due && moment.micros >= date.micros) expect(key.exactly(moment)).toEqual(key.value())
        }),
        { numRuns },
      )
  })
})

function momentBefore(unit: Unit, due: Whole) {
  const micros = unit === 'date' ? (BigInt(due) - 1n) * dayMicros : BigInt(due) - 1n
  const rest = ((micros % dayMicros) + dayMicros) % dayMicros
  return { day: Number((micros - rest) / dayMicros), micros }
}

describe('features that facts can have', () => {
  it('are all but those whose meaning is the order of arrival', () => {
    const names = new Set(overFacts.map(([, { op }]) => op))
    const without = operators.filter(({ op }) => !names.has(op))
    expect(without.map(({ op }) => op)).toEqual(['ema', 'since'])
    // Each says what to use instead.
    expect(without).toEqual(operators.filter((one) => one.overFacts !== undefined))
  })
})
