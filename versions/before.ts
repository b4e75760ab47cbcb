/** The journal that a store of before would have had, from its records in the warehouse and the positions of its partitions. */
import { loadPositions, type Mode } from '../streams/position.ts'
import { knownVersions } from '../streams/known-versions.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Registry } from '../utilities/registry.ts'
import type { VersionRecord, Warehouse } from '../utilities/warehouse.ts'
import { hasRowsOfHistory, type By, type Schema, type VersionEvent } from './journal.ts'

type Ports = { readonly checkpoints: Checkpoints; readonly registry: Registry; readonly warehouse: Warehouse }

/** Empty for a set that was never applied. */
export async function journalOfBefore({ checkpoints, registry, warehouse }: Ports, set: string): Promise<readonly VersionEvent[]> {
  const positions = await loadPositions(checkpoints, set)
  // Without a run no version was ever computed: there is nothing to take over.
  if (positions.every(({ runs }) => runs.length === 0)) return []
  const records = await warehouse.versions(set)
  const known = await knownVersions(registry, set)
  const record = await registry.list(known[0]?.definition.record.name ?? '')
  const recordSchema: Schema = { id: record.at(-1)?.id ?? '', definition: record.at(-1)?.definition ?? '' }

  const lives = records.flatMap((one): VersionEvent[] => {
    const { version, mode, schemaId: id } = one
    const definition = known.find((found) => found.registered.id === id)?.registered.definition ?? ''
    const planned = {
      kind: 'planned',
      version,
      mode: mode as Mode,
      partitions: positions.length,
      schema: { id, definition },
      record: recordSchema,
      ...firstBy(one),
    } as const
    const switched = positions.flatMap(({ runs }, partition): VersionEvent[] => {
      const run = runs.findLast((run) => run.version === version)
      return run ? [{ kind: 'switched', version, partition, afterSeq: run.switchedAfter, at: run.switchedAt }] : []
    })
    const isFilled = one.state !== 'filling' && one.state !== 'registered' && hasRowsOfHistory(planned)
    return [planned, ...switched, ...(isFilled ? [{ kind: 'filled', version, at: firstBy(one).at } as const] : [])]
  })
  const chain = records.filter(({ promotion }) => promotion !== null).sort((a, b) => a.promotion! - b.promotion!)
  const back = records
    .filter(({ state }) => state === 'rolled back')
    .flatMap((one): VersionEvent[] => [
      { kind: 'promoted', version: one.version, ...lastBy(one) },
      { kind: 'rolled back', version: one.version, to: chain.at(-1)?.version ?? 0, ...lastBy(one) },
    ])
  const promoted = chain.map((one): VersionEvent => ({ kind: 'promoted', version: one.version, ...lastBy(one) }))
  const retired = records
    .filter(({ state }) => state === 'retired')
    .map((one): VersionEvent => ({ kind: 'retired', version: one.version, ...lastBy(one) }))
  const isOpen = records.some(({ state }) => state === 'filling' || state === 'registered')
  return [
    ...lives,
    ...back,
    ...promoted,
    ...retired,
    ...(isOpen || lives.length === 0 ? [] : [{ kind: 'settled', at: lastBy(records.at(-1)!).at } as const]),
  ]
}

const unknown: By = { who: 'unknown', at: '1970-01-01T00:00:00.000Z', why: null }
const byOf = (act: VersionRecord['acts'][number] | undefined): By => (act ? { who: act.who, at: act.at, why: act.why } : unknown)
const firstBy = ({ acts }: VersionRecord) => byOf(acts[0])
const lastBy = ({ acts }: VersionRecord) => byOf(acts.at(-1))
