/**
 * Writes what partitions say, each part with its place: rows and facts as entries, and which versions are shown once all partitions have
 * told it, all in one transaction.
 */
import type { Complete } from '../streams/cut-groups.ts'
import type { Shown } from '../streams/for-services.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { streamOf } from '../streams/stream.ts'
import type { Registry } from '../utilities/registry.ts'
import type { EntryLot, Note, Served } from '../utilities/served.ts'
import { rowEntries } from './entries.ts'
import {
  factNote,
  factPrefix,
  factsTable,
  keptSeen,
  keptSets,
  placeNote,
  rowsTable,
  seenNote,
  setNote,
  type KeptPlace,
  type KeptSet,
} from './kept.ts'
import { shownOf, type Lane } from './lanes.ts'
import { goesBy, nothingSeen, passed, see } from './seen.ts'

export type Place = { readonly topic: string; readonly partition: number; readonly id: string }

export function keeper(served: Served, registry: Registry) {
  const { seen, sets } = served.read((reader) => ({ seen: keptSeen(reader), sets: keptSets(reader) }))
  const placed = ({ topic, partition, id }: Place, next: number): Note => ({
    name: placeNote(topic, partition),
    text: JSON.stringify({ id, next } satisfies KeptPlace),
  })
  const isRetired = ({ set, version }: { readonly set: string; readonly version: number }) =>
    sets.get(set)?.shown.retired.includes(version) ?? false

  /** What was seen there changes, and maybe what is shown. */
  const goOn = async (all: readonly Shown[], { topic, partition }: Place) => {
    const notes: Note[] = []
    const drop: string[] = []
    for (const [set, some] of Map.groupBy(all, (one) => one.set)) {
      const definitions = (await knownVersions(registry, set)).map(({ definition }) => definition)
      // From here to the end nothing is waited for: another partition's turn comes before this one or behind it.
      const now = some.reduce((before, one) => see(before, one, topic, partition), seen.get(set) ?? nothingSeen)
      const shown = goesBy(now, sets.get(set)?.shown.events ?? 0)
      seen.set(set, shown ? passed(now, shown.events) : now)
      notes.push({ name: seenNote(set), text: JSON.stringify(seen.get(set)) })
      if (!shown) continue
      const kept: KeptSet = { shown, definitions: definitions.filter(({ version }) => shown.complete.includes(version)) }
      sets.set(set, kept)
      notes.push({ name: setNote(set), text: JSON.stringify(kept) })
      drop.push(...shown.retired.map((version) => rowsTable(set, version)))
    }
    return { notes, drop, isTurn: notes.some(({ name }) => name.startsWith(setNote(''))) }
  }

  // One at a time: what one has seen is written before what the next one has.
  let latest: Promise<unknown> = Promise.resolve()
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const now = latest.then(work)
    latest = now.catch(() => {})
    return now
  }

  return {
    isRetired,

    rows: ({ parts, next }: Complete<Lane>, place: Place): Promise<void> =>
      inOrder(async () => {
        const lots = parts.flatMap(({ lane, columns }) =>
          lane.kind === 'shown' || columns.count === 0 || isRetired(lane.definition) ? [] : [rowEntries(lane.definition, columns)],
        )
        const told = parts.flatMap((part) => (part.lane.kind === 'shown' ? shownOf(part) : []))
        const { notes, ...turn } = await goOn(told, place)
        // What has just been retired is not put back.
        const left = lots.filter(({ table }) => !turn.drop.includes(table))
        await served.write({ ...turn, lots: left, notes: [...notes, placed(place, next)] })
      }),

    facts: (lots: readonly EntryLot[], next: number, place: Place): Promise<void> =>
      inOrder(() => served.write({ lots, notes: [placed(place, next)] })),

    /** The facts that are told of there are asked for under this name, with these fields. */
    beginFacts: (name: string, fields: readonly string[]): Promise<void> =>
      inOrder(() => served.write({ lots: [], notes: [{ name: factNote(name), text: JSON.stringify(fields) }], isTurn: true })),

    /** No set is over them any more. */
    endFacts: (name: string): Promise<void> =>
      inOrder(() => served.write({ drop: [factsTable(name)], lots: [], notes: [{ name: factNote(name), text: null }], isTurn: true })),

    factsKept: (): readonly string[] =>
      served.read((reader) => [...reader.notes(factPrefix).keys()].map((note) => note.slice(factPrefix.length))),

    place: ({ topic, partition }: Pick<Place, 'topic' | 'partition'>): KeptPlace | undefined => {
      const text = served.read((reader) => reader.notes(placeNote(topic, partition)).get(placeNote(topic, partition)))
      return text === undefined ? undefined : (JSON.parse(text) as KeptPlace)
    },

    /** A topic that was made anew tells all of it again: what came of the one before is no newer than that. */
    forget: (topic: string, facts?: string): Promise<void> =>
      inOrder(async () => {
        const drop = [...sets].flatMap(([set, { definitions }]) =>
          definitions.filter(({ record }) => streamOf(record).outflow === topic).map(({ version }) => rowsTable(set, version)),
        )
        for (const [set, { at, shown }] of seen)
          seen.set(set, { at: Object.fromEntries(Object.entries(at).filter(([place]) => !place.startsWith(`${topic}/`))), shown })
        const notes = [...seen].map(([set, one]): Note => ({ name: seenNote(set), text: JSON.stringify(one) }))
        const places = served.read((reader) => [...reader.notes(placeNote(topic, 0).slice(0, -1)).keys()])
        await served.write({
          drop: [...drop, ...(facts === undefined ? [] : [factsTable(facts)])],
          lots: [],
          notes: [...notes, ...places.map((name): Note => ({ name, text: null }))],
          isTurn: true,
        })
      }),
  }
}

export type Keeper = ReturnType<typeof keeper>
