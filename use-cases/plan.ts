/** What applying a version would do, before anything is done. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { loadPlace, type FanOut } from '../ingest/place.ts'
import { isFact } from '../schemas/fact.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { knownVersions } from '../streams/known-versions.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { hasRowsOfHistory } from '../versions/journal.ts'
import { plan, type Plan, type PlanOptions } from '../versions/plan.ts'
import { isToBegin, plannedStream, type PlannedStream } from './begin-stream.ts'

/** With what becomes of streams, and without the state that it was made for, which only whoever carries it out needs. */
export type Planned = Omit<Plan, 'seen'> & {
  readonly stream: PlannedStream | null
  /** Of a set over facts: the change of tables with the most facts for each row, so far. */
  readonly widest: FanOut | null
}

export type Plans = { readonly changes: boolean; readonly plans: readonly Planned[] }

type PlanAsked = Pick<PlanOptions, 'mode'> & {
  /** How many the inflow of a record gets if it has to be made. */
  readonly partitionsFor: (record: RecordSchema) => number
  /** The sets, each with its versions as the code has them. */
  readonly chains: Iterable<readonly Definition[]>
  /** Without it the next version of each; of a set that is up to date, its last. */
  readonly version: number | undefined
}

export async function planVersions(ports: VersionPorts, { chains, version, mode, partitionsFor }: PlanAsked): Promise<Plans> {
  const plans: Planned[] = []
  for (const chain of chains) {
    const next = version ?? Math.min(chain.length - 1, (await knownVersions(ports.registry, chain[0]!.set)).length)
    const { seen: _, ...planned } = await planOf(ports, { mode, partitions: partitionsFor(chain[0]!.record), chain, version: next })
    plans.push(planned)
  }
  return { changes: plans.some(({ changes }) => changes), plans }
}

/** A stream that the set is new to is replayed from its beginning. */
export async function planOf(ports: VersionPorts, options: PlanOptions): Promise<Plan & Planned> {
  const planned = await plan(ports, options)
  const definition = options.chain[options.version]!
  const widest = isFact(definition.record) ? (await loadPlace(ports.checkpoints)).widest : null
  if (!planned.changes) return { ...planned, stream: null, widest }
  await isToBegin(ports, definition)
  const stream = await plannedStream(ports, definition)
  if (!stream || planned.mode === 'first') return { ...planned, stream, widest }
  const replayedRecords = stream.facts
  const writtenRows = hasRowsOfHistory(planned) ? replayedRecords : 0
  return { ...planned, stream, widest, replayedRecords, writtenRows, seconds: null, bytes: writtenRows === 0 ? 0 : null }
}
