/**
 * Keeps what services read in a process of its own, which tests kill: `node serving-process.ts FOLDER SET KEYS [CONFIG]`. Reads all the
 * time and ends when an answer is older than one before; says what it has when it is told to, on standard input.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { readConfig } from '../config/config.ts'
import { wire } from '../config/wire.ts'
import { serveRows } from '../use-cases/serve.ts'
import { caughtUp } from './serving-steps.ts'

const [folder, set, keyList, config] = process.argv.slice(2) as [string, string, string, string | undefined]
const keys = keyList.split(',')
const ports = await wire({ ...readConfig(config && join(folder, config), {}), dataDir: join(folder, '.tidemark') })
const serving = await serveRows(ports, { note: (text) => console.error(text) })
serving.ended.catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})

const last = new Map<string, number>()
const look = () =>
  serving.read((state) => {
    const found = state.sets.get(set)
    for (const version of found?.versions.keys() ?? [])
      for (const key of keys) {
        const seq = state.row(set, version, key)?.seq
        const before = last.get(`${version} ${key}`)
        if (before !== undefined && seq !== undefined && seq < before) throw new Error(`@${version} ${key}: ${seq} after ${before}`)
        if (seq !== undefined) last.set(`${version} ${key}`, seq)
      }
    return found
  })

let isTold = false
void once(process.stdin, 'data').then(() => (isTold = true))
console.log('begun')
for (; !isTold; await sleep(1)) look()
await caughtUp(serving, ports, (topic) => topic.startsWith('outflow'))
const found = look()
const rows = serving.read((state) =>
  [...(found?.versions.keys() ?? [])].map((version) => [
    version,
    Object.fromEntries(
      keys.flatMap((key) => {
        const row = state.row(set, version, key)
        return row ? [[key, JSON.stringify([row.seq, String(row.modified), row.change, row.values])]] : []
      }),
    ),
  ]),
)
console.log(JSON.stringify({ promoted: found?.promoted, rows }))
await serving.close()
await ports.close()
process.exit(0)
