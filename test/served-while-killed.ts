/** Serving as a process that is killed at random moments beside a consumer that is killed too, while versions change: it ends equal. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { knownVersions } from '../streams/known-versions.ts'
import { loadState } from '../versions/keep.ts'
import { promotedIn } from '../versions/journal.ts'
import { done, start } from './cli-run.ts'
import { withPorts } from './loan-folders.ts'
import { chance, isLong } from './seeded.ts'
import { newestStored, type Plain } from './serving-steps.ts'

const definitions = `import { ema, featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ ma9: mean('risk_score', { last: 9, round: 3 }) })
export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })`

const states = ['NM', 'CA', 'TX', 'OH', 'NY', 'FL', 'WA', 'nobody']
const program = resolve(import.meta.dirname, 'serving-process.ts')

type Stage = { readonly child: ChildProcess; readonly said: Promise<string>; readonly errors: Promise<string> }

function serve(folder: string, config: string): Stage {
  const child = spawn(process.execPath, [program, folder, 'by_state', states.join(','), config], { stdio: ['pipe', 'pipe', 'pipe'] })
  return { child, said: text(child.stdout), errors: text(child.stderr) }
}

/** Kills it now and then, and begins it anew; given `end`, ends it with what it says. */
function servedAndKilled(folder: string, config: string) {
  let isOver = false
  let kills = 0
  const killing = (async () => {
    while (!isOver) {
      const { child, errors } = serve(folder, config)
      const ended = once(child, 'exit')
      await Promise.race([sleep(300 + chance() * 2500), ended])
      child.kill('SIGKILL')
      const [code] = (await ended) as [number | null]
      // What it finds wrong by itself ends it before anybody does.
      if (code !== null) throw new Error(`serving ended: ${await errors}`)
      kills++
    }
  })()
  killing.catch(() => (isOver = true))
  return {
    kills: () => kills,
    async end(): Promise<{ readonly promoted: number; readonly rows: readonly (readonly [number, Plain])[] }> {
      isOver = true
      await killing
      const { child, said, errors } = serve(folder, config)
      child.stdin!.end('now\n')
      await once(child, 'exit')
      expect(await errors).toBe('')
      return JSON.parse((await said).trim().split('\n').at(-1)!) as never
    },
  }
}

/** With a config file of these contents, and a file of loans. */
export async function servedWhileKilled(folder: string, log: object | undefined, loans: string): Promise<void> {
  writeFileSync(join(folder, 'features.ts'), definitions)
  writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'features.ts', ...(log && { log }) }))
  const run = (words: string) => done(folder, `${words} --config own.json`)
  await run('apply by_state@0 --yes')
  const served = servedAndKilled(folder, 'own.json')
  const consumer = (async () => {
    for (const _ of Array.from({ length: isLong ? 20 : 6 })) {
      const one = start(folder, 'up --no-serve --config own.json')
      await sleep(500 + chance() * 3000)
      one.signal('SIGKILL')
      await one.ended
    }
  })()
  await run(`backfill --years 2007 --features by_state --file ${loans}`)
  await run(`produce --years 2008-2009 --file ${loans}`)
  await run('apply by_state@1 --backfill --yes')
  await run(`produce --years 2010 --file ${loans}`)
  await run('rollback by_state --yes')
  await run('apply by_state@2 --shadow --yes')
  await run('promote by_state@2 --yes')
  await run(`produce --years 2011-2012 --file ${loans}`)
  await consumer
  await run('up --until-caught-up')
  const { promoted, rows } = await served.end()
  expect(served.kills()).toBeGreaterThan(2)
  await withPorts(
    folder,
    async (ports) => {
      const state = await loadState(ports, 'by_state')
      expect([state.begun, promoted]).toEqual([null, promotedIn(state)])
      expect(rows.map(([version]) => version)).toEqual([0, 1, 2])
      for (const { definition } of await knownVersions(ports.registry, 'by_state')) {
        const stored = Object.entries(await newestStored(ports, definition)).filter(([key]) => states.includes(key))
        const [, found] = rows.find(([version]) => version === definition.version)!
        expect([definition.version, found]).toEqual([definition.version, Object.fromEntries(stored)])
        expect(stored.length).toBeGreaterThan(4)
      }
    },
    'own.json',
  )
}
