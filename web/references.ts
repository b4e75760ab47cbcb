/**
 * The features that a request names, found in what is served. A name that is not there is an error with its name, never another one's
 * value.
 */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import type { ServedRow, ServedSet, ServedState } from '../serving/serving.ts'
import type { KeyField } from './keys.ts'
import { Missing, Refused } from './refused.ts'

/** A version of a set that is asked for. */
export type Asked = {
  readonly set: string
  readonly version: number
  readonly definition: Definition
  readonly key: readonly KeyField[]
  /** Named with its version; else it is the promoted one. */
  readonly isPinned: boolean
  /** It, then those promoted before it, of which a key is shown that it has no row of; alone where it is pinned. */
  readonly chain: readonly Definition[]
  /** What it was found in. */
  readonly of: ServedSet
}

/** `loan_risk:ma50`, `loan_risk@1:ma50`, and as Feast writes it, `loan_risk@v1:ma50`; `@latest` is its word for no version. */
const written = /^([^:@]+)(?:@(?:[vV]?(\d{1,9})|latest))?:([^:]+)$/

export function referenceOf(said: string): { readonly set: string; readonly version: number | undefined; readonly feature: string } {
  const found = written.exec(said)
  if (!found)
    throw new Refused(
      400,
      `${JSON.stringify(said)} names no feature`,
      'Write SET:FEATURE, or SET@VERSION:FEATURE, as in "loan_risk@1:ma50".',
    )
  return { set: found[1]!, version: found[2] === undefined ? undefined : Number(found[2]), feature: found[3]! }
}

const labelled = /^([^:@]+)(?:@[vV]?(\d{1,9}))?$/

/** `loan_risk` or `loan_risk@1`. */
export function setWritten(said: string): { readonly set: string; readonly version: number | undefined } {
  const found = labelled.exec(said)
  if (!found) throw new Missing(`${JSON.stringify(said)} names no feature set`, 'Write SET or SET@VERSION, as in loan_risk@1.')
  return { set: found[1]!, version: found[2] === undefined ? undefined : Number(found[2]) }
}

export function servedSet({ sets }: ServedState, name: string): ServedSet {
  const set = sets.get(name)
  if (set) return set
  const todo = sets.size === 0 ? 'None is served yet: apply one, with tidemark apply.' : `There are ${[...sets.keys()].join(', ')}.`
  throw new Missing(`there is no feature set ${name}`, todo)
}

export function servedVersion(state: ServedState, name: string, version: number | undefined): Asked {
  const set = servedSet(state, name)
  const there = [...set.versions.keys()].map((one) => label({ set: name, version: one })).join(', ') || 'none'
  const meant = version ?? set.promoted
  if (meant === undefined) throw new Missing(`no version of ${name} is promoted`, `Promote one, or name one of those there are: ${there}.`)
  const definition = set.versions.get(meant)
  if (!definition) throw new Missing(`there is no ${label({ set: name, version: meant })}`, `There are these: ${there}.`)
  const isPinned = version !== undefined
  const chain = isPinned ? [definition] : set.chain.flatMap((one) => set.versions.get(one) ?? [])
  return { set: name, version: meant, definition, key: keyOf(definition), isPinned, chain, of: set }
}

/** The newest row of the key, and where in the chain it was found. */
export function rowInChain(
  state: ServedState,
  { set, chain }: Asked,
  key: string,
): { readonly row: ServedRow; readonly link: number } | undefined {
  for (let link = 0; link < chain.length; link++) {
    const row = state.row(set, chain[link]!.version, key)
    if (row) return { row, link }
  }
  return undefined
}

/** What was found is what would be found now. */
export const isStill = ({ sets }: ServedState, { set, of }: Asked): boolean => sets.get(set) === of

/** Its place in the texts of a row, of which the first is the time, for each version of the chain: -1 in one that does not have it. */
export function featurePlaces(asked: Asked, name: string): readonly number[] {
  const found = asked.chain.map(({ features }) => features.findIndex((feature) => feature.name === name))
  if (found[0] !== -1) return found.map((at) => (at === -1 ? -1 : at + 1))
  const there = asked.definition.features.map((one) => one.name).join(', ')
  throw new Missing(`${label(asked)} has no feature ${name}`, `It has ${there}.`)
}

export const keyOf = ({ per, record }: Definition): readonly KeyField[] =>
  keyFields(per).map((name) => ({ name, field: record.fields[name]! }))
