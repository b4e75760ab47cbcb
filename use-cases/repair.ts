/** `repair`: makes what the warehouse and the registry have of a set again, or of every one, from journal and history. */
import { repairFacts, type FactsRepaired } from '../sink/repair-facts.ts'
import { knownSets, knownVersions, streamsOf } from '../streams/known-versions.ts'
import { checkRegistry, checkTopics, hasLostRegistry, takeRegistry } from '../streams/store.ts'
import type { Lease } from '../utilities/lease.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { setsWithJournal } from '../versions/keep.ts'
import { repair, restoreSchemas, type Repaired, type RepairOptions } from '../versions/repair.ts'
import { factsNeeded } from './facts-needed.ts'

/** With the facts that its versions are over, as far as no set before it was over them. */
export type RepairedSet = Repaired & { readonly set: string; readonly facts: readonly FactsRepaired[] }

type RepairAsked = {
  /** All that are known, without one. */
  readonly only: string | undefined
  readonly signal: AbortSignal
  /** Called as the work on a set begins. */
  readonly reportOn: (set: string) => RepairOptions['report']
}

/** One process at a time holds a lease. */
export type Leasing = { readonly lease: (name: string) => Promise<Lease> }

/** What was put back of the schemas of messages, which belong to no set, counts for all. */
export type RepairedAll = { readonly schemas: number; readonly sets: readonly RepairedSet[] }

export async function repairSets(ports: VersionPorts & Leasing, { only, signal, reportOn }: RepairAsked): Promise<RepairedAll> {
  const isNew = await hasLostRegistry(ports)
  if (!isNew) await checkRegistry(ports)
  await checkTopics(ports)
  const restored = await restoreSchemas(ports)
  const schemas = [...restored.values()].reduce((sum, one) => sum + one, 0)
  const all = new Set([...(await setsWithJournal(ports.checkpoints)), ...(await knownSets(ports.registry))])
  const names = only === undefined ? [...all] : [only]
  // Without a set there may be records that were produced before anything was applied.
  if (names.length === 0 && schemas === 0) {
    throw new Problem('nothing is known of any feature set here', 'There is nothing to repair. To begin: tidemark apply SET@0')
  }
  const sets: RepairedSet[] = []
  for (const set of names) {
    const lease = await ports.lease(`apply-${set}`)
    const { statements, versions } = await repair(ports, { set, signal, report: reportOn(set) }).finally(() => lease.close())
    sets.push({ set, schemas: restored.get(set) ?? 0, statements, versions, facts: await factsOf(ports, set, sets, signal) })
  }
  if (isNew) await takeRegistry(ports)
  return { schemas, sets }
}

async function factsOf(
  ports: VersionPorts,
  set: string,
  before: readonly RepairedSet[],
  signal: AbortSignal,
): Promise<readonly FactsRepaired[]> {
  const done = before.flatMap(({ facts }) => facts.map(({ fact }) => fact))
  const names = streamsOf((await knownVersions(ports.registry, set)).map(({ definition }) => definition)).map(({ name }) => name)
  const due = (await factsNeeded(ports, [])).filter(
    ({ retired, stream: { name } }) => !retired && names.includes(name) && !done.includes(name),
  )
  const repaired: FactsRepaired[] = []
  for (const { fact } of due) repaired.push(await repairFacts(ports, fact, signal))
  return repaired
}
