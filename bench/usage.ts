/** Loaded before a measured process: when it ends, writes down the most memory it has held and the processor time it has taken. */
import { readFileSync, writeFileSync } from 'node:fs'

const file = process.env['BENCH_USAGE_FILE']

process.on('exit', () => {
  if (file === undefined) return
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  writeFileSync(file, JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: highWater() ?? maxRSS * 1024 }))
})

/** Linux counts into maxRSS what the parent held when it started this process; its own mark is here. */
function highWater(): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}
