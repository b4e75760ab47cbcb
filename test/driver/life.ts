/** Plays one life, step by step: what the store does is compared with what the model says it must, may and must not do. */
import { verdictOn } from './expected.ts'
import { expectedOf, wrongAmidst, wrongIn } from './judge.ts'
import type { Look } from './look.ts'
import {
  backfilled, carriedOut, consumedTo, freshOf, partitionIn, positionsIn, produced, sunk, topOf, type Model,
} from './model.ts'
import { oracle as newOracle, type Oracle } from './oracle.ts'
import { changesVersions, type Command, type Step, type Years } from './step.ts'
import type { DrivenStore, Outcome } from './store.ts'

/** The store did what it should not. */
export class Wrong extends Error {
  override readonly name = 'Wrong'
}

export type Life = { readonly model: Model; readonly store: DrivenStore; readonly oracle: Oracle }

export const newLife = (model: Model, store: DrivenStore): Life => ({ model, store, oracle: newOracle() })

export async function play(life: Life, step: Step): Promise<void> {
  try {
    if ('finish' in step || isBesides(life.model, step)) await finish(life, 'finish' in step ? step.finish : 'again')
    else if ('tamper' in step) await tamper(life, step)
    else if ('together' in step) await together(life, step.together)
    else await runStep(life, step.command, step.cut)
  } catch (error) {
    if (error instanceof Wrong) throw error
    throw new Wrong(`a bug: ${error instanceof Error ? error.stack : String(error)}`)
  }
  await compare(life)
}

/** Beside something unfinished: what would become of the two cannot be told from outside. */
function isBesides({ open, batch }: Model, step: Step): boolean {
  const commands = 'command' in step ? [step.command] : 'together' in step ? step.together : []
  if (open) return commands.some(changesVersions)
  return commands.some((one) => one.do === 'produce' && batch?.loans.some(({ year }) => year >= one.years[0] && year <= one.years[1]))
}

/** Finishes what is unfinished, brings everything to the warehouse, and proves every version. */
export async function end(life: Life): Promise<void> {
  const { model } = life
  await play(life, { finish: 'again' })
  if (model.versions.length === 0) return
  for (const command of [{ do: 'consume' }, { do: 'sink' }] as const) await play(life, { command })
  for (const { version, retired } of model.versions) if (!retired) await play(life, { command: { do: 'verify', version } })
}

async function runStep(life: Life, command: Command, cut: Extract<Step, { command: unknown }>['cut']): Promise<void> {
  const { model, store } = life
  const verdict = verdictOn(model, command)
  const before = verdict === 'must be done' ? undefined : await store.print()
  const since = positionsIn(model)
  const outcome = await store.run(command, cut)
  if (outcome.ended === 'refused') {
    // One partition may have gone on before another one refused.
    if (command.do === 'consume' && model.open) return cutShort(life, command, since)
    if (verdict === 'must be done') throw new Wrong(`refused: ${outcome.why.message}`)
    if ((await store.print()) !== before) throw new Wrong(`refused (${outcome.why.message}), and something was changed`)
  } else if (outcome.ended === 'cut') await cutShort(life, command, since)
  else if (verdict === 'must be refused') throw new Wrong('done, and it should have been refused')
  else done(life, command, outcome)
}

/** Whatever the two do to each other, each has done all of it, nothing, or something that is to be finished: as if both had been cut short. */
async function together(life: Life, commands: readonly [Command, Command]): Promise<void> {
  const { model, store } = life
  const since = positionsIn(model)
  const versions = commands.find(changesVersions)
  await Promise.all(commands.map((command) => store.run(command)))
  // Until it is known which versions were computed meanwhile.
  if (versions) model.open ??= { command: versions, since }
  for (const command of commands.toSorted((a, b) => placeOf(a) - placeOf(b))) await cutShort(life, command, since)
}

/** What comes in is looked at first, then what was taken of it. */
const order: readonly Command['do'][] = ['produce', 'backfill', 'consume', 'sink']
const placeOf = ({ do: what }: Command) => (order.includes(what) ? order.indexOf(what) : order.length)

function done({ model }: Life, command: Command, { said }: Extract<Outcome, { ended: 'done' }>): void {
  const { versions, batch, open } = model
  switch (command.do) {
    case 'produce': return produced(model, freshOf(model, command.years).fresh)
    case 'backfill': return backfillDone(model, loansOf(model, command.years))
    case 'undo': return void (model.batch = null)
    case 'consume': return model.inflow.forEach((loans, partition) => consumedTo(model, partition, loans.length))
    case 'sink': return sunk(model)
    case 'verify':
      if (said === false && !open && !batch) throw new Wrong('verify found differences where there are none')
      return
    case 'diff': case 'repair': return
    case 'apply': return command.version < versions.length ? undefined : carriedOut(model, command)
    case 'promote': return topOf(model) === command.version ? undefined : carriedOut(model, command)
    case 'retire': return versions[command.version]!.retired ? undefined : carriedOut(model, command)
    case 'rollback': return carriedOut(model, command)
  }
}

/** What a backfill of these years takes: one that was cut short is finished, another one takes its place. */
function loansOf(model: Model, years: Years): Model['loans'] {
  if (model.batch?.years.join() === years.join()) return model.batch.loans
  return freshOf({ ...model, batch: null }, years).fresh
}

/** The first version is applied by the first backfill. */
function backfillDone(model: Model, loans: Parameters<typeof backfilled>[1]): void {
  if (model.versions.length === 0) carriedOut(model, { do: 'apply', version: 0, mode: 'backfill' })
  backfilled(model, loans)
}

