/** AWS's own Java serializers as a process that answers one question after the other. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('serde.sh', import.meta.url))
const command = (name: string) => (process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', name) : name)

/** Why they cannot run on this machine; undefined when they can. */
export function missingForSerde(): string | undefined {
  const has = (name: string, option: string) => spawnSync(name, [option], { stdio: 'ignore' }).status === 0
  if (!has(command('javac'), '-version')) return 'there is no JDK (17 or newer)'
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', 'glue-serde', 'pom.xml')
  return existsSync(cache) || has('mvn', '--version') ? undefined : "there is no Maven, which fetches AWS's serializers the first time"
}

export type Serde = {
  /** The words of the answer; an error with what Java said when there is none. */
  ask(...words: readonly string[]): Promise<readonly string[]>
  stop(): Promise<void>
}

export async function startSerde(
  kind: 'serializer' | 'connect',
  {
    endpoint,
    region,
    registry,
    env,
  }: { readonly endpoint: string; readonly region: string; readonly registry: string; readonly env: Readonly<Record<string, string>> },
): Promise<Serde> {
  const { stdout } = await promisify(execFile)(script, ['install'], { timeout: 600_000 })
  const classPath = stdout.trim().split('\n')[kind === 'serializer' ? 0 : 1]!
  const options = [
    '-Xshare:auto',
    '-XX:TieredStopAtLevel=1',
    '-Xmx256m',
    '-Dfile.encoding=UTF-8',
    '-Daws.java.v1.disableDeprecationAnnouncement=true',
    '-cp',
    classPath,
  ]
  const java = spawn(command('java'), [...options, 'Serde', endpoint, region, registry], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const ended = new Promise<void>((done) => java.once('exit', () => done()))
  let said = ''
  java.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const lines = createInterface({ input: java.stdout })[Symbol.asyncIterator]()
  return {
    async ask(...words) {
      java.stdin.write(`${words.join('\t')}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`Java ended: ${said}`)
      const [outcome, ...answer] = (value as string).split('\t')
      if (outcome !== 'ok') throw new Error(answer.join(' '))
      return answer
    },
    async stop() {
      java.stdin.end()
      await ended
    },
  }
}
