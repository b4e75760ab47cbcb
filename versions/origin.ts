/** What a version begins with that was never computed: what it replays, and what it goes on with of the version before. */
import { rowsTaken, type Position, type Run } from '../streams/position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { isModel } from '../feature-defs/models/model.ts'
import type { Pair } from '../streams/state.ts'
import type { Origin } from './bring.ts'
import { featureChanges } from './changes.ts'
import { hasRowsOfHistory, type Version } from './journal.ts'

export const lastRun = ({ runs }: Position, version: number): Run | undefined => runs.findLast((one) => one.version === version)

export const startOf = ({ origins }: Origin) => Math.min(Number.MAX_SAFE_INTEGER, ...Object.values(origins))

/** What a version that was never computed replays, and what it goes on with of a version that the stream computes. */
export function originOf(
  mode: Version['mode'],
  definition: Definition,
  previous: Definition | undefined,
  position: Position,
): Origin & { readonly inherited: readonly Pair[] } {
  if (hasRowsOfHistory({ mode }))
    return { origins: Object.fromEntries(definition.features.map(({ name }) => [name, 0])), inherited: [], withRows: true }
  if (mode === 'first') return { origins: {}, inherited: [], withRows: false }
  const before = previous && lastRun(position, previous.version)
  // A model has no state: nothing is replayed for it, and nothing taken over.
  const changes = featureChanges(previous, definition).filter(({ after }) => after !== null && !isModel(after))
  const pairs = changes.flatMap(({ feature, sameAs }) => (sameAs === null || !before ? [] : [[feature, sameAs] as const]))
  // What is new in a forward-only version is replayed over all history, and what it inherits from a version that has stopped from where
  // that one's began.
  const fresh =
    mode === 'forward-only'
      ? changes.filter(({ feature }) => !pairs.some(([name]) => name === feature)).map(({ feature }) => [feature, 0] as const)
      : []
  if (before?.until !== null) {
    const replayed = pairs.map(([feature, sameAs]) => [feature, before!.origins[sameAs]!] as const)
    return { origins: Object.fromEntries([...fresh, ...replayed]), inherited: [], withRows: false }
  }
  return { origins: Object.fromEntries(fresh), inherited: pairs, withRows: false }
}

type NewRun = {
  readonly version: number
  readonly mode: Version['mode']
  readonly origin: Origin
  readonly inherited: readonly Pair[]
  readonly definition: Definition
  readonly at: string
}

export function newRun(position: Position, { version, mode, origin, inherited, definition, at }: NewRun): Run {
  const all = origin.withRows || mode === 'first'
  const from = lastRun(position, version - 1)?.origins
  const taken = new Map(inherited.map(([feature, sameAs]) => [feature, from![sameAs]!]))
  return {
    version,
    mode,
    after: all ? 0 : position.seq,
    afterRows: all ? 0 : rowsTaken(position),
    switchedAfter: position.seq,
    switchedAt: at,
    until: null,
    origins: Object.fromEntries(definition.features.map(({ name }) => [name, origin.origins[name] ?? taken.get(name) ?? position.seq])),
  }
}
