/** A real Kafka Connect worker with Debezium for tests and for people: started on a free port, stopped by its process id. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { has } from '../kafka/broker.ts'

const script = fileURLToPath(new URL('./connect.sh', import.meta.url))
const run = promisify(execFile)

export type Kind = 'postgres' | 'mariadb'

/** As Connect takes it: every value is a text. */
export type ConnectorConfig = Readonly<Record<string, string>>

export type TestConnect = {
  /** What it prints. */
  readonly directory: string
  /** Makes a connector, or changes it, and waits until its task runs: its first snapshot may come later. */
  put(name: string, config: ConnectorConfig): Promise<void>
  /**
   * Stops a connector, forgets where it was, and lets it go on: it begins with a new snapshot. `meanwhile` happens while it stands still.
   */
  deleteOffsets(name: string, meanwhile?: () => Promise<void>): Promise<void>
  /** Forgets a connector, where it was included. */
  remove(name: string): Promise<void>
  stop(): Promise<void>
  /** SIGKILL; what it knows is in Kafka. */
  kill(): Promise<void>
  /** Starts it again, after `kill`; its connectors go on by themselves. */
  restart(): Promise<void>
}

/** Why no worker can run on this machine; undefined when one can. */
export function missingForConnect(kind: Kind): string | undefined {
  const isThere = existsSync(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', `connect-${kind}`, 'pom.xml'))
  if (isThere || has('mvn', '--version')) return undefined
  return 'there is no Maven, which fetches Kafka Connect and Debezium the first time'
}

export async function startConnect(kind: Kind, brokers: readonly string[]): Promise<TestConnect> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-connect-'))
  const port = await freePort()
  const order = (word: string, ...details: string[]) => run(script, [word, ...details], { timeout: 600_000 })
  const start = async () => {
    await order('start', kind, directory, String(port), brokers.join())
    while (!(await fetch(at('health')).catch(() => undefined))?.ok) {
      if (!isRunning(directory)) throw new Error(`Kafka Connect does not start: ${logOf(directory)}`)
      await sleep(50)
    }
  }
  const at = (path: string) => `http://127.0.0.1:${port}/${path}`
  /** While its group settles, it asks to be asked again. */
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    for (const deadline = Date.now() + 60_000; ;) {
      const sent = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}
      const answer = await fetch(at(path), { method, ...sent })
      const text = await answer.text()
      if (answer.ok) return text === '' ? undefined : JSON.parse(text)
      const isSettling = answer.status === 409 || answer.status === 503 || (answer.status === 404 && method === 'GET')
      if (!isSettling || Date.now() > deadline) throw new Error(`${method} ${path}: ${answer.status} ${text}\n${logOf(directory)}`)
      await sleep(50)
    }
  }
  const reaches = async (name: string, state: 'RUNNING' | 'STOPPED') => {
    for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
      const { connector, tasks } = (await ask('GET', `connectors/${name}/status`)) as Status
      const failed = [connector, ...tasks].find((one) => one.state === 'FAILED')
      if (failed) throw new Error(`${name}: ${failed.trace}`)
      if (connector.state === state && (state === 'STOPPED' ? tasks.length === 0 : tasks[0]?.state === 'RUNNING')) return
      if (Date.now() > deadline) throw new Error(`${name} does not become ${state}: ${logOf(directory)}`)
    }
  }
  const killLeftOver = () => {
    spawnSync(script, ['kill', directory])
    rmSync(directory, { recursive: true, force: true })
  }
  process.on('exit', killLeftOver)
  await start()
  return {
    directory,
    async put(name, config) {
      await ask('PUT', `connectors/${name}/config`, config)
      await reaches(name, 'RUNNING')
    },
    async deleteOffsets(name, meanwhile) {
      await ask('PUT', `connectors/${name}/stop`)
      await reaches(name, 'STOPPED')
      await ask('DELETE', `connectors/${name}/offsets`)
      await meanwhile?.()
      await ask('PUT', `connectors/${name}/resume`)
      await reaches(name, 'RUNNING')
    },
    async remove(name) {
      await ask('PUT', `connectors/${name}/stop`)
      await reaches(name, 'STOPPED')
      await ask('DELETE', `connectors/${name}/offsets`)
      await ask('DELETE', `connectors/${name}`)
    },
    async stop() {
      process.off('exit', killLeftOver)
      await order('stop', directory)
      rmSync(directory, { recursive: true, force: true })
    },
    kill: async () => void (await order('kill', directory)),
    restart: start,
  }
}

type State = { readonly state: string; readonly trace?: string }
type Status = { readonly connector: State; readonly tasks: readonly State[] }

function isRunning(directory: string): boolean {
  try {
    return process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), 0)
  } catch {
    return false
  }
}

/** The end of what it has printed. */
const logOf = (directory: string) => readFileSync(join(directory, 'worker.log'), 'utf8').slice(-4000)

export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
