/** What the parts of a store look like together: versions as released, nothing left undone, places, rows, times. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { openModels } from '../feature-defs/models/score-rows.ts'
import { knownSets, knownVersions } from '../streams/known-versions.ts'
import { checkTopics } from '../streams/store.ts'
import { count } from '../utilities/values/digits.ts'
import type { Found } from '../utilities/values/look.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { checkUnedited } from '../versions/check.ts'
import { loadState } from '../versions/keep.ts'
import { amissInProjection } from '../versions/project.ts'
import { tally, type Tally } from '../versions/tally.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import { endsIn, placesOf } from './status.ts'

/** By set, each version as the code has it. */
export type Definitions = ReadonlyMap<string, readonly Definition[]>

export type StorePorts = Omit<VersionPorts, 'openSource'>

export const storeChecks = ['released versions', 'unfinished work', 'places in topics', 'tables and views', 'rows', 'clock'] as const

type Looks = { readonly [check in (typeof storeChecks)[number]]: () => Promise<Found> }

export const looksAtStore = (ports: StorePorts, definitions: Definitions | undefined, first: string): Looks => ({
  'released versions': () => released(ports, definitions, first),
  'unfinished work': () => unfinished(ports),
  'places in topics': () => places(ports),
  'tables and views': () => tablesAndViews(ports),
  rows: () => countedRows(ports),
  clock: () => clock(ports),
})

async function released(ports: StorePorts, definitions: Definitions | undefined, first: string): Promise<Found> {
  const found: string[] = []
  for (const set of await knownSets(ports.registry)) {
    const { versions } = await loadState(ports, set)
    for (const { definition } of await knownVersions(ports.registry, set)) {
      if (versions[definition.version]?.retired === false) await openModels(definition, ports.models)
      if (definitions) checkUnedited(definition, definitions.get(set)?.[definition.version])
      found.push(`${set}@${definition.version}`)
    }
  }
  if (!definitions) return { found: `${found.join(', ')}: not compared`, todo: 'Mend the definitions first.' }
  return found.length === 0 ? { found: 'none yet', todo: `Run: ${first}` } : { found: `${found.join(', ')}: as they were released` }
}

async function unfinished(ports: StorePorts): Promise<Found> {
  const lines = (await Promise.all((await knownSets(ports.registry)).map((set) => unfinishedIn(ports, set)))).flat()
  return lines.length === 0 ? { found: 'none' } : { found: lines.join(' '), todo: 'Run what it says.' }
}

async function tablesAndViews(ports: StorePorts): Promise<Found> {
  const wrong: string[] = []
  for (const set of await knownSets(ports.registry)) {
    const { statements, records } = await amissInProjection(ports, await loadState(ports, set))
    if (statements > 0) wrong.push(`those of ${set} are not what its versions need: ${count(statements)} statements are due`)
    for (const version of records) wrong.push(`tidemark_versions says something else of ${set}@${version}`)
  }
  if (wrong.length > 0) return { found: wrong.join('; '), todo: 'To have them made again: tidemark repair' }
  return { found: 'as the versions need them' }
}

/** Counts, not values: those are for verify. */
async function countedRows(ports: StorePorts): Promise<Found> {
  const all = (await Promise.all((await knownSets(ports.registry)).map((set) => tally(ports, set)))).flat()
  const wrong = all.filter(({ addsUp }) => !addsUp)
  const found = (some: readonly Tally[]) =>
    some
      .map(({ set, version, rows, taken, unread, onTheWay }) =>
        [
          `${set}@${version} has ${count(rows)} rows of ${count(taken)}`,
          onTheWay > 0 ? ` (${count(onTheWay)} on their way)` : '',
          unread > 0 ? ` (${count(unread)} more it cannot read)` : '',
        ].join(''),
      )
      .join('; ')
  if (wrong.length > 0) {
    const { set, version } = wrong[0]!
    return { found: found(wrong), todo: `See which: tidemark verify ${set}@${version}; bring them back: tidemark repair ${set}` }
  }
  return { found: all.length === 0 ? 'none to count' : found(all) }
}

/** Whether everybody can go on from where he is. */
async function places(ports: StorePorts): Promise<Found> {
  await checkTopics(ports)
  const topics = await ports.log.topics()
  for (const { reader, topic, partition, next } of await placesOf(ports)) {
    const ends = endsIn(topics, { topic, partition })
    if (!ends || (next >= ends.first && next <= ends.next)) continue
    const found = `${reader} goes on at offset ${next} of ${topic}, partition ${partition}, which holds ${ends.first} to ${ends.next - 1}`
    return { found, todo: `To go on with what it holds: tidemark reset ${topic} --as-it-is` }
  }
  return { found: 'all are there' }
}

/** By the last record of each version: a scan of all rows would take minutes. */
async function clock({ registry, warehouse, clock }: StorePorts): Promise<Found> {
  let newest = 0n
  for (const set of await knownSets(registry)) {
    for (const { version } of (await warehouse.versions(set)).filter(({ state }) => state !== 'retired' && state !== 'registered')) {
      const { rows } = await warehouse.query(`SELECT _modified_ts FROM ${set}_rows WHERE _version = ${version} ORDER BY _seq DESC LIMIT 1`)
      const at = BigInt(rows[0]?.[0] ?? 0)
      if (at > newest) newest = at
    }
  }
  if (newest === 0n) return { found: 'no row yet to compare it with' }
  const text = new Date(Number(newest / 1_000_000n)).toISOString()
  // Rows of one millisecond are numbered on in nanoseconds, never by so much.
  if (newest <= clock() + 1_000_000_000n) return { found: `the newest row was computed at ${text}` }
  const todo = 'Set the clock of this machine, or of the one that computed it.'
  return { found: `the newest row was computed at ${text}, which is still to come`, todo }
}
