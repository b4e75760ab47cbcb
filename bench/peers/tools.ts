/** Fetches what the peers need, once, into the user's cache: jars by Maven, compiled classes, Python packages. Says why when it cannot. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Problem } from '../../utilities/values/problem.ts'

const run = promisify(execFile)
const here = import.meta.dirname
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', 'peers')

/** The program of the JDK that JAVA_HOME names, or the one on the path. */
const jdk = (program: string) => (process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', program) : program)

export type Java = { readonly java: string; readonly classPath: string }

/** The jars of its pom, and the sources compiled against them. */
export async function javaPeer(folder: string, sources: readonly string[]): Promise<Java> {
  const files = sources.map((name) => join(here, `${name}.java`))
  const pom = join(here, folder, 'pom.xml')
  await need(jdk('javac'), '-version', 'there is no JDK (17 or newer)')
  const dir = await prepared(folder, [pom, ...files], async (dir) => {
    await need('mvn', '--version', 'there is no Maven, which fetches its jars the first time')
    await tool('mvn', [
      '-q',
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(dir, 'jars')}`,
      '-DincludeScope=runtime',
    ])
    await tool(jdk('javac'), ['-nowarn', '-cp', join(dir, 'jars', '*'), '-d', join(dir, 'classes'), ...files])
  })
  return { java: jdk('java'), classPath: `${join(dir, 'classes')}:${join(dir, 'jars', '*')}` }
}

/** A Python of its own with the packages that python/NAME.txt lists. */
export async function pythonPeer(name: string): Promise<string> {
  const list = join(here, 'python', `${name}.txt`)
  const dir = await prepared(`python-${name}`, [list], async (dir) => {
    await need('python3', '--version', 'there is no Python')
    await tool('python3', ['-m', 'venv', dir])
    await tool(join(dir, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', '-r', list])
  })
  return join(dir, 'bin', 'python')
}

async function versionOf(file: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(file, args)
  return (stdout || stderr).trim().split('\n')[0]!
}

export const javaVersion = () => versionOf(jdk('java'), ['--version'])

/** A folder of the cache named by what it is made from; made again when that changes, or when it was left half made. */
async function prepared(name: string, sources: readonly string[], make: (dir: string) => Promise<void>): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(readFileSync(source))
  const dir = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}`)
  const ready = join(dir, 'ready')
  if (existsSync(ready)) return dir
  process.stderr.write(`fetching and building ${name}\n`)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  await make(dir)
  writeFileSync(ready, '')
  return dir
}

async function need(file: string, option: string, missing: string): Promise<void> {
  await run(file, [option]).catch((cause: unknown) => {
    throw new Problem(missing, 'Install it, or leave this peer out.', { cause })
  })
}

const toolTimeoutMs = 900_000

async function tool(file: string, args: readonly string[]): Promise<void> {
  try {
    await run(file, args, { timeout: toolTimeoutMs, maxBuffer: 64 * 1024 * 1024 })
  } catch (cause) {
    const { stderr = '', stdout = '' } = cause as { stderr?: string; stdout?: string }
    const lines = `${stdout}\n${stderr}`
      .trim()
      .split('\n')
      .filter((line) => /error|failed|cannot/i.test(line))
    throw new Problem(
      `${file} failed: ${(lines[0] ?? stderr.trim().split('\n').at(-1) ?? 'no reason given').slice(0, 200).replace(/\.$/, '')}`,
      'Try it by hand.',
      { cause },
    )
  }
}
