/** Runs the command line as users do: real processes, in a fresh folder that holds the data directory and is gone when the tests end. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'

const node = resolve('node_modules/.bin/node')
/** As the package has it (house/program.ts); the commands of the README run from the checkout. */
const program = process.env['TIDEMARK_PROGRAM'] ?? resolve('tidemark.js')

export type Ended = {
  /** null when a signal ended it. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export type Running = {
  readonly pid: number
  /** What it has said so far. */
  out(): string
  err(): string
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void
  readonly ended: Promise<Ended>
  hasEnded(): boolean
}

const folders: string[] = []
const running = new Set<Running>()

afterAll(async () => {
  for (const one of running) one.signal('SIGKILL')
  await Promise.all([...running].map(({ ended }) => ended))
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export const freshFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-'))
  folders.push(folder)
  return folder
}

/** Where a command that is given no other place keeps its warehouse. */
export const warehouseOf = (folder: string) => join(folder, '.tidemark', 'warehouse.db')

/** Where it keeps the lines that a set, or inflow, does not take. */
export const rejectsPath = (folder: string, name: string) => join(folder, '.tidemark', 'rejects', `${name}.csv`)

/** The words are split at blanks, but for what stands in single quotes. */
export function start(folder: string, words: string, env: Readonly<Record<string, string>> = {}, input?: string): Running {
  const args = [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
  const child = spawn(node, [program, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(input)
  let out = ''
  let err = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text))
  let over = false
  const ended = new Promise<Ended>((done, failed) => {
    child.once('error', failed)
    child.once('close', (code) => {
      over = true
      running.delete(one)
      done({ code, out, err })
    })
  })
  const one: Running = {
    pid: child.pid!,
    out: () => out,
    err: () => err,
    signal: (name) => void child.kill(name),
    ended,
    hasEnded: () => over,
  }
  running.add(one)
  return one
}

export async function tidemark(folder: string, words: string, env?: Readonly<Record<string, string>>): Promise<Ended> {
  const ended = await start(folder, words, env).ended
  return { ...ended, err: ended.err.replace(progressLines, '') }
}

/** Whether work takes long enough to report on depends on the machine. */
const progressLines = /^.+: \S+(?: \S+)* rows, \S+(?: \S+)* rows\/s.*\n/gm

/** A step that must succeed: its result, or an error with what it said. */
export async function done(folder: string, words: string): Promise<string> {
  const { code, out, err } = await tidemark(folder, words)
  if (code !== 0) throw new Error(`tidemark ${words}: exit ${code}\n${err}${out}`)
  return out.trim()
}

/** What a command prints with --json: tests say by what they read of it what it must be. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Printed = any

export const json = async (folder: string, words: string): Promise<Printed> => JSON.parse(await done(folder, `${words} --json`))

/** What doctor finds, check by check; it ends with 1 when something is wrong. */
export const doctorFinds = async (folder: string, words = ''): Promise<Printed> =>
  Object.fromEntries(JSON.parse((await tidemark(folder, `doctor --json ${words}`)).out).checks.map((one: Printed) => [one.check, one]))

/** Looks again and again until it is so; the test's own time limit ends the wait. */
export async function until(isSo: () => boolean | Promise<boolean>, everyMs = 10): Promise<void> {
  while (!(await isSo())) await new Promise((next) => setTimeout(next, everyMs))
}
