/** What must be refused, what may be, and what must be done, by the model alone. */
import { batchOf, freshOf, isRunning, rowsShownOf, topOf, type Model } from './model.ts'
import type { Command } from './step.ts'

export type Verdict = 'must be refused' | 'may be refused' | 'must be done'

export function verdictOn(model: Model, command: Command): Verdict {
  const refusedWhen = (must: boolean, may = false): Verdict => (must ? 'must be refused' : may ? 'may be refused' : 'must be done')
  const { versions, batch, open, unsunk } = model
  const own = 'version' in command ? versions[command.version] : undefined
  // While something is unfinished, it may have to be finished first, or have come far enough.
  const amidst = open !== null
  if (amidst && command.do !== 'produce' && command.do !== 'backfill') return 'may be refused'
  switch (command.do) {
    case 'apply': {
      const { version } = command
      if (version > versions.length || version < versions.length - 1) return 'must be refused'
      return version < versions.length ? 'may be refused' : refusedWhen(batch !== null)
    }
    case 'promote':
      return refusedWhen(!own || own.retired || (batch !== null && topOf(model) !== own.version), batch !== null)
    case 'rollback':
      return refusedWhen(model.shown.length < 2 || batch !== null)
    case 'retire': {
      if (own?.retired) return 'may be refused'
      if (!own || topOf(model) === own.version || rowsShownOf(model, own.version) > 0) return 'must be refused'
      return refusedWhen(batch !== null, unsunk.size > 0 && model.shown.includes(own.version))
    }
    case 'produce': {
      const { fresh, behind } = freshOf(model, command.years)
      return refusedWhen(behind, batch !== null || !hasYears(model, command.years) || (fresh.length > 0 && amidst))
    }
    case 'backfill': {
      const { refused } = batchOf(model, command.years)
      if (batch) return batch.years.join() === command.years.join() ? refusedWhen(false, amidst) : 'may be refused'
      return refusedWhen(refused, amidst || !hasYears(model, command.years))
    }
    // In some partitions it may be complete already.
    case 'undo':
      return refusedWhen(false, versions.length === 0 || (batch !== null && model.partitions > 1))
    case 'consume':
      return refusedWhen(!versions.some(isRunning) || batch !== null)
    case 'sink':
      return refusedWhen(versions.length === 0)
    case 'verify':
      return refusedWhen(!own || own.retired, batch !== null)
    case 'diff': {
      const both = [versions[command.from], versions[command.to]]
      return refusedWhen(
        both.includes(undefined),
        both.some((one) => one?.retired),
      )
    }
    case 'repair':
      return 'may be refused'
  }
}

const hasYears = ({ loans }: Model, [from, to]: readonly [number, number]) => loans.some(({ year }) => year >= from && year <= to)
