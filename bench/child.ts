/** Runs the measured processes: how long each took, what it used, what it printed. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'

export type Finished = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakBytes: number
  readonly stdout: string
}

export type Running = {
  /** Resolves once stderr has said so. */
  said(text: string): Promise<void>
  /** Asks it to finish what it has in hand, as an operator would, and waits for that. */
  stop(): Promise<Finished>
  readonly finished: Promise<Finished>
}

export const root = join(import.meta.dirname, '..')
export const workDir = join(import.meta.dirname, '.data')

const saysWithinMs = 60_000

let started = 0

/** It keeps itself out of git. */
export function makeWorkDir(): void {
  mkdirSync(workDir, { recursive: true })
  writeFileSync(join(workDir, '.gitignore'), '*\n')
}

/** Starts a script with Node's options first; a Problem when it ends with anything but 0. */
export function start(script: string, args: readonly string[], nodeOptions: readonly string[] = []): Running {
  makeWorkDir()
  const usageFile = join(workDir, `usage-${process.pid}-${++started}.json`)
  const beganMs = performance.now()
  const child = spawn(process.execPath, [...nodeOptions, '--import', join(root, 'bench/usage.ts'), join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, BENCH_USAGE_FILE: usageFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let ended = false
  const listeners = new Set<() => void>()
  const tell = () => listeners.forEach((listener) => listener())
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    tell()
  })

  const finished = new Promise<Finished>((done, fail) => {
    child.once('error', fail)
    child.once('close', (code, signal) => {
      const seconds = (performance.now() - beganMs) / 1000
      ended = true
      tell()
      if (code !== 0) {
        rmSync(usageFile, { force: true })
        fail(
          new Problem(
            `${[script, ...args].join(' ')} ended with ${code ?? signal}: ${stderr.trim().replace(/\.$/, '')}`,
            'Run it alone to see more.',
          ),
        )
      } else {
        done({ seconds, stdout, ...(JSON.parse(readFileSync(usageFile, 'utf8')) as { cpuSeconds: number; peakBytes: number }) })
        rmSync(usageFile)
      }
    })
  })
  // Whoever started it awaits it in the end; until then a failure must not count as unhandled.
  finished.catch(() => {})

  return {
    finished,
    async said(text) {
      const late = AbortSignal.timeout(saysWithinMs)
      late.addEventListener('abort', tell, { once: true })
      while (!stderr.includes(text)) {
        if (ended) await finished
        if (ended || late.aborted) throw new Problem(`${script} has not said "${text}"`, 'Run it alone to see why.')
        await new Promise<void>((next) => {
          const once = () => (listeners.delete(once), next())
          listeners.add(once)
        })
      }
    },
    stop() {
      child.kill('SIGTERM')
      return finished
    },
  }
}

export const run = (script: string, args: readonly string[], nodeOptions?: readonly string[]): Promise<Finished> =>
  start(script, args, nodeOptions).finished
