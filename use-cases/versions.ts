/** Every version of a set, or of all: what is so, what was done to it, and what is left to do. */
import { positionsOfSet, type Run } from '../streams/position.ts'
import { inWords } from '../feature-defs/in-words.ts'
import { knownSets, knownVersions } from '../streams/known-versions.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { stateOf } from '../versions/journal.ts'
import { loadState } from '../versions/keep.ts'
import { unfinishedIn } from '../versions/unfinished.ts'

type Versions = Awaited<ReturnType<typeof listVersions>>
export type VersionShown = Versions['versions'][number]

type Ports = Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>

/** `nothingYet` says what to do in a store without any version. What is unfinished is told with the command that finishes it. */
export async function listVersions(ports: Ports, only: string | undefined, nothingYet: () => Promise<string>) {
  const sets = await knownSets(ports.registry)
  if (only !== undefined && !sets.includes(only)) {
    throw new Problem(`no version of ${only} is applied`, sets.length > 0 ? `Applied are ${sets.join(', ')}.` : await nothingYet())
  }
  const versions: Awaited<ReturnType<typeof versionsOf>> = []
  const unfinished: string[] = []
  for (const set of only === undefined ? sets : [only]) {
    versions.push(...(await versionsOf(ports, set)))
    unfinished.push(...(await unfinishedIn(ports, set)))
  }
  return { versions, unfinished }
}

/** Each owns the rows behind `rowsAfter` up to `rowsUntil`, null while it runs; its features are in words. */
async function versionsOf(ports: Ports, set: string) {
  const all = await loadState(ports, set)
  const positions = (await positionsOfSet(ports.checkpoints, set)).map(({ position }) => position)
  return (await knownVersions(ports.registry, set)).map(({ definition: { version, features }, registered }) => {
    const own = all.versions[version]
    const runs = positions.flatMap((position) => position.runs.findLast((one) => one.version === version) ?? [])
    const run = runs.length === 0 ? undefined : over(runs)
    return {
      set,
      version,
      state: own ? stateOf(all, own) : ('registered' as const),
      mode: own?.mode ?? null,
      schemaVersionId: registered.id,
      live: run?.until === null,
      switchedAfter: run?.switchedAfter ?? null,
      rowsAfter: run?.after ?? null,
      rowsUntil: run?.until ?? null,
      features: Object.fromEntries(features.map(({ name, spec }) => [name, inWords(spec)])),
      acts: own?.acts ?? [],
    }
  })
}

/** The run of a version over all partitions: from where the first began to where the last ended. */
const over = (runs: readonly Run[]) => ({
  switchedAfter: Math.max(...runs.map(({ switchedAfter }) => switchedAfter)),
  after: Math.min(...runs.map(({ after }) => after)),
  until: runs.some(({ until }) => until === null) ? null : Math.max(...runs.map(({ until }) => until!)),
})
