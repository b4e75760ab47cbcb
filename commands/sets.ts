/** Which record, which feature set, and which version of it, a command means when none is named. */
import { chainOf, type Definitions } from '../config/definitions.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { isEvent } from '../schemas/event.ts'
import { isFact } from '../schemas/fact.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Options } from './command.ts'
import { setAtVersion, usage } from './words.ts'

/** The newest version of each set that a stream computes, in the order of the definitions file. */
function streamed(definitions: Definitions): readonly Definition[] {
  const sets = [...definitions.values()].map((chain) => chain.at(-1)!).filter(({ batchOnly }) => !batchOnly)
  if (sets.length === 0) throw new Problem('every feature set of the definitions is batch only', 'Add one for the stream.')
  return sets
}

/** The first set that a stream computes, where all are over the same record. */
export function streamedSet(definitions: Definitions): string {
  const sets = streamed(definitions)
  if (namesOf(sets).length > 1)
    throw usage('the definitions have sets over several records', `Name one of ${sets.map(({ set }) => set).join(', ')}.`)
  return sets[0]!.set
}

/** The first set over each record, one for each stream. */
export const firstOfStreams = (definitions: Definitions): readonly Definition[] => {
  const sets = streamed(definitions)
  return namesOf(sets).map((name) => sets.find(({ record }) => record.name === name)!)
}

const namesOf = (sets: readonly Definition[]) => [...new Set(sets.map(({ record }) => record.name))]

/** The first set over the record that is named, or over the only one. */
export function streamedOver(definitions: Definitions, { record: named }: Options): Definition {
  const sets = firstOfStreams(definitions)
  const names = namesOf(sets)
  if (named === undefined && sets.length > 1)
    throw usage(`the definitions have several records`, `Say which with --record: ${names.join(', ')}.`)
  const found = named === undefined ? sets[0] : sets.find(({ record }) => record.name === named)
  if (!found) throw usage(`no stream is over a record ${String(named)}`, `The definitions have ${names.join(', ')}.`)
  if (isEvent(found.record))
    throw usage(`${found.record.name} is made of ${found.record.event.of.name} as it comes, and no file has it`, 'Run: tidemark ingest')
  if (isFact(found.record))
    throw usage(
      `${found.record.name} is a fact, which no file has`,
      'Load the tables that it is made from: tidemark load; those that come from topics: tidemark ingest',
    )
  return found
}

/** Of SET@N that version, of SET or nothing the newest of the definitions file; with the versions before it. */
export function definedVersion(
  definitions: Definitions,
  word: string | undefined,
): { readonly definition: Definition; readonly chain: readonly Definition[] } {
  const { set, version } = word?.includes('@') ? setAtVersion(word) : { set: word ?? streamedSet(definitions), version: undefined }
  try {
    const all = chainOf(definitions, set, version)
    const chain = version === undefined ? all : all.slice(0, version + 1)
    return { definition: chain.at(-1)!, chain }
  } catch (error) {
    throw error instanceof Problem ? new Problem(error.what, error.todo, { usage: true }) : error
  }
}
