/** Load by wrk, a process of its own: requests a second, how long answers take, and what the server's processes take for each. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'
import { workDir } from './child.ts'

export type Load = {
  readonly url: string
  readonly pids: readonly number[]
  readonly bodies: readonly string[]
  readonly connections: number
  readonly seconds: number
}
export type Measured = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number; readonly cpuMicros: number }

export function load({ url, pids, bodies, connections, seconds }: Load): Measured {
  const script = join(workDir, 'requests.lua')
  writeFileSync(script, lua(bodies))
  const before = cpuSeconds(pids)
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, url]
  const wrk = spawnSync('wrk', args, { encoding: 'utf8' })
  if (wrk.error) throw new Problem('wrk is not there, which makes the load', 'Install it: apt-get install wrk.', { cause: wrk.error })
  const found = /^(\d+) (\d+) (\S+) (\S+) (\d+)$/m.exec(wrk.stdout)
  if (!found) throw new Error(`wrk said: ${wrk.stdout}${wrk.stderr}`)
  const [requests, micros, p50, p99, failed] = found.slice(1).map(Number) as [number, number, number, number, number]
  // Feast's server in Python fails now and then where several ask.
  if (failed > requests / 50) throw new Error(`${failed} of ${requests} requests to ${url} failed`)
  return {
    perSecond: (requests / micros) * 1e6,
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    cpuMicros: ((cpuSeconds(pids) - before) / requests) * 1e6,
  }
}

const lua = (bodies: readonly string[]): string => `
local bodies = {${bodies.map((one) => `[==[${one}]==]`).join(',\n')}}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local requests, at = {}, 0
function init() for i = 1, #bodies do requests[i] = wrk.format("POST", wrk.path, wrk.headers, bodies[i]) end end
function request() at = at % #bodies + 1; return requests[at] end
function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("%d %d %f %f %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
`

/** Linux counts in hundredths of a second. */
function cpuSeconds(pids: readonly number[]): number {
  return withChildren(pids).reduce((sum, pid) => {
    // Its own, and that of children that have ended: Python's server replaces its workers.
    const ticks = statOf(pid).slice(11, 15).map(Number)
    return sum + ticks.reduce((all, one) => all + one, 0) / 100
  }, 0)
}

function withChildren(pids: readonly number[]): readonly number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const found = new Set(pids)
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const pid of all) if (found.has(Number(statOf(pid)[1]))) found.add(pid)
  }
  return [...found]
}

/** What stands behind the name, which may hold blanks. */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
