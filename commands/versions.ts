/** `versions`: every version of a set, or of all. */
import { loadPositions, type Run as RunOfVersion } from '../feature-defs/checkpoint.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import { Problem } from '../utilities/problem.ts'
import { inWords } from '../versions/changes.ts'
import { stateOf } from '../versions/journal.ts'
import { loadState } from '../versions/keep.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import type { Run } from './command.ts'
import { table, type Cell, type Json } from './console.ts'
import { firstApply, nothingYet } from './sets.ts'
import { withAnyTopicsToRead } from './stage.ts'

export const run: Run = async ({ args, config, console }) =>
  withAnyTopicsToRead({ config, console }, async (ports) => {
    const { registry, checkpoints } = ports
    const sets = await knownSets(registry)
    const wanted = args[0] === undefined ? sets : sets.filter((set) => set === args[0])
    if (args[0] !== undefined && wanted.length === 0) throw new Problem(`no version of ${args[0]} is applied`, sets.length > 0 ? `Applied are ${sets.join(', ')}.` : await nothingYet(config))
    const rows: Cell[][] = []
    const acts: Cell[][] = []
    const values: Json[] = []
    const unfinished: string[] = []
    for (const set of wanted) {
      const all = await loadState(ports, set)
      const positions = await loadPositions(checkpoints, set)
      for (const { definition, registered } of await knownVersions(registry, set)) {
        const { version } = definition
        const own = all.versions[version]
        const state = own ? stateOf(all, own) : 'registered'
        const runs = positions.flatMap((position) => position.runs.findLast((one) => one.version === version) ?? [])
        const run = runs.length === 0 ? undefined : over(runs)
        const owned = run ? `${run.after + 1} – ${run.until ?? 'now'}` : ''
        const features = definition.features.map(({ name, spec }) => `${name} = ${inWords(spec)}`)
        rows.push([`${set}@${version}`, state, own?.mode ?? '', run ? run.switchedAfter : null, owned, features.join('; ')])
        values.push({
          set, version, state, mode: own?.mode ?? null, schemaVersionId: registered.id, live: run?.until === null,
          switchedAfter: run?.switchedAfter ?? null, rowsAfter: run?.after ?? null, rowsUntil: run?.until ?? null,
          features: Object.fromEntries(definition.features.map(({ name, spec }) => [name, inWords(spec)])),
          acts: (own?.acts ?? []) as unknown as Json[],
        })
        for (const { act, who, at, why, measured } of own?.acts ?? []) acts.push([at, `${set}@${version}`, act, who, [why, measured].filter(Boolean).join('; ')])
      }
      unfinished.push(...(await unfinishedIn(ports, set)))
    }
    const inOrder = acts.sort((a, b) => String(a[0]).localeCompare(String(b[0]))).map(([at, ...rest]) => [String(at).slice(0, 19).replace('T', ' '), ...rest])
    const text = [
      wanted.length === 0 ? `no version is applied yet: ${await firstApply(config)}` : table(['version', 'state', 'mode', 'switched after', 'rows', 'features'], rows, { widest: 120 }),
      ...(acts.length > 0 ? ['', table(['when (UTC)', 'version', 'what', 'who', 'why'], inOrder, { widest: 120 })] : []),
      ...(unfinished.length > 0 ? ['', 'Unfinished:', ...unfinished.map((line) => `  ${line}`)] : []),
    ]
    console.result(text.join('\n'), { versions: values, unfinished })
  })

/** The run of a version over all partitions: from where the first began to where the last ended. */
const over = (runs: readonly RunOfVersion[]) => ({
  switchedAfter: Math.max(...runs.map(({ switchedAfter }) => switchedAfter)),
  after: Math.min(...runs.map(({ after }) => after)),
  until: runs.some(({ until }) => until === null) ? null : Math.max(...runs.map(({ until }) => until!)),
})
