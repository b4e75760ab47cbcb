/** The stream of a later version of a fact begins with the facts that stand: whoever needs it first writes them. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { load } from '../ingest/load.ts'
import { neededTables } from '../ingest/needed.ts'
import { loadPlace, loadWords } from '../ingest/place.ts'
import { isFact, tablesOf } from '../schemas/fact.ts'
import { streamOf } from '../streams/stream.ts'
import type { Tables } from '../utilities/tables.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts, Watch } from '../versions/bring.ts'
import { factsNeeded } from './facts-needed.ts'

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
  const defined = definitions.flatMap(({ record }) => (isFact(record) ? tablesOf(record) : []))
  const tables = await ports.openTables()
  try {
    // One that was cut short may have been of another stream: it is finished first.
    while (!signal.aborted && (await isToBegin(ports, definition))) {
      const { load: underWay } = await loadPlace(ports.checkpoints)
      const { name } = streamOf(definition.record)
      await load(
        { ...ports, tables },
        {
          facts: needed.filter(({ stream }) => stream.name === name || underWay?.facts.includes(stream.name)),
          tables: neededTables(needed, defined),
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
      )
    }
    signal.throwIfAborted()
  } finally {
    tables.close()
  }
}

/** A Problem where tables are in the midst of something: their facts are neither as they were nor as they will be. */
export async function isToBegin({ checkpoints }: Pick<VersionPorts, 'checkpoints'>, { record }: Definition): Promise<boolean> {
  if (!isFact(record) || record.fact.version === 0) return false
  const { facts, load: underWay } = await loadPlace(checkpoints)
  const stream = streamOf(record)
  if (facts[stream.name]?.begun && !facts[stream.name]!.ended) return false
  if (underWay && underWay.tables.length > 0)
    throw new Problem(
      `${loadWords(underWay)}, begun at ${underWay.since}, is under way, and ${stream.inflow} begins with the facts that stand`,
      'Let it finish, or run that load again to finish it; then run this again.',
    )
  return true
}
