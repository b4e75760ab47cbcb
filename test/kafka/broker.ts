/** A real Kafka broker for tests and for people: started on free ports, stopped by its process id. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./kafka.sh', import.meta.url))
const run = promisify(execFile)

export type TestKafka = {
  readonly brokers: readonly string[]
  /** What it prints, and its data. */
  readonly directory: string
  stop(): Promise<void>
  /** SIGKILL; what it wrote stays. */
  kill(): Promise<void>
  /** SIGSTOP makes it as slow as can be, SIGCONT ends that. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Starts it again, after `kill`, where it was. */
  restart(): Promise<void>
}

/** Why no broker can run on this machine; undefined when one can. */
export function missingForKafka(): string | undefined {
  if (!has(process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java', '-version'))
    return 'there is no JDK (17 or newer)'
  if (!existsSync(join(installed(), 'ready')) && !has('mvn', '--version'))
    return 'there is no Maven, which fetches the broker the first time'
  return undefined
}

/** Whether this command can be run here. */
export const has = (command: string, option: string) => spawnSync(command, [option], { stdio: 'ignore' }).status === 0

/** Another broker of the same cluster, which the first one controls. */
export const joinKafka = ({ brokers: [first] }: TestKafka) =>
  startKafka(async (directory, port) => {
    const controller = Number(first!.split(':')[1]) + 1
    writeFileSync(
      join(directory, 'more.properties'),
      [
        'process.roles=broker',
        'node.id=2',
        `controller.quorum.voters=1@127.0.0.1:${controller}`,
        `listeners=PLAINTEXT://127.0.0.1:${port}`,
        `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
      ].join('\n') + '\n',
    )
  })

/** `prepare` may put into the directory what kafka.sh looks for there, for a broker at this port. */
export async function startKafka(prepare?: (directory: string, port: number) => Promise<void>): Promise<TestKafka> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-kafka-'))
  const order = (word: string, ...details: string[]) => run(script, [word, directory, ...details], { timeout: 600_000 })
  const killLeftOver = () => {
    spawnSync(script, ['kill', directory])
    rmSync(directory, { recursive: true, force: true })
  }
  process.on('exit', killLeftOver)
  for (let attempt = 1; ; attempt++) {
    const port = await freePair()
    try {
      await prepare?.(directory, port)
      await order('start', String(port))
      return {
        brokers: [`127.0.0.1:${port}`],
        directory,
        async stop() {
          process.off('exit', killLeftOver)
          await order('stop')
          await rm(directory, { recursive: true, force: true })
        },
        kill: async () => void (await order('kill')),
        signal: (name) => void process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), name),
        restart: async () => void (await order('start', String(port))),
      }
    } catch (error) {
      // Somebody else may have taken the port in the meantime.
      if (attempt === 3) throw error
    }
  }
}

/** Where kafka.sh keeps the jars. */
export const installed = () =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', `kafka-${process.env['KAFKA_VERSION'] ?? '4.3.1'}`)

/** The first of two free ports that are neighbours: the broker listens on one, its controller on the other. */
async function freePair(): Promise<number> {
  for (;;) {
    const first = await listen(0)
    const { port } = first.address() as AddressInfo
    const second = await listen(port + 1).catch(() => undefined)
    await Promise.all([first, second].map(async (server) => server && new Promise((done) => server.close(done))))
    if (second) return port
  }
}

const listen = (port: number) =>
  new Promise<Server>((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(port, '127.0.0.1', () => resolve(server))
  })
