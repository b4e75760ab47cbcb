/** Plays one life, step by step: what the store does is compared with what the model says it must, may and must not do. */
import type { Cut } from '../faults.ts'
import { cutShort, firstApplied, loansOf } from './cut-short.ts'
import { damage, showsNewest } from './damage.ts'
import { verdictOn } from './expected.ts'
import { again, besides, finish, type Life } from './finish.ts'
import { expectedOf, wrongAmidst, wrongIn } from './judge.ts'
import { batchOf, backfilled, carriedOut, consumedTo, freshOf, positionsIn, produced, sunk, topOf, type Model } from './model.ts'
import { oracle as newOracle } from './oracle.ts'
import { changesVersions, inWords, type Command, type Said, type Step } from './step.ts'
import { Wrong, type DrivenStore, type Outcome } from './store.ts'

export const newLife = (model: Model, store: DrivenStore): Life => ({ model, store, oracle: newOracle() })

export async function play(life: Life, step: Step): Promise<void> {
  try {
    if ('finish' in step || cannotBeTold(life.model, step)) await finish(life, 'finish' in step ? step.finish : 'again')
    else if ('tamper' in step) await tamper(life, step)
    else if ('damage' in step) await damage(life, step)
    else if ('together' in step) await together(life, step.together)
    else if (!life.model.open || !changesVersions(step.command)) await runStep(life, step.command, step.cut)
    else if (isOpen(life.model, step.command)) await again(life, step.cut)
    else await besides(life, step.command)
  } catch (error) {
    if (error instanceof Wrong) throw error
    throw new Wrong(`a bug: ${error instanceof Error ? error.stack : String(error)}`)
  }
  await compare(life)
}

/** What would become of it beside something unfinished cannot be told from outside. */
function cannotBeTold({ open, batch }: Model, step: Step): boolean {
  const commands = 'command' in step ? [step.command] : 'together' in step ? step.together : []
  if (open) return 'together' in step && commands.some(changesVersions)
  return commands.some((one) => one.do === 'produce' && batch?.loans.some(({ year }) => year >= one.years[0] && year <= one.years[1]))
}

const isOpen = ({ open }: Model, command: Command) => inWords({ command }) === inWords({ command: open!.command })

/** Finishes what is unfinished, brings everything to the warehouse, maybe loses all of it, and proves every version. */
export async function end(life: Life): Promise<void> {
  const { model } = life
  await play(life, { finish: 'again' })
  if (model.versions.length === 0) return
  for (const command of [{ do: 'consume' }, { do: 'sink' }] as const) await play(life, { command })
  // Not in every life: it takes its time.
  if (model.loans.length % 2 === 0) await play(life, { damage: 'all gone', version: topOf(model)!, place: 0 })
  for (const { version, retired } of model.versions) if (!retired) await play(life, { command: { do: 'verify', version } })
  await showsNewest(life.store)
}

async function runStep(life: Life, command: Command, cut: Cut | undefined): Promise<void> {
  const { model, store } = life
  const verdict = verdictOn(model, command)
  const before = verdict === 'must be done' ? undefined : await store.print()
  const since = positionsIn(model)
  const outcome = await store.run(command, cut)
  if (outcome.ended === 'refused') {
    // One partition may have gone on before another one refused.
    if (command.do === 'consume' && model.open) return cutShort(life, command, since)
    if (verdict === 'must be done') throw new Wrong(`refused: ${outcome.why.message}`)
    // The first version is applied by the first backfill, whatever becomes of that.
    if (command.do === 'backfill' && model.versions.length === 0) return cutShort(life, command, since)
    // One of other years that is unfinished is taken back first.
    if (command.do === 'backfill' && model.batch && model.batch.years.join() !== command.years.join()) return cutShort(life, command, since)
    // What a killed command left held for a moment may be let go of.
    if (model.open) return
    if ((await store.print()) !== before) throw new Wrong(`refused (${outcome.why.message}), and something was changed`)
  } else if (outcome.ended === 'cut') {
    checkSaid(model, outcome.said)
    await cutShort(life, command, since)
  } else if (verdict === 'must be refused') throw new Wrong('done, and it should have been refused')
  else done(life, command, outcome)
}

function checkSaid({ open, batch }: Model, said: Said | undefined): void {
  if (said?.equal === false && !open && !batch) throw new Wrong(`verify found differences where there are none: ${said.named.join(', ')}`)
}

