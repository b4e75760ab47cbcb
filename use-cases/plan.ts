/** What applying a version would do, before anything is done. */
import type { Definition } from '../feature-defs/feature-set.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { knownVersions } from '../streams/known-versions.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { plan, type Plan, type PlanOptions } from '../versions/plan.ts'

/** Without the state that it was made for, which only whoever carries it out needs. */
export type Planned = Omit<Plan, 'seen'>

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
    const { seen: _, ...planned } = await plan(ports, { mode, partitions: partitionsFor(chain[0]!.record), chain, version: next })
    plans.push(planned)
  }
  return { changes: plans.some(({ changes }) => changes), plans }
}
