/** What is unfinished: how it is finished, and what becomes of it when another command on versions comes instead. */
import type { Cut } from '../faults.ts'
import { resolve, seenSince } from './cut-short.ts'
import { wrongIn } from './judge.ts'
import type { Look } from './look.ts'
import { backfilled, batchOf, carriedOut, givenUp, topOf, type Model, type VersionModel } from './model.ts'
import type { Oracle } from './oracle.ts'
import type { Command } from './step.ts'
import { Wrong, type DrivenStore } from './store.ts'

/** What is played on, and what tells how it must be. */
export type Life = { readonly model: Model; readonly store: DrivenStore; readonly oracle: Oracle }

/** Runs it again, or what the message says, until nothing is unfinished. */
export async function finish(life: Life, how: 'again' | 'as told'): Promise<void> {
  const { model, store } = life
  if (model.open && (await waitsForBatch(life))) await finishBatch(life)
  if (model.open) {
    const { command, since } = model.open
    await untilNothingIsLeft(life, how)
    resolve(model, command, since, await store.look())
  }
  if (model.batch) await finishBatch(life)
}

async function finishBatch({ model, store }: Life): Promise<void> {
  const { years, loans } = model.batch!
  const outcome = await store.run({ do: 'backfill', years })
  if (outcome.ended !== 'refused') return backfilled(model, loans)
  // What must not be taken was cut short before that was seen: then nothing of it may be left.
  const isLeft = !batchOf(model, years).refused || (await store.look()).backfillPending !== undefined
  if (isLeft) throw new Wrong(`the backfill cannot be finished: ${outcome.why.message}`)
  model.batch = null
}

/** A batch that was cut short has to be finished, or taken back, before versions change again: it says so. */
const waitsForBatch = async ({ model, store }: Life): Promise<boolean> =>
  model.batch !== null && (await store.look()).backfillPending !== undefined

async function untilNothingIsLeft(life: Life, how: 'again' | 'as told'): Promise<void> {
  const { model, store } = life
  const { command } = model.open!
  for (let attempt = 1; ; attempt++) {
    const { unfinished } = await store.look()
    if (unfinished.length === 0) return
    if (attempt > 5) throw new Wrong(`cannot be finished: ${unfinished.join(' | ')}`)
    const outcome = await store.run(how === 'again' ? command : told(unfinished[0]!, command))
    if (outcome.ended !== 'refused') continue
    throw new Wrong(`cannot be finished (${how}): ${outcome.why.message}; unfinished: ${unfinished.join(' | ')}`)
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

/** What is unfinished is begun again, and maybe cut short again. */
export async function again(life: Life, cut: Cut | undefined): Promise<void> {
  const { model, store } = life
  const { command, since } = model.open!
  const outcome = await store.run(command, cut)
  if (outcome.ended === 'refused' && (await waitsForBatch(life))) return
  if (outcome.ended === 'refused') throw new Wrong(`cannot be run again: ${outcome.why.message}`)
  resolve(model, command, since, await store.look())
}

/** Refused, and nothing is changed; or done, as if what was unfinished had come before it or behind it, or had never been. */
export async function besides(life: Life, command: Command): Promise<void> {
  const { model, store, oracle } = life
  const { command: begun, since } = model.open!
  const before = await store.print()
  // Then it was shown before, and whoever finishes it after the other command shows it again.
  const wasShown = begun.do === 'apply' && (await store.look()).shown === begun.version
  const outcome = await store.run(command)
  if (outcome.ended === 'refused') {
    if ((await store.print()) !== before) throw new Wrong(`refused (${outcome.why.message}), and something was changed`)
    return
  }
  await untilNothingIsLeft(life, 'as told')
  const look = await store.look()
  const seen = seenSince(model, since, look)
  const wrong: string[] = []
  const again: Command[] = begun.do === 'apply' && wasShown ? [{ do: 'promote', version: begun.version }] : []
  const shownAgain = wasShown ? [begun, command, ...again] : [command, begun]
  for (const order of [[begun, command], shownAgain, [command], [begun], []]) {
    const tried: Model = { ...model, open: null }
    const given = begun.do === 'apply' && command.do === 'retire' && begun.version === command.version && order[1] === command
    if (given) givenUp(tried, begun.version)
    else if (!order.every((one) => isPossible(tried, one) && (carriedOut(tried, one, seen), true))) continue
    const variants = order[0] === begun ? [tried, notFilled(tried, model, look)] : [tried]
    const found = variants.find((one) => wrongIn(one, oracle, look).length === 0)
    if (found) return void Object.assign(model, found)
    wrong.push(`${order.map((one) => one.do).join(', then ') || 'neither'}: ${wrongIn(tried, oracle, look)[0]}`)
  }
  throw new Wrong(`in no order is it what ${begun.do} and ${command.do} make of it:\n  ${wrong.join('\n  ')}`)
}

/** A version that was to be shown again, and had not got all the rows that it lacked when another one took its place, has those it got. */
function notFilled(tried: Model, { versions }: Model, { seen }: Look): Model {
  const asSeen = (one: VersionModel): VersionModel => ({
    ...one,
    owned: one.owned.map((part, partition) => {
      const before = versions[one.version]?.owned[partition]?.until ?? null
      const until = seen.get(one.version)?.[partition]?.until ?? null
      return before === null || until === null || until < before ? part : { ...part, until }
    }),
  })
  return { ...tried, versions: tried.versions.map((one) => (one.version === topOf(tried) ? one : asSeen(one))) }
}

function isPossible(model: Model, command: Command): boolean {
  const own = 'version' in command ? model.versions[command.version] : undefined
  switch (command.do) {
    case 'apply':
      return command.version === model.versions.length
    case 'rollback':
      return model.shown.length > 1
    case 'repair':
      return true
    case 'retire':
      return own !== undefined && !own.retired && topOf(model) !== own.version
    default:
      return own !== undefined && !own.retired
  }
}
