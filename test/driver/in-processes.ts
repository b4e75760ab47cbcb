/** A store that real processes work on, as a user's would: each command is a process, and what cuts it short is a signal at some moment. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../config/config.ts'
import { wire } from '../../config/wire.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { freshFolder, start, warehouseOf, type Ended } from '../cli-run.ts'
import type { Cut } from '../faults.ts'
import { quickChecks } from './commands.ts'
import { lookAt, printOf, rowsSeen } from './look.ts'
import type { DrivenSet } from './sets.ts'
import type { Command } from './step.ts'
import type { DrivenStore, Outcome } from './store.ts'

export type LogConfig =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly topicPrefix: string; readonly sessionTimeoutMs: number }

export async function storeInProcesses(set: DrivenSet, partitions: number, text: string, log: LogConfig): Promise<DrivenStore> {
  const folder = freshFolder()
  writeFileSync(join(folder, 'loans.csv'), text)
  writeFileSync(join(folder, 'features.ts'), set.text)
  const config = { features: 'features.ts', source: { file: 'loans.csv' }, log: { ...log, partitions } }
  writeFileSync(join(folder, 'own.json'), JSON.stringify(config))
  const ports = await wire({ ...readConfig(join(folder, 'own.json'), {}), dataDir: join(folder, '.tidemark') })
  const opened = { ...ports, openSource: () => ports.openSource(join(folder, 'loans.csv'), '') }
  /** What a command takes here, as far as is known: signals are spread over that. */
  let usualMs = 800

  return {
    async run(command, cut) {
      const startedMs = performance.now()
      const running = start(folder, `${words(set.set, command)} --config own.json --json`)
      const signalled = cut ? await Promise.race([sleep(momentOf(cut) * usualMs).then(() => true), running.ended.then(() => false)]) : false
      if (signalled) running.signal(signalOf(cut!))
      const ended = await running.ended
      // What was asked of the brokers in the last moment may still be carried out.
      if (signalled && log.kind === 'kafka') await sleep(500)
      if (!signalled) usualMs = 0.8 * usualMs + 0.2 * Math.min(3000, performance.now() - startedMs)
      return outcomeOf(command, ended, signalled)
    },
    look: () => lookAt(opened, set.set, (versions) => rowsSeen(opened, set.set, versions)),
    async complaints() {
      const { out } = await start(folder, 'doctor --config own.json --json').ended
      const { checks } = JSON.parse(out) as { readonly checks: readonly Record<'check' | 'state' | 'found', string>[] }
      const looked = checks.filter(({ check }) => (quickChecks as readonly string[]).includes(check))
      if (looked.length !== quickChecks.length || looked.some(({ state }) => state === 'not checked'))
        throw new Error(`doctor did not look: ${out}`)
      return looked.filter(({ state }) => state === 'problem').map(({ found }) => found)
    },
    print: () => printOf(opened),
    async sql(statement) {
      const db = new DatabaseSync(warehouseOf(folder), { timeout: 10_000 })
      db.exec(statement)
      db.close()
    },
    close: () => ports.close(),
  }
}

/** In parts of what a command takes: starting is the first third of it. */
const momentOf = (cut: Cut) => 0.35 + (cut.kind === 'kill' ? cut.write / 16 : (cut.call % 40) / 40)

const signalOf = (cut: Cut) => (cut.kind === 'kill' ? 'SIGKILL' : cut.call % 2 === 0 ? 'SIGINT' : 'SIGTERM')

function words(set: string, command: Command): string {
  switch (command.do) {
    case 'apply':
      return `apply ${set}@${command.version} --${command.mode} --yes`
    case 'promote':
    case 'retire':
      return `${command.do} ${set}@${command.version} --yes`
    case 'verify':
      return `verify ${set}@${command.version}`
    case 'rollback':
      return `rollback ${set} --yes`
    case 'produce':
    case 'backfill':
      return `${command.do} --years ${command.years.join('-')}`
    case 'undo':
      return `backfill --features ${set} --undo --yes`
    case 'consume':
    case 'sink':
      return `${command.do} --until-caught-up`
    case 'diff':
      return `diff ${set}@${command.from} ${set}@${command.to}`
    case 'repair':
      return `repair ${set} --yes`
  }
}

type Proof = { readonly equal?: boolean | null; readonly first?: readonly { readonly seq: number }[] }

function outcomeOf(command: Command, { code, out, err }: Ended, signalled: boolean): Outcome {
  if (code === 2 || err.includes('a bug of Tidemark') || (code === null && !signalled)) throw new Error(`exit ${code}: ${err}`)
  const { equal, first = [] } = out.trim() === '' ? {} : (JSON.parse(out) as Proof)
  const said = typeof equal === 'boolean' ? { equal, named: first.map(({ seq }) => seq) } : undefined
  if (signalled) return { ended: 'cut', said }
  if (code === 0 || (command.do === 'verify' && said !== undefined)) return { ended: 'done', said }
  return { ended: 'refused', why: new Problem(err.trim().split('\n').at(-1)!.replace(/\.$/, ''), 'See above.') }
}
