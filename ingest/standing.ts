/** The facts that stand, as the tables make them at the place where the log is. */
import type { FactSchema } from '../schemas/fact.ts'
import type { Table } from '../schemas/record.ts'
import { streamOf } from '../streams/stream.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { bringTables, type TablePorts } from './cache.ts'
import { factMaker } from './facts-of.ts'
import { loadPlace, loadWords, newFact } from './place.ts'
import { registerTables } from './table-rows.ts'

export type StandingFacts = {
  /** The last `_seq` of the stream that they are as of. */
  readonly seq: number
  /** The fact's fields and `_key`, its key as text, some rows at a time, in the order of the key. */
  readonly facts: Iterable<Columns>
}

/** Whoever asks holds the lease `ingest`, so that nothing moves meanwhile. `needed` are the tables that all facts are made from. */
export async function standingFacts(ports: TablePorts, fact: FactSchema, needed: readonly Table[]): Promise<StandingFacts> {
  const place = await loadPlace(ports.checkpoints)
  if (place.load)
    throw new Problem(
      `${loadWords(place.load)} is under way since ${place.load.since}`,
      'Run that load again, so that it is done; then this.',
    )
  await bringTables(ports, await registerTables(ports.registry, needed, { dryRun: true }), place)
  return { seq: (place.facts[streamOf(fact).name] ?? newFact).seq, facts: factMaker(fact, ports.tables).standing() }
}
