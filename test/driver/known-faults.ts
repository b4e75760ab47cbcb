/** Steps that are known to go wrong, each with the reason: they are left out until they are mended. An empty list is what it should be. */
import { freshOf, unreadIn, type Model } from './model.ts'
import type { Command, Step, Years } from './step.ts'

export type KnownFault = { readonly reason: string; readonly meets: (step: Step, model: Model) => boolean }

const command = (meets: (command: Command, model: Model) => boolean): KnownFault['meets'] => (step, model) =>
  ('command' in step ? [step.command] : 'together' in step ? step.together : []).some((one) => meets(one, model))

function reachesOverBatch([from, to]: Years, { taken, inflow }: Model): boolean {
  const streamed = new Set(inflow.flat())
  return taken.flat().some((loan) => loan.year >= from && loan.year <= to && !streamed.has(loan))
}

export const knownFaults: readonly KnownFault[] = [
  {
    reason: 'rows behind those that a batch took, or that wait in inflow, are taken and dropped later',
    meets: command((one, model) => (one.do === 'produce' || one.do === 'backfill') && freshOf(model, one.years).behind),
  },
  {
    reason: 'a backfill passes records that wait in inflow, which are dropped later',
    meets: command((one, model) => one.do === 'backfill' && unreadIn(model)),
  },
  {
    reason: 'what a batch took is not skipped by produce: it goes to inflow a second time, or is refused as lying behind',
    meets: command((one, model) => one.do === 'produce' && reachesOverBatch(one.years, model)),
  },
  {
    reason: 'a batch that reaches over what was taken before joins or drops ranges: history then lacks the records of one of them',
    meets: command((one, { taken }) => one.do === 'backfill' && taken.flat().some(({ year }) => year >= one.years[0] && year <= one.years[1])),
  },
]
