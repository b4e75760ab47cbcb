/** The servers of the benchmark, each with the same rows: Tidemark, and Feast's in Python and in Go over Redis and SQLite. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/cdc/connect.ts'
import { installed } from '../test/serve/python.ts'
import { Problem } from '../utilities/values/problem.ts'
import { run } from './child.ts'
import { bodies, csv, definitions, names } from './serve-data.ts'

export type Side = {
  readonly name: string /** Where it is asked for features. */
  readonly url: string
  readonly pids: readonly number[]
  stop(): Promise<void>
}

const path = '/get-online-features'

export type SideName = 'tidemark' | 'feast-go-redis' | 'feast-go-sqlite' | 'feast-python-redis'

export async function startSide(name: SideName, folder: string, keys: number): Promise<Side> {
  mkdirSync(folder, { recursive: true })
  const rows = join(folder, 'rows.csv')
  writeFileSync(rows, csv(keys))
  const side = await (name === 'tidemark' ? tidemark(folder, rows) : feast(name, folder, rows))
  const answer = await fetch(side.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodies(keys, 1)[0]!,
  })
  const said = await answer.text()
  if (answer.ok && (said.match(/"PRESENT"/g) ?? []).length >= names.length) return side
  await side.stop()
  throw new Error(`${side.name} answers ${answer.status}: ${said}`)
}

async function tidemark(folder: string, rows: string): Promise<Side> {
  writeFileSync(join(folder, 'definitions.ts'), definitions)
  const config = join(folder, 'tidemark.json')
  const dataDir = join(folder, 'data')
  writeFileSync(config, JSON.stringify({ dataDir, features: join(folder, 'definitions.ts'), source: { file: rows } }))
  const port = await freePort()
  for (const words of ['apply loan_risk@0', 'produce', 'up --until-caught-up'])
    await run('tidemark.js', [...words.split(' '), '--config', config, '--yes'])
  const server = started(process.execPath, ['tidemark.js', 'serve', '--config', config, '--port', String(port)])
  const address = `http://127.0.0.1:${port}`
  await until(server, async () => (await fetch(`${address}/readyz`)).ok)
  return { name: 'Tidemark', url: `${address}${path}`, pids: [server.pid!], stop: async () => ended(server) }
}

async function feast(name: SideName, folder: string, rows: string): Promise<Side> {
  const programs = await installed('feast')
  const [, language, kind] = name.split('-') as [string, 'go' | 'python', 'redis' | 'sqlite']
  const redisPort = await freePort()
  const redis = kind === 'redis' ? started('redis-server', ['--port', String(redisPort), '--save', '']) : undefined
  const online = redis ? { type: 'redis', connection_string: `localhost:${redisPort}` } : { type: 'sqlite', path: 'online.db' }
  if (redis) await sleep(1000)
  const repository = join(folder, 'feast')
  const made = spawnSync(
    join(programs, 'python'),
    [join(import.meta.dirname, 'feast/store.py'), repository, JSON.stringify(online), rows],
    {
      encoding: 'utf8',
    },
  )
  if (made.status !== 0) throw new Error(`Feast did not take the rows: ${made.stderr}`)
  const [port, other] = [String(await freePort()), String(await freePort())]
  const server =
    language === 'go'
      ? started(goServer(), ['--chdir', repository, '--host', '127.0.0.1', '--port', port, '--metrics-port', other])
      : // Else it begins anew after a thousand requests, and those that are under way then fail.
        started(join(programs, 'feast'), [
          '-c',
          repository,
          'serve',
          '--host',
          '127.0.0.1',
          '--port',
          port,
          '--workers',
          '1',
          '--max-requests',
          '1000000000',
          '--no-access-log',
        ])
  const address = `http://127.0.0.1:${port}`
  await until(server, async () => (await fetch(`${address}/health`)).ok)
  const stop = async () => {
    await ended(server)
    if (redis) await ended(redis)
  }
  // Its server in Go leaves statuses and times out unless it is asked for them. Redis works for every request, too.
  const url = `${address}${path}${language === 'go' ? '?status=true' : ''}`
  return {
    name: `Feast ${language === 'go' ? 'Go' : 'Python'}, ${kind}`,
    url,
    pids: [server, ...(redis ? [redis] : [])].map(({ pid }) => pid!),
    stop,
  }
}

function goServer(): string {
  const built = spawnSync(join(import.meta.dirname, 'feast/go.sh'), { encoding: 'utf8' })
  if (built.status !== 0)
    throw new Problem(`Feast's server in Go cannot be built: ${built.stderr.trim().split('\n').at(-1)}`, 'Leave it out with --only.')
  return built.stdout.trim()
}

function started(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => says.set(child, (says.get(child) ?? '') + text))
  child.once('error', (error) => says.set(child, error.message))
  return child
}
const says = new Map<ChildProcess, string>()

async function until(server: ChildProcess, isSo: () => Promise<boolean>): Promise<void> {
  for (const late = performance.now() + 120_000; ;) {
    if (await isSo().catch(() => false)) return
    if (server.exitCode !== null || performance.now() > late) throw new Error(`${server.spawnfile} does not answer: ${says.get(server)}`)
    await sleep(100)
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const end = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await end
}
