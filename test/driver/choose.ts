/** Chooses the next step of a life by chance: mostly what makes sense, sometimes what must be refused, often cut short. */
import type { Cut } from '../faults.ts'
import { firstYear, oneOf, whole, years, type Random } from './loans.ts'
import { freshOf, topOf, type Model } from './model.ts'
import { changesVersions, type Command, type Step, type Years } from './step.ts'

/** What is done how often. */
const weights = {
  apply: 5,
  promote: 3,
  rollback: 3,
  retire: 2,
  produce: 6,
  backfill: 5,
  undo: 1,
  consume: 6,
  sink: 5,
  verify: 2,
  diff: 1,
  repair: 1,
  tamper: 1,
  damage: 3,
  together: 3,
} as const

/** What is tried at once: one of the two at most changes versions. */
const pairs = [
  ['apply', 'consume'],
  ['promote', 'consume'],
  ['rollback', 'consume'],
  ['backfill', 'consume'],
  ['produce', 'consume'],
  ['apply', 'produce'],
  ['apply', 'sink'],
  ['retire', 'sink'],
  ['backfill', 'sink'],
  ['consume', 'sink'],
  ['verify', 'consume'],
  ['verify', 'sink'],
] as const

const modes = ['backfill', 'shadow', 'cold', 'forward-only'] as const

export function nextStep(random: Random, model: Model): Step {
  if (model.open) {
    const chosen = random()
    if (chosen < 0.25) return { finish: random() < 0.5 ? 'again' : 'as told' }
    if (chosen < 0.4) return { command: model.open.command, cut: cutBy(random) }
    if (chosen < 0.65) return { command: commandOf(random, model, oneOf(random, ['apply', 'promote', 'rollback', 'retire'])) }
  }
  // A life begins with something.
  if (model.versions.length === 0 && random() < 0.6) {
    return cutOrNot(random, commandOf(random, model, oneOf(random, ['apply', 'backfill', 'produce'])))
  }
  if (model.batch && random() < 0.4) return oneOf<Step>(random, [{ finish: 'again' }, { command: { do: 'undo' } }])
  const kind = byWeight(random)
  if (kind === 'tamper') return { tamper: random() < 0.7 ? 'change' : 'delete', version: anyVersion(random), place: random() }
  if (kind === 'damage') return damaged(random)
  if (kind === 'together') return { together: oneOf(random, pairs).map((one) => commandOf(random, model, one)) as [Command, Command] }
  return cutOrNot(random, commandOf(random, model, kind))
}

const damages = ['rows gone', 'rows changed', 'rows added', 'views gone', 'records changed', 'all gone'] as const

function damaged(random: Random): Step {
  const step = { damage: oneOf(random, damages), version: anyVersion(random), place: random() }
  return random() < 0.4 ? { ...step, cut: cutBy(random) } : step
}

const cutOrNot = (random: Random, command: Command): Step =>
  random() < (changesVersions(command) ? 0.55 : 0.3) ? { command, cut: cutBy(random) } : { command }

const cutBy = (random: Random): Cut =>
  random() < 0.55
    ? { kind: 'kill', write: whole(random, 1, oneOf(random, [4, 8, 16])) }
    : { kind: 'stop', call: whole(random, 1, oneOf(random, [10, 40, 120])) }

function byWeight(random: Random): keyof typeof weights {
  let left = random() * Object.values(weights).reduce((sum, one) => sum + one, 0)
  for (const [kind, weight] of Object.entries(weights)) if ((left -= weight) < 0) return kind as keyof typeof weights
  return 'consume'
}

const anyVersion = (random: Random) => whole(random, 0, 2)

function commandOf(random: Random, model: Model, kind: Exclude<keyof typeof weights, 'tamper' | 'damage' | 'together'>): Command {
  switch (kind) {
    case 'apply': {
      const version = random() < 0.85 ? Math.min(2, model.versions.length) : anyVersion(random)
      return { do: 'apply', version, mode: oneOf(random, modes) }
    }
    case 'promote':
      return { do: 'promote', version: random() < 0.7 ? applied(random, model, false) : anyVersion(random) }
    case 'retire':
      return { do: 'retire', version: random() < 0.7 ? applied(random, model, false) : anyVersion(random) }
    case 'verify':
      return { do: 'verify', version: random() < 0.9 ? applied(random, model, true) : anyVersion(random) }
    case 'diff':
      return { do: 'diff', from: applied(random, model, true), to: applied(random, model, true) }
    case 'produce':
    case 'backfill':
      return { do: kind, years: someYears(random, model) }
    default:
      return { do: kind }
  }
}

function applied(random: Random, model: Model, top: boolean): number {
  const there = model.versions.filter(({ version, retired }) => !retired && (top || version !== topOf(model)))
  return oneOf(random, [...there.map(({ version }) => version), 0].slice(0, 3))
}

/** Mostly the next years that nobody has taken. */
function someYears(random: Random, model: Model): Years {
  const all = Array.from({ length: years }, (_, i) => firstYear + i)
  const fresh = all.filter((year) => freshOf(model, [year, year]).fresh.length > 0)
  const from = random() < 0.75 && fresh.length > 0 ? fresh[0]! : oneOf(random, all)
  return [from, Math.min(firstYear + years - 1, from + oneOf(random, [0, 0, 0, 1, 2]))]
}
