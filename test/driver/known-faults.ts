/** Steps that are known to go wrong, each with the reason: they are left out until they are mended. An empty list is what it should be. */
import { batchOf, type Model } from './model.ts'
import type { Command, Step } from './step.ts'

export type KnownFault = { readonly reason: string; readonly meets: (step: Step, model: Model) => boolean }

const command = (meets: (command: Command, model: Model) => boolean): KnownFault['meets'] => (step, model) =>
  ('command' in step ? [step.command] : 'together' in step ? step.together : []).some((one) => meets(one, model))

export const knownFaults: readonly KnownFault[] = [
  {
    reason: 'on several partitions, a rejected line among those that wait in inflow counts as the batch\'s own, which is refused for it',
    meets: command((one, { partitions, inflow, consumed }) =>
      one.do === 'backfill' && partitions > 1 && inflow.some((loans, partition) => loans.length > consumed[partition]!)),
  },
  {
    reason: 'a backfill that is refused has taken back an unfinished one of other years before',
    meets: command((one, model) =>
      one.do === 'backfill' && model.batch !== null && model.batch.years.join() !== one.years.join() && batchOf(model, one.years).refused),
  },
]
