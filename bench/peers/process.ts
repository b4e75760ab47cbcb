/**
 * A measured process of any language, seen from outside: how long it ran, the processor time of its whole tree, the most memory it held.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../utilities/values/problem.ts'
import { root } from '../child.ts'

export type Command = { readonly file: string; readonly args: readonly string[]; readonly env?: { readonly [name: string]: string } }
export type Usage = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakBytes: number
  /** Processor time of its partners meanwhile. */
  readonly partnersSeconds: number
  /** Of all processors, meanwhile: what was taken by programs that have nothing to do with it. */
  readonly othersShare: number
}

export type Watched = {
  readonly startedMs: number
  ended(): boolean
  /** Of its whole tree, so far. */
  cpuSeconds(): number
  /** Resolves when it is gone; a Problem when it failed by itself. */
  readonly done: Promise<Usage>
  /** Asks it to end as an operator would, and makes it when it takes too long. */
  stop(): Promise<Usage>
}

const sampleMs = 100
const stopsWithinMs = 15_000
const ticksPerSecond = 100
const pageBytes = 4096
const tailLines = 4
const keptOutput = 20_000

/**
 * One at a time: the processor time of everything this process has started counts. `partners` are processes that work for it, such as a
 * broker.
 */
export function watch(
  { file, args, env = {} }: Command,
  { name, partners = [] }: { readonly name: string; readonly partners?: readonly number[] },
): Watched {
  const cpuBefore = cpuOfEndedChildren()
  const allBefore = busySeconds()
  const [ownBefore, partnersBefore] = [cpuOfAll([process.pid]), cpuOfAll(partners)]
  const startedMs = performance.now()
  // A group of its own, so that it can be stopped with all that it started.
  const child = spawn(file, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  const note = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-keptOutput))
  child.stdout.on('data', note)
  child.stderr.on('data', note)
  let ended = false
  let stopping = false
  let peakBytes = 0
  const cpuOf = new Map<number, number>()
  const group = child.pid!
  const sample = () => {
    if (ended) return
    const now = sessionOf(group)
    for (const { pid, cpuSeconds } of now) cpuOf.set(pid, cpuSeconds)
    peakBytes = Math.max(
      peakBytes,
      highWater(group),
      now.reduce((sum, { bytes }) => sum + bytes, 0),
    )
  }
  const sampled = () => [...cpuOf.values()].reduce((sum, one) => sum + one, 0)
  const sampling = setInterval(sample, sampleMs)
  const signal = (kind: NodeJS.Signals) => {
    try {
      process.kill(-group, kind)
    } catch {}
  }
  const killLeftOver = () => signal('SIGKILL')
  process.on('exit', killLeftOver)

  const done = new Promise<Usage>((resolve, reject) => {
    const over = () => {
      ended = true
      clearInterval(sampling)
      process.off('exit', killLeftOver)
    }
    child.once('error', (cause) => {
      over()
      reject(new Problem(`${name} cannot be started: ${cause.message}`, 'Install what it needs.', { cause }))
    })
    child.once('close', (code, how) => {
      if (ended) return
      const seconds = (performance.now() - startedMs) / 1000
      over()
      const cpuSeconds = Math.max(sampled(), cpuOfEndedChildren() - cpuBefore)
      const partnersSeconds = cpuOfAll(partners) - partnersBefore
      const others = busySeconds() - allBefore - cpuSeconds - partnersSeconds - (cpuOfAll([process.pid]) - ownBefore)
      const othersShare = Math.max(0, others) / (seconds * availableParallelism())
      if (code === 0 || stopping) resolve({ seconds, cpuSeconds, peakBytes, partnersSeconds, othersShare })
      else
        reject(
          new Problem(
            `${name} ended with ${code ?? how}: ${tail(output)}`,
            'Run this lane alone, with --only, to see whether it was chance.',
          ),
        )
    })
  })
  done.catch(() => undefined)

  return {
    startedMs,
    ended: () => ended,
    cpuSeconds() {
      sample()
      return sampled()
    },
    done,
    async stop() {
      stopping = true
      signal('SIGTERM')
      const gone = await Promise.race([
        done.then(
          () => true,
          () => true,
        ),
        sleep(stopsWithinMs, false),
      ])
      if (!gone) signal('SIGKILL')
      return done
    },
  }
}

const lookMs = 1000
const quietLooks = 2

/** Waits until other programs take at most this share of the processors; false when they went on for too long, or nobody waits any more. */
export async function quietMachine(share: number, patienceMs: number, givenUp: () => boolean): Promise<boolean> {
  const patientUntilMs = performance.now() + patienceMs
  for (let quiet = 0; quiet < quietLooks;) {
    if (performance.now() > patientUntilMs || givenUp()) return false
    const before = busySeconds()
    await sleep(lookMs)
    quiet = (busySeconds() - before) / ((lookMs / 1000) * availableParallelism()) <= share ? quiet + 1 : 0
  }
  return true
}

const tail = (text: string) => text.trim().split('\n').slice(-tailLines).join(' / ').replace(/\.$/, '')

/** Fields after the name of the program, which may hold anything. */
const statOf = (pid: number | 'self') =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number)

function cpuOfEndedChildren(): number {
  const fields = statOf('self')
  return (fields[13]! + fields[14]!) / ticksPerSecond
}

function cpuOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = existsSync(`/proc/${pid}`) ? statOf(pid) : []
    return sum + ((fields[11] ?? 0) + (fields[12] ?? 0)) / ticksPerSecond
  }, 0)
}

/** Of all processors since the machine started, what a hypervisor gave to others included. */
function busySeconds(): number {
  const [user, nice, system, , , irq, softirq, stolen] = /^cpu +(.*)$/m
    .exec(readFileSync('/proc/stat', 'utf8'))![1]!
    .split(' ')
    .map(Number) as [number, number, number, number, number, number, number, number]
  return (user + nice + system + irq + softirq + stolen) / ticksPerSecond
}

function sessionOf(session: number): { readonly pid: number; readonly cpuSeconds: number; readonly bytes: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const fields = statOf(Number(name))
        return fields[3] === session
          ? [{ pid: Number(name), cpuSeconds: (fields[11]! + fields[12]!) / ticksPerSecond, bytes: fields[21]! * pageBytes }]
          : []
      } catch {
        return []
      }
    })
}

function highWater(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
