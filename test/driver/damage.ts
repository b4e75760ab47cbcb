/**
 * What is lost or changed in the warehouse behind everybody's back: verify and doctor tell, no command goes on as if it were there, repair
 * mends it.
 */
import type { Cut } from '../faults.ts'
import type { Life } from './finish.ts'
import { expectedOf } from './judge.ts'
import { emptied, sunk, type Model } from './model.ts'
import type { Command, Step } from './step.ts'
import { Wrong, type DrivenStore } from './store.ts'

type DamageStep = Extract<Step, { damage: unknown }>

export async function damage({ model, store, oracle }: Life, step: DamageStep): Promise<void> {
  const own = model.versions[step.version]
  // What is unfinished may have to be finished first, and is no damage.
  if (model.open || model.batch || !own || own.retired) return
  const before = await store.complaints()
  if (before.length > 0) throw new Wrong(`doctor complains and all is well: ${before.join(' | ')}`)
  const hurt = await hurtBy(
    step,
    model,
    store,
    [...expectedOf(model, oracle, step.version).must.keys()].sort((a, b) => a - b),
  )
  if (hurt === undefined) return

  if (hurt.length > 0) await verified(store, step, hurt.slice(0, 10))
  // By counts nobody can tell that a row is another one.
  if (step.damage !== 'rows changed' && (await store.complaints()).length === 0)
    throw new Wrong(`doctor says that all is well: ${step.damage}`)
  if (step.damage === 'all gone') await refusedOver(store, otherCommand(model, step))
  if (step.cut) await mustBeDone(store, step, { do: 'repair' }, step.cut)
  await mustBeDone(store, step, { do: 'repair' })
  if (step.damage === 'all gone') emptied(model)
  if (step.damage === 'all gone' && step.place < 0.5) {
    await mustBeDone(store, step, { do: 'sink' })
    sunk(model)
  }
  const after = await store.complaints()
  if (after.length > 0) throw new Wrong(`doctor complains after repair: ${after.join(' | ')}`)
  await verified(store, step, [])
  await showsNewest(store)
}

/** The newest row of each key is what its view says. */
export async function showsNewest(store: DrivenStore): Promise<void> {
  const { notNewest } = await store.look()
  if (notNewest.length > 0) throw new Wrong(`not the newest rows of each key: ${notNewest.join(', ')}`)
}

/** Changes it, and gives the numbers of the rows that are not as they should be; undefined where there is nothing to change. */
async function hurtBy(
  { damage, version, place }: DamageStep,
  model: Model,
  store: DrivenStore,
  rows: readonly number[],
): Promise<readonly number[] | undefined> {
  const { set } = model.set
  const from = Math.floor(place * rows.length)
  const some = rows.slice(from, from + 1 + (from % 12))
  const which = `_version = ${version} AND _seq IN (${some.join(', ')})`
  switch (damage) {
    case 'rows gone':
      if (some.length > 0) await store.sql(`DELETE FROM ${set}_rows WHERE ${which}`)
      return some.length > 0 ? some : undefined
    case 'rows changed':
      if (some.length > 0) await store.sql(`UPDATE ${set}_rows SET amount_requested = amount_requested + 1 WHERE ${which}`)
      return some.length > 0 ? some : undefined
    case 'rows added': {
      if (some.length === 0) return undefined
      const free = freeNumber(model)
      await store.sql(`CREATE TABLE aside AS SELECT * FROM ${set}_rows WHERE _version = ${version} AND _seq = ${some[0]}`)
      await store.sql(`UPDATE aside SET _seq = ${free}`)
      await store.sql(`INSERT INTO ${set}_rows SELECT * FROM aside`)
      await store.sql('DROP TABLE aside')
      return [free]
    }
    case 'views gone':
      for (const view of [`${set}_v${version}`, set]) await store.sql(`DROP VIEW IF EXISTS ${view}`)
      return []
    case 'records changed': {
      const record = `feature_set = '${set}' AND version = ${version}`
      const change = place < 0.5 ? 'DELETE FROM tidemark_versions' : `UPDATE tidemark_versions SET state = 'retired'`
      await store.sql(`${change} WHERE ${record}`)
      return []
    }
    case 'all gone':
      for (const view of [set, ...model.versions.map((one) => `${set}_v${one.version}`)]) {
        await store.sql(`DROP VIEW IF EXISTS ${view}`)
      }
      await store.sql(`DROP TABLE ${set}_rows`)
      for (const table of ['tidemark_versions', 'tidemark_progress']) await store.sql(`DELETE FROM ${table}`)
      return []
  }
}

/** The number of no record: of a line that cannot be read, or behind all of them. */
function freeNumber({ loans }: Model): number {
  const taken = new Set(loans.map(({ seq }) => seq))
  let free = 1
  while (taken.has(free)) free++
  return free
}

async function verified(store: DrivenStore, { damage, version }: DamageStep, named: readonly number[]): Promise<void> {
  const outcome = await store.run({ do: 'verify', version })
  const said = outcome.ended === 'done' ? outcome.said : undefined
  if (said?.equal === (named.length === 0) && said.named.join() === named.join()) return
  throw new Wrong(`${damage}: verify @${version} should name ${named.join(', ') || 'nothing'}, and says ${JSON.stringify(outcome)}`)
}

/** Nobody goes on over a warehouse that was lost as if it were there. */
async function refusedOver(store: DrivenStore, command: Command): Promise<void> {
  const before = await store.print()
  const outcome = await store.run(command)
  const isTold = outcome.ended === 'refused' && outcome.why.message.includes('repair')
  if (!isTold) throw new Wrong(`${command.do} over a lost warehouse: ${JSON.stringify(outcome)}`)
  if ((await store.print()) !== before) throw new Wrong(`${command.do} was refused over a lost warehouse, and something was changed`)
}

function otherCommand({ versions }: Model, { version, place }: DamageStep): Command {
  const commands: readonly Command[] = [
    { do: 'apply', version: Math.min(2, versions.length), mode: 'backfill' },
    { do: 'promote', version },
    { do: 'rollback' },
    { do: 'retire', version },
  ]
  return commands[Math.floor(place * commands.length)]!
}

async function mustBeDone(store: DrivenStore, { damage }: DamageStep, command: Command, cut?: Cut): Promise<void> {
  const outcome = await store.run(command, cut)
  if (outcome.ended === 'refused') throw new Wrong(`${damage}: ${command.do} is refused: ${outcome.why.message}`)
}