/** What has come of a command that was cut short is seen from outside: nothing, something that is to be finished, or all of it. */
async function cutShort(life: Life, command: Command, since: readonly number[]): Promise<void> {
  const { model, store } = life
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
    case 'backfill': return backfillCut(model, command.years, look)
    case 'undo':
      if (model.batch && !look.backfillPending) model.batch = null
      return
    case 'sink': case 'verify': case 'diff': return
    default: if (changesVersions(command)) return resolve(model, command, since, look)
  }
}

function backfillCut(model: Model, years: Years, look: Look): void {
  // Applying the first version is a step before it.
  if (model.versions.length === 0) {
    resolve(model, { do: 'apply', version: 0, mode: 'backfill' }, positionsIn(model), look)
    if (model.open || model.versions.length === 0) return
  }
  const loans = loansOf(model, years)
  if (look.backfillPending) return void (model.batch = { years, loans })
  const takenAll = loans.length > 0 && loans.every((loan) => loan.seq <= look.positions[partitionIn(model, loan)]!)
  if (takenAll) backfilled(model, loans)
  else model.batch = null
}

/** Whether the command on versions has come to its end, has not begun, or is to be finished. */
function resolve(model: Model, command: Command, since: readonly number[], look: Look): void {
  if (look.unfinished.length > 0) model.open ??= { command, since }
  else if (isVisible(model, command, look)) carriedOut(model, command, seenSince(model, since, look))
  else model.open = null
}

function isVisible({ shown, versions }: Model, command: Command, look: Look): boolean {
  switch (command.do) {
    case 'apply': return look.known.has(command.version) && command.version === versions.length
    case 'promote': return look.shown === command.version
    case 'rollback': return look.shown === shown.at(-2) && look.shown !== undefined
    case 'retire': return look.retired.has(command.version)
    default: return false
  }
}

/** Where nothing came in since, the model knows better than what is said. */
function seenSince(model: Model, since: readonly number[], look: Look): Look['seen'] | undefined {
  const now = positionsIn(model)
  if (since.every((seq, partition) => seq === now[partition])) return undefined
  for (const parts of look.seen.values()) {
    for (const [partition, { until }] of parts.entries()) {
      if (until !== null && until > now[partition]!) throw new Wrong(`a version is said to have ended at ${until}, and only ${now[partition]} were taken`)
    }
  }
  return look.seen
}

/** Runs it again, or what the message says, until nothing is unfinished. */
async function finish(life: Life, how: 'again' | 'as told'): Promise<void> {
  const { model, store } = life
  if (model.open) {
    const { command, since } = model.open
    for (let attempt = 1; ; attempt++) {
      const { unfinished } = await store.look()
      if (unfinished.length === 0) break
      if (attempt > 5) throw new Wrong(`cannot be finished: ${unfinished.join(' | ')}`)
      const outcome = await store.run(how === 'again' ? command : told(unfinished[0]!, command))
      if (outcome.ended === 'refused') throw new Wrong(`cannot be finished (${how}): ${outcome.why.message}; unfinished: ${unfinished.join(' | ')}`)
    }
    resolve(model, command, since, await store.look())
  }
  if (model.batch) {
    const { years } = model.batch
    const outcome = await store.run({ do: 'backfill', years })
    if (outcome.ended === 'refused') throw new Wrong(`the backfill cannot be finished: ${outcome.why.message}`)
    backfilled(model, model.batch.loans)
  }
}

/** The command that the line names. */
function told(line: string, command: Command): Command {
  const [, word, version] = /tidemark (apply|promote|retire|rollback)(?: \w+(?:@(\d+))?)?/.exec(line) ?? []
  const mode = command.do === 'apply' ? command.mode : 'backfill'
  if (word === 'apply') return { do: 'apply', version: Number(version), mode }
  if (word === 'promote' || word === 'retire') return { do: word, version: Number(version) }
  if (word === 'rollback') return { do: 'rollback' }
  throw new Wrong(`it names no command: ${line}`)
}

async function tamper({ model, store, oracle }: Life, { tamper: how, version, place }: Extract<Step, { tamper: unknown }>): Promise<void> {
  // Behind what the sink has not brought yet, nothing is compared.
  if (model.open || model.batch || model.unsunk.size > 0 || !model.versions[version] || model.versions[version].retired) return
  const rows = [...expectedOf(model, oracle, version).must.keys()]
  const seq = rows[Math.floor(place * rows.length)]
  if (seq === undefined) return
  const { set } = model.set
  const which = `_version = ${version} AND _seq = ${seq}`
  await store.sql(`CREATE TABLE aside AS SELECT * FROM ${set}_rows WHERE ${which}`)
  await store.sql(how === 'delete' ? `DELETE FROM ${set}_rows WHERE ${which}` : `UPDATE ${set}_rows SET amount_requested = amount_requested + 1 WHERE ${which}`)
  const outcome = await store.run({ do: 'verify', version })
  await store.sql(`DELETE FROM ${set}_rows WHERE ${which}`)
  await store.sql(`INSERT INTO ${set}_rows SELECT * FROM aside`)
  await store.sql('DROP TABLE aside')
  if (outcome.ended !== 'done' || outcome.said !== false) throw new Wrong(`verify did not see that somebody did a ${how} of row ${seq} of @${version}`)
}

async function compare({ model, store, oracle }: Life): Promise<void> {
  const look = await store.look()
  const wrong = model.open ? wrongAmidst(model, look) : wrongIn(model, oracle, look)
  if (wrong.length > 0) throw new Wrong(wrong.join('\n  '))
}

