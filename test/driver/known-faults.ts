/** Steps that are known to go wrong, each with the reason: they are left out until they are mended. An empty list is what it should be. */
import { freshOf, topOf, unreadIn, type Model } from './model.ts'
import { changesVersions, inWords, type Command, type Step, type Years } from './step.ts'

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
  {
    reason: 'what is told to stop while it reads history counts as finished',
    meets: (step) => 'command' in step && step.cut?.kind === 'stop' && (changesVersions(step.command) || step.command.do === 'verify'),
  },
  {
    reason: 'a shadow over an empty history is promoted at once',
    meets: command((one, model) => one.do === 'apply' && one.mode === 'shadow' && one.version > 0 && model.taken.every((loans) => loans.length === 0)),
  },
  {
    reason: 'a version planned over an empty history is carried out over one that is not',
    meets: (step, model) => ('command' in step ? step.cut !== undefined : true) && command((one) =>
      one.do === 'apply' && one.version > 0 && model.taken.every((loans) => loans.length === 0))(step, model),
  },
  {
    reason: 'a command on versions beside one that is unfinished leaves what no command can finish, or loses rows',
    meets: (step, { open }) => 'command' in step && open !== null && changesVersions(step.command) && inWords({ command: step.command }) !== inWords({ command: open.command }),
  },
  {
    reason: 'a version is retired while its rows are on their way in outflow',
    meets: command((one, { unsunk }) => one.do === 'retire' && unsunk.size > 0),
  },
  {
    reason: 'a version that is promoted again loses its first place in the chain',
    meets: command((one, model) => one.do === 'promote' && model.shown.includes(one.version) && topOf(model) !== one.version),
  },
]
