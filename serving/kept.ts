/** What serving keeps, under which names: rows and facts by key, which versions of each set are shown, and its place in each partition. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { isFact } from '../schemas/fact.ts'
import type { ServedEntry, ServedReader } from '../utilities/served.ts'
import type { Shown } from '../streams/for-services.ts'
import type { Seen } from './seen.ts'
import { partsOfJson } from '../utilities/values/json-parts.ts'
import type { RowTexts, ServedFact, ServedRow, ServedSet, ServedState } from './serving.ts'

export const rowsTable = (set: string, version: number) => `rows/${set}@${version}`
export const factsTable = (name: string) => `facts/${name}`

const placePrefix = 'place/'
export const placeNote = (topic: string, partition: number) => `${placePrefix}${topic}/${partition}`
/** In which topic it is a place: none means anything in another. */
export type KeptPlace = { readonly id: string; readonly next: number }

const setPrefix = 'set/'
export const setNote = (set: string) => `${setPrefix}${set}`
export type KeptSet = { readonly shown: Shown; readonly definitions: readonly Definition[] }

const seenPrefix = 'seen/'
export const seenNote = (set: string) => `${seenPrefix}${set}`
export const keptSeen = (reader: ServedReader): Map<string, Seen> =>
  new Map([...reader.notes(seenPrefix)].map(([name, text]) => [name.slice(seenPrefix.length), JSON.parse(text) as Seen]))

export const factPrefix = 'fact/'
/** The names of its fields, in the order in which their values are kept. */
export const factNote = (name: string) => `${factPrefix}${name}`

/** Before the features of a row: when it was computed and when it happened, and over facts what became of the fact. */
export const leading = ({ record }: Pick<Definition, 'record'>): readonly string[] =>
  isFact(record) ? ['_modified_ts', '_at', '_change'] : ['_modified_ts', '_at']

function rowOf(definition: Definition, { seq, known, values }: ServedEntry): ServedRow {
  const [modified, atMs, change] = values
  const lead = leading(definition).length
  return {
    version: definition.version,
    seq,
    known,
    atMs: atMs as number,
    change: lead > 2 ? (change as string) : null,
    values: values.slice(lead),
    // Few ask for it.
    get modified() {
      return BigInt(modified as string)
    },
  }
}

/** Without when it was computed, and what became of the fact. */
function rowTexts(text: string, hasChange: boolean): RowTexts {
  const [at, ...values] = hasChange ? partsOfJson(text, 1) : []
  return hasChange ? [at!, ...values.slice(1)] : partsOfJson(text, 1)
}

function factOf(names: readonly string[], { seq, known, values }: ServedEntry): ServedFact {
  return { seq, known, fields: Object.fromEntries(names.map((name, i) => [name, values[i]!])) }
}

export const keptSets = (reader: ServedReader): Map<string, KeptSet> =>
  new Map([...reader.notes(setPrefix)].map(([name, text]) => [name.slice(setPrefix.length), JSON.parse(text) as KeptSet]))

type Known = {
  readonly turn: number
  readonly sets: ReadonlyMap<string, ServedSet>
  readonly tables: ReadonlyMap<string, ReadonlyMap<number, string>>
  readonly facts: ReadonlyMap<string, { readonly table: string; readonly names: readonly string[] }>
}

/** States for readers: what only a turn changes is made anew when there was one. */
export function states(): (reader: ServedReader) => ServedState {
  let known: Known | undefined
  return (reader) => {
    const turn = reader.turn()
    if (known?.turn !== turn) known = knownBy(reader, turn)
    const { sets, tables, facts } = known
    return {
      sets,
      row(set, version, key) {
        const definition = sets.get(set)?.versions.get(version)
        const entry = definition && reader.entry(tables.get(set)!.get(version)!, key)
        return entry && rowOf(definition, entry)
      },
      texts(set, version, keys) {
        const definition = sets.get(set)?.versions.get(version)
        if (!definition) return keys.map(() => undefined)
        const hasChange = leading(definition).length > 2
        const texts = reader.texts(tables.get(set)!.get(version)!, keys)
        return texts.map((text) => (text === undefined ? undefined : rowTexts(text, hasChange)))
      },
      fact(name, key) {
        const fact = facts.get(name)
        const entry = fact && reader.entry(fact.table, key)
        return entry && factOf(fact.names, entry)
      },
    }
  }
}

function knownBy(reader: ServedReader, turn: number): Known {
  const kept = keptSets(reader)
  const sets = [...kept].map(([name, { shown, definitions }]): readonly [string, ServedSet] => [
    name,
    {
      name,
      promoted: shown.chain[0],
      chain: shown.chain,
      versions: new Map(definitions.map((definition) => [definition.version, definition])),
    },
  ])
  const tablesOf = (set: string, { definitions }: KeptSet) => new Map(definitions.map(({ version }) => [version, rowsTable(set, version)]))
  const facts = [...reader.notes(factPrefix)].map(([note, text]) => {
    const name = note.slice(factPrefix.length)
    return [name, { table: factsTable(name), names: JSON.parse(text) as string[] }] as const
  })
  return {
    turn,
    sets: new Map(sets),
    tables: new Map([...kept].map(([set, one]) => [set, tablesOf(set, one)])),
    facts: new Map(facts),
  }
}
