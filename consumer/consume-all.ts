/**
 * Runs the consumer of every feature set that is applied, and of those applied while it runs, on the partitions of inflow that fall to this
 * process.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadPositions, running } from '../streams/position.ts'
import { registerDead } from '../streams/dead-letters.ts'
import { inflowTopic } from '../streams/inflow.ts'
import { keepSchemas } from '../streams/kept-schemas.ts'
import { knownSets, knownVersions } from '../streams/known-versions.ts'
import { routingFor } from '../streams/routing.ts'
import { checkTopics, claimRegistry, keepTopics } from '../streams/store.ts'
import { workOnShares } from '../utilities/running/shares.ts'
import { Problem } from '../utilities/values/problem.ts'
import { amidstBackfill, backfillOf, consume, consumers, type ConsumeOptions, type ConsumerPorts } from './consume.ts'

const lookEveryMs = 2000

export type ConsumeAllOptions = Omit<ConsumeOptions, 'set' | 'partition'> & {
  /** What to do where no feature set is applied. */
  readonly nothingYet: () => Promise<string>
  readonly note: (text: string) => void
}

export async function consumeAll(ports: ConsumerPorts, options: ConsumeAllOptions): Promise<void> {
  const { follow, note } = options
  const sets = await streamedSets(ports)
  if (sets.length === 0) throw new Problem('no feature set is applied, so there is nothing to compute', await options.nothingYet())
  // All partitions or none: one that must wait would leave the others half done.
  if (!follow) for (const set of sets) await refuseAmidstBackfill(ports, set)
  await claimRegistry(ports)
  await keepTopics(ports)
  // Letters that lie there already are to be read after the registry was lost, too.
  await keepSchemas(ports, [await registerDead(ports.registry)])

  // One that fails stops the others: the process ends with its message instead of limping on.
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const tasks = new Map<string, Promise<void>>()
  const start = (set: string) => {
    const work = (partition: number, signal: AbortSignal) => consume(ports, { ...options, set, partition, signal })
    const task = workOnShares(ports.log, { topic: inflowTopic, group: consumers(set), follow, signal, note }, work)
    // Heard at once, whatever is waited for then; the tasks themselves are looked at in the end.
    task.catch((error: unknown) => failed.abort(error))
    tasks.set(set, task)
  }
  sets.forEach(start)
  try {
    while (follow && !signal.aborted) {
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) for (const set of await streamedSets(ports)) if (!tasks.has(set)) start(set)
    }
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(tasks.values())
    throw error
  }
  await Promise.all(tasks.values())
}

async function refuseAmidstBackfill({ checkpoints }: ConsumerPorts, set: string): Promise<void> {
  for (const { hold } of await loadPositions(checkpoints, set)) if (hold?.kind === 'backfill') throw amidstBackfill(backfillOf(hold))
}

/** Those with a version to compute; a Problem for one that inflow as it is cannot carry. */
async function streamedSets(ports: ConsumerPorts): Promise<string[]> {
  const { registry, checkpoints } = ports
  const sets: string[] = []
  await checkTopics(ports)
  for (const set of await knownSets(registry)) {
    const { definition } = (await knownVersions(registry, set)).at(-1)!
    if (definition.batchOnly || !(await loadPositions(checkpoints, set)).some((position) => running(position).length > 0)) continue
    await routingFor(ports, definition, 1)
    sets.push(set)
  }
  return sets
}
