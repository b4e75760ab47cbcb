/**
 * The life of versions as a journal: given what happened, when somebody asks for something, then this is decided, or refused with what to
 * do.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Mode } from '../streams/position.ts'
import { Problem } from '../utilities/values/problem.ts'
import { decide, type Command, type StillShown } from '../versions/decide.ts'
import {
  evolve,
  isComplete,
  nothingYet,
  promotedIn,
  shownIn,
  stateOf,
  toBeComputed,
  type SetState,
  type VersionEvent,
} from '../versions/journal.ts'

const by = { who: 'somebody', at: '2026-01-01T00:00:00.000Z', why: null }
const schema = { id: 'an id', definition: '{}' }

const planned = (version: number, mode: Mode, partitions = 1): VersionEvent => ({
  kind: 'planned',
  version,
  mode,
  partitions,
  schema,
  record: schema,
  ...by,
})
const switched = (version: number, afterSeq = 0, partition = 0): VersionEvent => ({
  kind: 'switched',
  version,
  partition,
  afterSeq,
  at: by.at,
})
const filled = (version: number): VersionEvent => ({ kind: 'filled', version, at: by.at })
const promoted = (version: number): VersionEvent => ({ kind: 'promoted', version, ...by })
const rolledBack = (version: number, to: number): VersionEvent => ({ kind: 'rolled back', version, to, ...by })
const retired = (version: number): VersionEvent => ({ kind: 'retired', version, ...by })
const settled: VersionEvent = { kind: 'settled', at: by.at }

const first = [planned(0, 'first'), promoted(0), switched(0), settled]
const cold = (version: number) => [planned(version, 'cold'), promoted(version), switched(version, 100), settled]
const backfilled = (version: number) => [planned(version, 'backfill'), switched(version, 100), filled(version), promoted(version), settled]

const apply = (version: number, mode: Mode): Command => ({ kind: 'apply', version, mode, partitions: 1, schema, record: schema, by })
const promote = (version: number): Command => ({ kind: 'promote', version, by })
const rollback: Command = { kind: 'rollback', by }
const retire = (version: number, still: Partial<StillShown> = {}): Command => ({
  kind: 'retire',
  version,
  still: { shown: null, onTheWay: 0, ...still },
  by,
})
const complete = (version: number): Command => ({ kind: 'complete', version, by })

const stateAfter = (events: readonly VersionEvent[]): SetState => events.reduce(evolve, nothingYet('scores'))

const given = (...events: readonly VersionEvent[]) => ({
  when: (command: Command) => ({
    // oxlint-disable-next-line unicorn/no-thenable -- nobody awaits it
    then: (...expected: readonly VersionEvent[]) => expect(decide(stateAfter(events), command)).toEqual(expected),
    refused(what: string, todo: string) {
      const found = decide(stateAfter(events), command)
      expect(found).toBeInstanceOf(Problem)
      expect([(found as Problem).what, (found as Problem).todo]).toEqual([what, todo])
    },
  }),
  isSo: (expected: {
    readonly states: readonly string[]
    readonly promoted: number | null
    readonly shown: readonly number[]
    readonly computed: readonly number[]
  }) => {
    const state = stateAfter(events)
    const found = {
      states: state.versions.map((one) => stateOf(state, one)),
      promoted: promotedIn(state),
      shown: shownIn(state),
      computed: toBeComputed(state).map(({ version }) => version),
    }
    expect(found).toEqual(expected)
  },
})

describe('apply', () => {
  it('shows the first version at once, and a cold one: neither has a history to fill', () => {
    given().when(apply(0, 'first')).then(planned(0, 'first'), promoted(0))
    given(...first)
      .when(apply(1, 'cold'))
      .then(planned(1, 'cold'), promoted(1))
  })

  it('shows a version with a backfill when it is filled, and a shadow not at all', () => {
    given(...first)
      .when(apply(1, 'backfill'))
      .then(planned(1, 'backfill'))
    given(...first, planned(1, 'backfill'), switched(1))
      .when(complete(1))
      .then(filled(1), promoted(1))
    given(...first, planned(1, 'shadow'), switched(1))
      .when(complete(1))
      .then(filled(1))
    given(...first, planned(1, 'shadow'), switched(1), filled(1)).isSo({
      states: ['promoted', 'shadow'],
      promoted: 0,
      shown: [0],
      computed: [1, 0],
    })
  })

  it('keeps a shadow a shadow, with an empty history too', () =>
    given(...first)
      .when(apply(1, 'shadow'))
      .then(planned(1, 'shadow')))

  it('does not take for filled what some partition has not come to', () =>
    given(...first, planned(1, 'backfill', 2), switched(1, 100, 0))
      .when(complete(1))
      .refused('the stream does not compute scores@1 on every partition', 'Finish it: tidemark apply scores@1'))

  it('takes versions in their order, and the one before must be finished or given up', () => {
    given(...first)
      .when(apply(2, 'cold'))
      .refused('scores@1 is not applied yet, and versions come in order', 'Run first: tidemark apply scores@1')
    given(...first, planned(1, 'backfill'))
      .when(apply(2, 'cold'))
      .refused(
        'scores@1 is not finished',
        'Finish it first: tidemark apply scores@1. Where its history is not to be had any more: tidemark retire scores@1',
      )
    given(...first, planned(1, 'backfill'), retired(1), settled)
      .when(apply(2, 'cold'))
      .then(planned(2, 'cold'), promoted(2))
  })

  it('is finished the way it was begun, or begun anew another way as long as nothing runs', () => {
    given(...first, planned(1, 'backfill'))
      .when(apply(1, 'backfill'))
      .then()
    given(...first, planned(1, 'backfill'))
      .when(apply(1, 'cold'))
      .then(planned(1, 'cold'), promoted(1))
    given(...first, planned(1, 'backfill', 2), switched(1, 5, 0))
      .when(apply(1, 'cold'))
      .refused(
        'scores@1 was begun with --backfill and is not finished',
        'Finish it so: tidemark apply scores@1 --backfill, or give it up: tidemark retire scores@1',
      )
  })

  it('begins a cold version again that was rolled back before it was computed', () => {
    const before = [...first, planned(1, 'cold'), promoted(1), rolledBack(1, 0), settled]
    given(...before).isSo({ states: ['promoted', 'registered'], promoted: 0, shown: [0], computed: [0] })
    given(...before)
      .when(apply(1, 'cold'))
      .then(planned(1, 'cold'), promoted(1))
    given(...before)
      .when(apply(1, 'backfill'))
      .then(planned(1, 'backfill'))
  })

  it('does nothing twice', () =>
    given(...first, ...backfilled(1))
      .when(apply(1, 'backfill'))
      .then())
})

describe('promote', () => {
  it('shows a version that is complete, and nothing else', () => {
    given(...first, ...backfilled(1))
      .when(promote(0))
      .then(promoted(0))
    given(...first, ...backfilled(1))
      .when(promote(1))
      .then()
    given(...first)
      .when(promote(1))
      .refused('scores@1 is not applied', 'Run: tidemark apply scores@1')
    given(...first, planned(1, 'shadow'))
      .when(promote(1))
      .refused('the history of scores@1 is not complete, so it cannot be shown', 'Finish it: tidemark apply scores@1 --shadow')
    given(...first, planned(1, 'shadow'), switched(1))
      .when(promote(1))
      .refused('the history of scores@1 is not complete, so it cannot be shown', 'Finish it: tidemark apply scores@1 --shadow')
  })

  it('stops what was shown before, and leaves shadows alone', () =>
    given(...first, planned(1, 'shadow'), switched(1), filled(1), settled, ...backfilled(2)).isSo({
      states: ['superseded', 'shadow', 'promoted'],
      promoted: 2,
      shown: [2, 0],
      computed: [2, 1],
    }))
})

describe('rollback', () => {
  it('goes back one promotion, and every promotion counts', () => {
    given(...first, ...backfilled(1))
      .when(rollback)
      .then(rolledBack(1, 0))
    // @0 was shown, then @1, then @0 again: back is @1, and behind it @0 is still shown where @1 has no row.
    const again = [...first, ...cold(1), promoted(0), settled]
    given(...again)
      .when(rollback)
      .then(rolledBack(0, 1))
    given(...again, rolledBack(0, 1), settled).isSo({ states: ['superseded', 'promoted'], promoted: 1, shown: [1, 0], computed: [1] })
    given(...again, rolledBack(0, 1), settled)
      .when(retire(0, { shown: { rows: 7, first: 1, last: 7 } }))
      .refused(
        'scores still shows 7 rows of scores@0 (records 1 to 7)',
        'Give the promoted version rows for them with a backfill; only then can scores@0 be retired.',
      )
  })

  it('that was cut short at any moment goes no further when it is asked for again', () =>
    given(...first, ...backfilled(1), ...backfilled(2), rolledBack(2, 1))
      .when(rollback)
      .then())

  it('that was told to whoever asked goes one further', () =>
    given(...first, ...backfilled(1), ...backfilled(2), rolledBack(2, 1), settled)
      .when(rollback)
      .then(rolledBack(1, 0)))

  it('never shows a version that was not computed', () => {
    const before = [...first, planned(1, 'cold'), promoted(1), promoted(0), settled]
    given(...before).isSo({ states: ['promoted', 'registered'], promoted: 0, shown: [0], computed: [0] })
    given(...before)
      .when(rollback)
      .refused('scores@0 is the only version that SQL users have seen', 'There is nothing to go back to; see: tidemark versions scores')
    given(...before)
      .when(apply(1, 'cold'))
      .then(planned(1, 'cold'), promoted(1))
  })

  it('is refused when there is nothing to go back to', () => {
    given().when(rollback).refused('no version of scores is applied', 'Run: tidemark apply scores@0')
    given(...first)
      .when(rollback)
      .refused('scores@0 is the only version that SQL users have seen', 'There is nothing to go back to; see: tidemark versions scores')
  })
})

describe('retire', () => {
  it('is for what nobody sees, now or once the sink has written what is on its way', () => {
    given(...first, ...backfilled(1))
      .when(retire(0))
      .then(retired(0))
    given(...first, ...backfilled(1))
      .when(retire(1))
      .refused('scores@1 is the promoted version', 'Promote another one first: tidemark promote scores@N')
    given(...first, ...cold(1))
      .when(retire(0, { onTheWay: 12 }))
      .refused(
        '12 rows of scores@0 are on their way to the warehouse, and scores may show them',
        'Let the sink write them: tidemark sink --until-caught-up; then run this again.',
      )
    given(...first, ...backfilled(1), retired(0), settled)
      .when(retire(0))
      .then()
  })

  it('gives up a version that was begun and cannot be finished', () =>
    given(...first, planned(1, 'backfill'))
      .when(retire(1))
      .then(retired(1)))
})

describe('whatever is asked for, in whatever order, cut short wherever', () => {
  const version = fc.integer({ min: 0, max: 3 })
  const command = fc.oneof(
    fc
      .record({ kind: fc.constant('apply' as const), version, mode: fc.constantFrom<Mode>('cold', 'forward-only', 'backfill', 'shadow') })
      .map(({ version, mode }) => apply(version, version === 0 ? 'first' : mode)),
    version.map(promote),
    fc.constant(rollback),
    version.map((one) => retire(one)),
    version.map((one): Command => ({ kind: 'complete', version: one, by })),
    fc.constant<Command>({ kind: 'settle', at: by.at }),
  )
  /** A command, and on how many of two partitions what is to be computed comes to be so before it is killed. */
  const step = fc.record({ command, partitions: fc.integer({ min: 0, max: 2 }) })

  it('what SQL users see is complete or falls back to what is; nothing retired is shown or computed; the promoted version is always computed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        let state = nothingYet('scores')
        for (const { command, partitions } of steps) {
          if (command.kind === 'complete' && !state.versions[command.version]) continue
          const events = decide(state, command.kind === 'apply' ? { ...command, partitions: 2 } : command)
          if (events instanceof Problem) continue
          state = events.reduce(evolve, state)
          for (const { version } of toBeComputed(state))
            for (let partition = 0; partition < partitions; partition++)
              if (!state.versions[version]!.switches[partition]) state = evolve(state, switched(version, 1, partition))
          const shown = shownIn(state)
          const isFinished = (version: number) => isComplete(state.versions[version]!)
          // A version without a history to fill may be on top before it is computed: below it is what is.
          expect(shown.slice(1).every(isFinished)).toBe(true)
          expect(
            [...shown, ...toBeComputed(state).map((one) => one.version)].filter((version) => state.versions[version]!.retired),
          ).toEqual([])
          if (promotedIn(state) !== null) expect(toBeComputed(state).map((one) => one.version)).toContain(promotedIn(state))
          expect(state.versions.map((one) => one.version)).toEqual(state.versions.map((_, i) => i))
        }
      }),
      { numRuns: 2000 },
    )
  })
})
