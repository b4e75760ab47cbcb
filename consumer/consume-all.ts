/**
 * Runs the consumer of every feature set that is applied, and of those applied while it runs, on the partitions of its inflow that fall to
 * this process.
 */
import type { Definition } from '../feature-defs/feature-set.ts'
import { loadPositions, running } from '../streams/position.ts'
import { registerDead } from '../streams/dead-letters.ts'
import { keepSchemas } from '../streams/kept-schemas.ts'
import { streamedSets, streamsOf } from '../streams/known-versions.ts'
import { routingFor } from '../streams/routing.ts'
import { checkTopics, claimRegistry, keepTopics } from '../streams/store.ts'
import { ownerOf, streamOf } from '../streams/stream.ts'
import { workAsTheyCome } from '../utilities/running/as-they-come.ts'
import { workOnShares } from '../utilities/running/shares.ts'
import { Problem } from '../utilities/values/problem.ts'
import { consume, consumers, type ConsumeOptions, type ConsumerPorts } from './consume.ts'
import { amidstBackfill, backfillOf } from './wait-for.ts'

export type ConsumeAllOptions = Omit<ConsumeOptions, 'over' | 'partition'> & {
  /** What to do where no feature set is applied. */
  readonly nothingYet: () => Promise<string>
  readonly note: (text: string) => void
}

export async function consumeAll(ports: ConsumerPorts, options: ConsumeAllOptions): Promise<void> {
  const { follow, signal, note } = options
  const sets = await setsAtWork(ports)
  if (sets.length === 0) throw new Problem('no feature set is applied, so there is nothing to compute', await options.nothingYet())
  // All partitions or none: one that must wait would leave the others half done.
  if (!follow) for (const one of sets) await refuseAmidstBackfill(ports, ownerOf(one))
  await claimRegistry(ports)
  await keepTopics(ports, streamsOf(sets))
  // Letters that lie there already are to be read after the registry was lost, too.
  await keepSchemas(ports, [await registerDead(ports.registry)])

  await workAsTheyCome({
    first: sets,
    find: () => setsAtWork(ports),
    nameOf: ownerOf,
    work: (over, signal) =>
      workOnShares(
        ports.log,
        { topic: streamOf(over.record).inflow, group: consumers(ownerOf(over)), follow, signal, note },
        (partition, signal) => consume(ports, { ...options, over, partition, signal }),
      ),
    follow,
    signal,
  })
}

async function refuseAmidstBackfill({ checkpoints }: ConsumerPorts, owner: string): Promise<void> {
  for (const { hold } of await loadPositions(checkpoints, owner)) if (hold?.kind === 'backfill') throw amidstBackfill(backfillOf(hold))
}

/** Those with a version to compute, once for each stream that they are over; a Problem for one that inflow as it is cannot carry. */
async function setsAtWork(ports: ConsumerPorts): Promise<readonly Definition[]> {
  const { registry, checkpoints } = ports
  const sets: Definition[] = []
  await checkTopics(ports)
  for (const definition of await streamedSets(registry)) {
    if (!(await loadPositions(checkpoints, ownerOf(definition))).some((position) => running(position).length > 0)) continue
    await routingFor(ports, definition, 1)
    sets.push(definition)
  }
  return sets
}
