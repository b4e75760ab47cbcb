/** What has come of a command that was cut short, as it is seen from outside: nothing, all of it, or something that is to be finished. */
import type { Loan } from './loans.ts'
import type { Look } from './look.ts'
import { backfilled, batchOf, carriedOut, consumedTo, freshOf, partitionIn, positionsIn, produced, type Model } from './model.ts'
import { changesVersions, type Command, type Years } from './step.ts'
import { Wrong, type DrivenStore } from './store.ts'

type At = { readonly model: Model; readonly store: DrivenStore }

export async function cutShort({ model, store }: At, command: Command, since: readonly number[]): Promise<void> {
  const look = await store.look()
  switch (command.do) {
    case 'produce': {
      const { fresh } = freshOf(model, command.years)
      const held = look.inflow.reduce((sum, count) => sum + count, 0) - model.inflow.flat().length
      return produced(model, fresh.slice(0, Math.max(0, held)))
    }
    case 'consume':
      return model.inflow.forEach((loans, partition) => {
        const unread = loans.slice(model.consumed[partition])
        consumedTo(model, partition, model.consumed[partition]! + unread.filter(({ seq }) => seq <= look.positions[partition]!).length)
      })
    case 'backfill':
      return backfillCut(model, command.years, look)
    case 'undo':
      if (model.batch && !look.backfillPending) model.batch = null
      return
    case 'sink':
    case 'verify':
    case 'diff':
      return
    default:
      if (changesVersions(command)) return resolve(model, command, since, look)
  }
}

/** Applying the first version is a step before the first backfill. */
export const firstApplied = (model: Model, look: Look): void =>
  resolve(model, { do: 'apply', version: 0, mode: 'backfill' }, positionsIn(model), look)

function backfillCut(model: Model, years: Years, look: Look): void {
  if (model.versions.length === 0) {
    firstApplied(model, look)
    if (model.open || model.versions.length === 0) return
  }
  const loans = loansOf(model, years)
  // One that was to take the place of another may not have come so far.
  if (look.backfillPending?.join() === model.batch?.years.join() && model.batch) return
  if (look.backfillPending) return void (model.batch = { years, loans })
  const isTaken = (loan: Loan) => loan.seq <= look.positions[partitionIn(model, loan)]!
  const takenAll = !batchOf(model, years).refused && loans.length > 0 && loans.every(isTaken)
  if (takenAll) backfilled(model, loans)
  else model.batch = null
}

/** Whether the command on versions has come to its end, has not begun, or is to be finished. */
export function resolve(model: Model, command: Command, since: readonly number[], look: Look): void {
  if (look.unfinished.length > 0) model.open ??= { command, since }
  else if (isVisible(model, command, look)) carriedOut(model, command, seenSince(model, since, look))
  else model.open = null
}

function isVisible({ shown, versions }: Model, command: Command, look: Look): boolean {
  switch (command.do) {
    case 'apply':
      return look.known.has(command.version) && command.version === versions.length
    case 'promote':
      return look.shown === command.version
    case 'rollback':
      return look.shown === shown.at(-2) && look.shown !== undefined
    case 'retire':
      return look.retired.has(command.version)
    default:
      return false
  }
}

/** Where nothing came in since, the model knows better than what is said. */
export function seenSince(model: Model, since: readonly number[], look: Look): Look['seen'] | undefined {
  const now = positionsIn(model)
  if (since.every((seq, partition) => seq === now[partition])) return undefined
  const ends = [...look.seen.values()].flatMap((parts) =>
    parts.map(({ until }, partition) => {
      return { until: until ?? 0, taken: look.positions[partition]! }
    }),
  )
  const beyond = ends.find(({ until, taken }) => until > taken)
  if (beyond) throw new Wrong(`a version is said to have ended at ${beyond.until}, and only ${beyond.taken} were taken`)
  return look.seen
}

/** What a backfill of these years takes: one that was cut short is finished, another one takes its place. */
export function loansOf(model: Model, years: Years): Model['loans'] {
  if (model.batch?.years.join() === years.join()) return model.batch.loans
  return freshOf({ ...model, batch: null }, years).fresh
}
