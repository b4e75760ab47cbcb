/** Runs the consumer of every feature set that is applied, and of those applied while it runs. */
import { loadPosition, running } from '../feature-defs/checkpoint.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import { Problem } from '../utilities/problem.ts'
import { consume, type ConsumeOptions, type ConsumerPorts } from './consume.ts'

const lookEveryMs = 2000

export async function consumeAll(ports: ConsumerPorts, options: Omit<ConsumeOptions, 'set'> & { readonly nothingYet: string }): Promise<void> {
  const sets = await streamedSets(ports)
  if (sets.length === 0) throw new Problem('no feature set is applied, so there is nothing to compute', options.nothingYet)

  // One that fails stops the others: the process ends with its message instead of limping on.
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const tasks = new Map<string, Promise<void>>()
  const start = (set: string) => tasks.set(set, consume(ports, { ...options, set, signal }).catch((error: unknown) => (failed.abort(error), Promise.reject(error))))
  sets.forEach(start)
  while (options.follow && !signal.aborted) {
    await new Promise<void>((done) => {
      const timer = setTimeout(done, lookEveryMs)
      signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true })
    })
    if (!signal.aborted) for (const set of await streamedSets(ports)) if (!tasks.has(set)) start(set)
  }
  await Promise.all(tasks.values())
}

async function streamedSets({ registry, checkpoints }: ConsumerPorts): Promise<string[]> {
  const sets: string[] = []
  for (const set of await knownSets(registry)) {
    const batchOnly = (await knownVersions(registry, set)).at(-1)!.definition.batchOnly
    if (!batchOnly && running(await loadPosition(checkpoints, set, 0)).length > 0) sets.push(set)
  }
  return sets
}
