/** Apicurio Registry for tests: a real schema registry that speaks Confluent's API. It wants no user: who is refused, the emulator says. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import type { TestSchemas } from './contract.ts'
import { postedTo } from './emulator.ts'

const script = fileURLToPath(new URL('./apicurio.sh', import.meta.url))
const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java'

/** Why it cannot run on this machine; undefined when it can. */
export function missingForApicurio(): string | undefined {
  const has = (command: string, option: string) => spawnSync(command, [option], { stdio: 'ignore' }).status === 0
  if (!has(java, '-version')) return 'there is no Java (17 or newer)'
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', 'apicurio-2.6.13.Final', 'ready')
  return existsSync(cache) || has('mvn', '--version') ? undefined : 'there is no Maven, which fetches Apicurio the first time'
}

export async function startApicurio(): Promise<TestSchemas> {
  const { stdout } = await promisify(execFile)(script, ['install'], { timeout: 600_000 })
  const jar = stdout.trim()
  const options = ['-Xmx384m', '-XX:TieredStopAtLevel=1', '-Dquarkus.http.host=127.0.0.1', '-Dquarkus.http.port=0']
  const server = spawn(java, [...options, '-jar', jar], { cwd: dirname(jar), stdio: ['ignore', 'pipe', 'ignore'] })
  const killLeftOver = () => void server.kill('SIGKILL')
  process.on('exit', killLeftOver)
  const ended = new Promise<void>((done) => server.once('exit', () => done()))
  const url = await new Promise<string>((ready, failed) => {
    createInterface({ input: server.stdout }).on('line', (line) => {
      const [, at] = /Listening on: (http:\/\/\S+)/.exec(line) ?? []
      if (at !== undefined) ready(`${at}/apis/ccompat/v7`)
    })
    void ended.then(() => failed(new Error('Apicurio did not start')))
  })
  return {
    url,
    post: (subject, schema) => postedTo(url, subject, schema),
    async stop() {
      process.off('exit', killLeftOver)
      server.kill('SIGTERM')
      await ended
    },
  }
}
