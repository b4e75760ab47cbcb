/**
 * Set up before every unit test: from then on nothing can be started, so that a test which starts something cannot pass for one in memory.
 */
import childProcess from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import threads from 'node:worker_threads'

const refusing = (what: string) =>
  function (): never {
    throw new Error(`a unit test started ${what}; name it in test/house/kinds.ts, or import what starts it in the test`)
  }

for (const name of ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'] as const) {
  Object.assign(childProcess, { [name]: refusing('a process') })
}
Object.assign(threads, { Worker: refusing('a thread') })
Object.assign(net.Server.prototype, { listen: refusing('a server') })
Object.assign(net.Socket.prototype, { connect: refusing('a connection') })
syncBuiltinESMExports()
