/** `repair`: makes what the warehouse and the registry have of a set again, or of every one, from journal and history. */
import { knownSets } from '../feature-defs/known-versions.ts'
import { checkRegistry, checkTopics, hasLostRegistry, takeRegistry } from '../feature-defs/store.ts'
import type { Lease } from '../utilities/lease.ts'
import { Problem } from '../utilities/problem.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { repair, type Repaired, type RepairOptions } from '../versions/repair.ts'

export type RepairedSet = Repaired & { readonly set: string }

type RepairAsked = {
  /** All that are known, without one. */
  readonly only: string | undefined
  readonly signal: AbortSignal
  /** Called as the work on a set begins. */
  readonly reportOn: (set: string) => RepairOptions['report']
}

/** One process at a time holds a lease. */
export type Leasing = { readonly lease: (name: string) => Promise<Lease> }

export async function repairSets(ports: VersionPorts & Leasing, { only, signal, reportOn }: RepairAsked): Promise<readonly RepairedSet[]> {
  const isNew = await hasLostRegistry(ports)
  if (!isNew) await checkRegistry(ports)
  await checkTopics(ports)
  const journals = (await ports.checkpoints.names('journal/')).map((name) => name.slice('journal/'.length))
  const sets = only === undefined ? [...new Set([...journals, ...(await knownSets(ports.registry))])] : [only]
  if (sets.length === 0) {
    throw new Problem('nothing is known of any feature set here', 'There is nothing to repair. To begin: tidemark apply SET@0')
  }
  const done: RepairedSet[] = []
  for (const set of sets) {
    const lease = await ports.lease(`apply-${set}`)
    done.push({ set, ...(await repair(ports, { set, signal, report: reportOn(set) }).finally(() => lease.close())) })
  }
  if (isNew) await takeRegistry(ports)
  return done
}
