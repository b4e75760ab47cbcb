/** What services read, out of plain values: a store for tests of what stands above it. */
import type { Definition } from '../feature-defs/feature-set.ts'
import type { ServedFact, ServedPlace, ServedRow, ServedSet, ServedState, ServedValue, Serving } from '../serving/serving.ts'

export type Kept = {
  readonly versions: readonly Definition[]
  /** The promoted version, then those before it. */
  readonly chain?: readonly number[]
  /** By version, then by key. */
  readonly rows: Readonly<Record<number, Readonly<Record<string, readonly ServedValue[]>>>>
}

type Facts = Readonly<Record<string, Readonly<Record<string, ServedFact>>>>

/** Can be changed as it is read from. */
export type Held = Serving & { sets: Readonly<Record<string, Kept>>; at: readonly ServedPlace[]; caughtUp: boolean }

export function servingOf(sets: Readonly<Record<string, Kept>>, facts: Facts = {}): Held {
  const held: Held = {
    sets,
    at: [],
    caughtUp: true,
    read: (look) => look(stateOf(held.sets, facts)),
    places: () => held.at,
    isCaughtUp: () => held.caughtUp,
    ended: new Promise(() => {}),
    close: async () => {},
  }
  return held
}

const stateOf = (sets: Readonly<Record<string, Kept>>, facts: Facts): ServedState => ({
  sets: new Map(Object.entries(sets).map(([name, kept]) => [name, servedSet(name, kept)])),
  row(set, version, key) {
    const values = own(own(sets[set]!.rows, String(version)) ?? {}, key)
    return values === undefined ? undefined : servedRow(version, values)
  },
  texts(set, version, keys) {
    return keys.map((key) => {
      const row = this.row(set, version, key)
      return row && [row.atMs, ...row.values].map((value) => JSON.stringify(value))
    })
  },
  fact: (name, key) => own(own(facts, name) ?? {}, key),
})

const own = <T>(all: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(all, name) ? all[name] : undefined)

const servedSet = (name: string, { versions, chain = [] }: Kept): ServedSet => ({
  name,
  promoted: chain[0],
  chain,
  versions: new Map(versions.map((one) => [one.version, one])),
})

/** What a row says beside its values is the same for all of a version. */
const servedRow = (version: number, values: readonly ServedValue[]): ServedRow => ({
  version,
  seq: 7,
  modified: 1_767_225_600_000_000_001n,
  known: 1_767_225_600_000_000_000n,
  atMs: Date.UTC(2012, 0, 1 + version),
  change: null,
  values,
})
