/** What the addresses below /v1 answer: sets, versions, the row of a key, the fact of a key. */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { featureType } from '../feature-defs/known-operators.ts'
import { isFact, type FactSchema } from '../schemas/fact.ts'
import type { ServedState } from '../serving/serving.ts'
import { standsAs, streamOf } from '../streams/stream.ts'
import type { Json } from '../utilities/values/json.ts'
import { momentText } from './features-text.ts'
import { keyTextOf, type Given, type KeyField } from './keys.ts'
import { keyOf, rowInChain, servedSet, servedVersion, setWritten } from './references.ts'
import { Missing, Refused } from './refused.ts'

export const allSets = (state: ServedState): Json => ({ sets: [...state.sets.keys()].map((name) => aSet(state, name)) })

/** `loan_risk` has all of its versions, `loan_risk@1` that one. */
export function setNamed(state: ServedState, said: string): Json {
  const { set, version } = setWritten(said)
  return version === undefined ? aSet(state, set) : aVersion(servedVersion(state, set, version).definition, servedSet(state, set).promoted)
}

function aSet(state: ServedState, name: string): Json {
  const { promoted, versions } = servedSet(state, name)
  return { name, promoted: promoted ?? null, versions: [...versions.values()].map((definition) => aVersion(definition, promoted)) }
}

const aVersion = (definition: Definition, promoted: number | undefined): Json => ({
  set: definition.set,
  version: definition.version,
  promoted: definition.version === promoted,
  over: definition.record.name,
  key: keyOf(definition).map(({ name, field }) => ({ name, kind: field.kind })),
  features: definition.features.map(({ name, spec }) => ({ name, kind: featureType(definition.record, { spec }).kind, made: spec })),
})

/** `said` is the set with or without its version; no parts are those of a set without a key. */
export function rowOf(state: ServedState, said: string, parts: readonly Given[]): Json {
  const { set, version } = setWritten(said)
  const asked = servedVersion(state, set, version)
  const key = keyFrom(asked.key, parts, set)
  const found = rowInChain(state, asked, key.text)
  if (!found) throw new Missing(`${label(asked)} has no row${asked.key.length === 0 ? ' yet' : ` of ${saidText(key.said)}`}`, noSuchKey)
  const { row, link } = found
  const places = asked.chain[link]!.features.map(({ name }) => name)
  return {
    set,
    key: key.said,
    _version: row.version,
    _seq: row.seq,
    _modified_ts: String(row.modified),
    _known_ts: String(row.known),
    _change: row.change,
    event_timestamp: momentText(row.atMs),
    features: Object.fromEntries(asked.definition.features.map(({ name }) => [name, row.values[places.indexOf(name)] ?? null])),
  }
}

export function factOf(state: ServedState, name: string, parts: readonly Given[]): Json {
  const facts = factsIn(state)
  const schema = facts.get(name)
  if (!schema) {
    const todo = facts.size === 0 ? 'No set that is served is over facts.' : `There are ${[...facts.keys()].join(', ')}.`
    throw new Missing(`there is no fact ${name}`, todo)
  }
  const { of } = schema.fact
  const fields = of.key.map((own) => ({ name: own, field: of.fields[own]! }))
  const key = keyFrom(fields, parts, name)
  const fact = state.fact(name, key.text)
  if (!fact) throw new Missing(`${name} has no fact ${saidText(key.said)}`, noSuchKey)
  return { fact: name, key: key.said, _seq: fact.seq, _known_ts: String(fact.known), fields: fact.fields }
}

const noSuchKey = 'Check the key; what has not come in yet is not there.'
const saidText = (key: { readonly [name: string]: Given }): string =>
  Object.entries(key)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(', ')

/** By their names in the warehouse, of every set version that is over one. */
const factsIn = ({ sets }: ServedState): ReadonlyMap<string, FactSchema> =>
  new Map(
    [...sets.values()]
      .flatMap(({ versions }) => [...versions.values()].map(({ record }) => record))
      .filter(isFact)
      .map((record) => [standsAs(streamOf(record)), record]),
  )

function keyFrom(fields: readonly KeyField[], parts: readonly Given[], of: string) {
  if (parts.length !== fields.length) {
    const names = fields.map(({ name }) => name).join(', ')
    const todo =
      fields.length === 0
        ? `It has no key: ask for /v1/sets/${of}/row.`
        : `Give ${names}, with commas between them; a comma within one is written %2C.`
    throw new Refused(400, `the key of ${of} has ${fields.length} parts, and ${parts.length} are given`, todo)
  }
  const text = keyTextOf(fields, (at) => parts[at]!)
  return { text, said: Object.fromEntries(fields.map(({ name }, at) => [name, parts[at]!])) }
}