/** Whatever the two do to each other, each has done all of it, nothing, or something that is to be finished: as if cut short. */
async function together(life: Life, commands: readonly [Command, Command]): Promise<void> {
  const { model, store } = life
  const since = positionsIn(model)
  const versions = commands.find(changesVersions)
  const outcomes = await Promise.all(commands.map((command) => store.run(command)))
  for (const outcome of outcomes) if (outcome.ended !== 'refused') checkSaid(model, outcome.said)
  // Until it is known which versions were computed meanwhile.
  if (versions) model.open ??= { command: versions, since }
  // A version that the batch applies computes what is taken beside it.
  if (model.versions.length === 0 && commands.some((one) => one.do === 'backfill')) firstApplied(model, await store.look())
  // A batch that what waits would have refused was done, if it was, behind who took that.
  const waits = commands.some((one) => one.do === 'backfill' && batchOf(model, one.years).refused)
  const place = (one: Command) => (waits && one.do === 'backfill' ? order.length : placeOf(one))
  for (const command of commands.toSorted((a, b) => place(a) - place(b))) await cutShort(life, command, since)
}

/** What comes in is looked at first, then what was taken of it. */
const order: readonly Command['do'][] = ['produce', 'backfill', 'consume', 'sink']
const placeOf = ({ do: what }: Command) => (order.includes(what) ? order.indexOf(what) : order.length)

function done({ model }: Life, command: Command, { said }: Exclude<Outcome, { ended: 'refused' }>): void {
  const { versions } = model
  switch (command.do) {
    case 'produce':
      return produced(model, freshOf(model, command.years).fresh)
    case 'backfill':
      return backfillDone(model, loansOf(model, command.years))
    case 'undo':
      return void (model.batch = null)
    case 'consume':
      return model.inflow.forEach((loans, partition) => consumedTo(model, partition, loans.length))
    case 'sink':
      return sunk(model)
    case 'verify':
      return checkSaid(model, said)
    case 'diff':
    case 'repair':
      return
    case 'apply':
      return command.version < versions.length ? undefined : carriedOut(model, command)
    case 'promote':
      return topOf(model) === command.version ? undefined : carriedOut(model, command)
    case 'retire':
      return versions[command.version]!.retired ? undefined : carriedOut(model, command)
    case 'rollback':
      return carriedOut(model, command)
  }
}

/** The first version is applied by the first backfill. */
function backfillDone(model: Model, loans: Parameters<typeof backfilled>[1]): void {
  if (model.versions.length === 0 && !model.open) carriedOut(model, { do: 'apply', version: 0, mode: 'backfill' })
  backfilled(model, loans)
}

async function tamper({ model, store, oracle }: Life, { tamper: how, version, place }: Extract<Step, { tamper: unknown }>): Promise<void> {
  if (model.open || model.batch || !model.versions[version] || model.versions[version].retired) return
  const rows = [...expectedOf(model, oracle, version).must.keys()]
  const seq = rows[Math.floor(place * rows.length)]
  if (seq === undefined) return
  const { set } = model.set
  const which = `_version = ${version} AND _seq = ${seq}`
  await store.sql(`CREATE TABLE aside AS SELECT * FROM ${set}_rows WHERE ${which}`)
  const change = how === 'delete' ? `DELETE FROM ${set}_rows` : `UPDATE ${set}_rows SET amount_requested = amount_requested + 1`
  await store.sql(`${change} WHERE ${which}`)
  const outcome = await store.run({ do: 'verify', version })
  await store.sql(`DELETE FROM ${set}_rows WHERE ${which}`)
  await store.sql(`INSERT INTO ${set}_rows SELECT * FROM aside`)
  await store.sql('DROP TABLE aside')
  if (outcome.ended === 'done' && outcome.said?.equal === false && outcome.said.named.join() === `${seq}`) return
  throw new Wrong(`verify did not see that somebody did a ${how} of row ${seq} of @${version}`)
}

async function compare({ model, store, oracle }: Life): Promise<void> {
  const look = await store.look()
  const wrong = model.open ? wrongAmidst(model, look) : wrongIn(model, oracle, look)
  if (wrong.length > 0) throw new Wrong(wrong.join('\n  '))
}
