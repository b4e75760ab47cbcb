/** `versions`: every version of a set, or of all. */
import { loadPosition } from '../feature-defs/checkpoint.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import { Problem } from '../utilities/problem.ts'
import type { VersionRecord } from '../utilities/warehouse/warehouse.ts'
import { inWords } from '../versions/changes.ts'
import { promotedOf } from '../versions/layout.ts'
import type { Run } from './command.ts'
import { table, type Cell, type Json } from './console.ts'
import { withPorts } from './stage.ts'

export const run: Run = async ({ args, config, console }) =>
  withPorts(config, [], async ({ registry, checkpoints, warehouse }) => {
    const sets = await knownSets(registry)
    const wanted = args[0] === undefined ? sets : sets.filter((set) => set === args[0])
    if (args[0] !== undefined && wanted.length === 0) throw new Problem(`no version of ${args[0]} is applied`, sets.length > 0 ? `Applied are ${sets.join(', ')}.` : 'Run first: tidemark apply loan_risk@0')
    const rows: Cell[][] = []
    const acts: Cell[][] = []
    const values: Json[] = []
    const unfinished: string[] = []
    for (const set of wanted) {
      const records = await warehouse.versions(set)
      const position = await loadPosition(checkpoints, set, 0)
      for (const { definition, registered } of await knownVersions(registry, set)) {
        const { version } = definition
        const record = records.find((one) => one.version === version)
        const run = position.runs.findLast((one) => one.version === version)
        const owned = run ? `${run.after + 1} – ${run.until ?? 'now'}` : ''
        const features = definition.features.map(({ name, spec }) => `${name} = ${inWords(spec)}`)
        rows.push([`${set}@${version}`, record?.state ?? 'registered', record?.mode ?? '', run ? run.switchedAfter : null, owned, features.join('; ')])
        values.push({
          set, version, state: record?.state ?? 'registered', mode: record?.mode ?? null, schemaVersionId: registered.id, live: run?.until === null,
          switchedAfter: run?.switchedAfter ?? null, rowsAfter: run?.after ?? null, rowsUntil: run?.until ?? null,
          features: Object.fromEntries(definition.features.map(({ name, spec }) => [name, inWords(spec)])),
          acts: (record?.acts ?? []) as unknown as Json[],
        })
        for (const { act, who, at, why } of record?.acts ?? []) acts.push([at.slice(0, 19).replace('T', ' '), `${set}@${version}`, act, who, why ?? ''])
        const reason = unfinishedReason(record, run !== undefined)
        if (reason) unfinished.push(`${set}@${version}: ${reason}. Run: tidemark apply ${set}@${version}`)
      }
      if (position.hold?.kind === 'backfill') unfinished.push(`${set}: a backfill of ${position.hold.years.join('-')} has not finished. Run it again, or: tidemark backfill --features ${set} --undo`)
      const promoted = promotedOf(records)
      if (promoted && position.runs.some((run) => run.until === null && run.version < promoted.version && records.find((one) => one.version === run.version)?.state === 'superseded')) {
        unfinished.push(`${set}@${promoted.version}: an earlier version still runs beside it. Run: tidemark apply ${set}@${promoted.version}`)
      }
    }
    const text = [
      wanted.length === 0 ? 'no version is applied yet: tidemark apply loan_risk@0' : table(['version', 'state', 'mode', 'switched after', 'rows', 'features'], rows, { widest: 120 }),
      ...(acts.length > 0 ? ['', table(['when (UTC)', 'version', 'what', 'who', 'why'], acts.sort((a, b) => String(a[0]).localeCompare(String(b[0]))))] : []),
      ...(unfinished.length > 0 ? ['', 'Unfinished:', ...unfinished.map((line) => `  ${line}`)] : []),
    ]
    console.result(text.join('\n'), { versions: values, unfinished })
  })

function unfinishedReason(record: VersionRecord | undefined, computed: boolean): string | undefined {
  if (!record || record.state === 'registered') return 'it is registered and nothing else'
  if (record.state === 'filling') return 'its history is being filled, or that was interrupted'
  return computed || record.state === 'retired' ? undefined : 'it is shown but not computed yet'
}
