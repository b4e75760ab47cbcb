/** The stream of a later version of a fact begins with the facts that stand: whoever needs it first writes them. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { load } from '../ingest/load.ts'
import { neededTables } from '../ingest/needed.ts'
import { lastTick, loadPlace, loadWords, newestKnown, refuseEnded } from '../ingest/place.ts'
import { isFact } from '../schemas/fact.ts'
import { isJoined, tablesOf } from '../schemas/joined.ts'
import { partitionsApplied } from '../streams/position.ts'
import { ownerOf, streamOf } from '../streams/stream.ts'
import { Fenced } from '../utilities/log.ts'
import type { Tables } from '../utilities/tables.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts, Watch } from '../versions/bring.ts'
import { eventsNeeded, factsNeeded } from './facts-needed.ts'

export type StreamPorts = VersionPorts & { readonly openTables: () => Promise<Tables> }

type Asked = Watch & {
  readonly definition: Definition
  /** As the code has them. */
  readonly definitions: readonly Definition[]
  readonly partitions: number
}

/** Nothing where it has begun, or where it is of records, or of a fact as it was first: `load` begins those. */
export async function beginStream(ports: StreamPorts, asked: Asked): Promise<void> {
  if (!(await isToBegin(ports, asked.definition))) return
  const { definition, definitions, partitions, signal, report } = asked
  const needed = await factsNeeded(ports, definitions)
  const events = await eventsNeeded(ports, definitions)
  const defined = definitions.flatMap(({ record }) => (isJoined(record) ? tablesOf(record) : []))
  const tables = await ports.openTables()
  try {
    // One that was cut short may have been of another stream: it is finished first.
    for (let attempt = 1; !signal.aborted && (await isToBegin(ports, definition)); attempt++) {
      const { load: underWay } = await loadPlace(ports.checkpoints)
      const { name } = streamOf(definition.record)
      await load(
        { ...ports, tables },
        {
          facts: needed.filter(({ stream }) => stream.name === name || underWay?.facts.includes(stream.name)),
          tables: neededTables([...needed, ...events], defined),
          files: [],
          partitions: () => partitions,
          partial: false,
          strict: false,
          known: undefined,
          signal,
          agree: async () => true,
          report: ({ facts }) =>
            report({ step: `writing the facts that stand into ${streamOf(definition.record).inflow}`, rows: facts, seq: 0, of: 0 }),
        },
      ).catch((error: unknown) => {
        // A tick came in between: it is over by now.
        if (!(error instanceof Problem && error.cause instanceof Fenced) || attempt === 20) throw error
      })
    }
    signal.throwIfAborted()
  } finally {
    tables.close()
  }
}

/** A Problem where it cannot: it has ended, or tables are in the midst of something, so that their facts are of neither state. */
export async function isToBegin({ checkpoints }: Pick<VersionPorts, 'checkpoints'>, { record }: Definition): Promise<boolean> {
  if (!isFact(record)) return false
  const place = await loadPlace(checkpoints)
  const stream = streamOf(record)
  refuseEnded(place, stream)
  if (record.fact.version === 0 || place.facts[stream.name]?.begun) return false
  const { load: underWay } = place
  if (underWay && underWay.tables.length > 0)
    throw new Problem(
      `${loadWords(underWay)}, begun at ${underWay.since}, is under way, and ${stream.inflow} begins with the facts that stand`,
      'Let it finish, or run that load again to finish it; then run this again.',
    )
  return true
}

/** What applying a version brings about in a stream that the set was not computed over before. */
export type PlannedStream = {
  readonly inflow: string
  /** Whether it has begun already, as another set needs it. */
  readonly begun: boolean
  /** Messages that it has or, where it begins, facts that stand, at most. */
  readonly facts: number
  /** Its windows count from there: the last date that has come, and when the newest of its facts became known. */
  readonly tick: string | null
  readonly known: string | null
}

export async function plannedStream(
  { checkpoints }: Pick<VersionPorts, 'checkpoints'>,
  definition: Definition,
): Promise<PlannedStream | null> {
  const { record } = definition
  if (!isFact(record) || record.fact.version === 0 || (await partitionsApplied(checkpoints, ownerOf(definition))) > 0) return null
  const { facts, tables } = await loadPlace(checkpoints)
  const { name, inflow } = streamOf(record)
  const own = facts[name]
  const latest = newestKnown(tablesOf(record).flatMap(({ name }) => tables[name] ?? []))
  return {
    inflow,
    begun: own?.begun ?? false,
    facts: own?.begun ? own.messages : (tables[record.fact.of.name]?.rows ?? 0),
    tick: lastTick(facts, record.name)?.text ?? null,
    known: latest === undefined ? null : new Date(Number(latest / 1_000_000n)).toISOString(),
  }
}
