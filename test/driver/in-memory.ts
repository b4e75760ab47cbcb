/** A store in memory for a driven life: each command opens handles of its own on it, and faults come at the n-th write. */
import type { Ports } from '../../config/wire.ts'
import { incompatibilities } from '../../schemas/compatibility.ts'
import { openMemoryCheckpoints } from '../../utilities/memory/checkpoints.ts'
import { openMemoryLog } from '../../utilities/memory/log.ts'
import { memorySchemas, openMemoryRegistry } from '../../utilities/memory/registry.ts'
import { memoryStore } from '../../utilities/memory/store.ts'
import { memoryDatabase, openMemoryWarehouse } from '../../utilities/memory/warehouse.ts'
import { Fenced } from '../../utilities/log/log.ts'
import { Problem } from '../../utilities/problem.ts'
import type { Source } from '../../utilities/source/source.ts'
import { storedSource } from '../../utilities/source/stored-source.ts'
import { Killed, withFaults } from '../faults.ts'
import { runCommand } from './commands.ts'
import { lookAt, printOf } from './look.ts'
import type { DrivenSet } from './sets.ts'
import type { DrivenStore, Outcome } from './store.ts'

/** Small, so that a command makes several writes. */
const rowsPerWrite = 30

/** Opens handles on one store in memory whose source is this text, again and again. */
export function portsInMemory(text: string) {
  const [log, schemas, database] = [memoryStore(), memorySchemas(), memoryDatabase()]
  const source = textSource(text)
  // Each look at the clock is far from the one before: nobody waits for a hold to pass.
  let now = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n
  const clock = () => (now += 20_000_000_000n)
  const open = (): Ports => ({
    log: openMemoryLog(log),
    checkpoints: openMemoryCheckpoints(log),
    registry: openMemoryRegistry(schemas, incompatibilities('BACKWARD')),
    warehouse: { ...openMemoryWarehouse(database), flush: { rows: rowsPerWrite, everyMs: 1 } },
    clock,
    openSource: () => source,
    lease: async () => ({ close: async () => {} }),
    rejects: () => noRejects,
    rejectsPath: () => '',
    close: async () => {},
  })
  return { open, database, source }
}

export function storeInMemory(set: DrivenSet, partitions: number, text: string): DrivenStore {
  const { open, database, source } = portsInMemory(text)
  return {
    async run(command, cut) {
      const stop = new AbortController()
      let reached = false
      const { ports } = withFaults(open(), cut, () => {
        reached = true
        stop.abort()
      })
      const result = await runCommand(ports, command, { set, partitions, source, rejects: noRejects, signal: stop.signal }).then(
        (said): Outcome => ({ ended: 'done', said }),
        (error: unknown): Outcome => {
          if (error instanceof Killed) return { ended: 'cut' }
          if (error instanceof Problem) return { ended: 'refused', why: error }
          if (error instanceof Fenced) return { ended: 'refused', why: new Problem(error.message, 'Wait until the other process is done.') }
          if (reached && error === stop.signal.reason) return { ended: 'cut' }
          throw error
        },
      )
      return reached && result.ended === 'done' ? { ...result, ended: 'cut' } : reached ? { ended: 'cut' } : result
    },
    look: () => lookAt(open(), set.set),
    print: () => printOf(open()),
    sql: async (statement) => database.exec(statement),
    close: async () => database.close(),
  }
}

export const noRejects: ReturnType<Ports['rejects']> = { path: '', keep: async () => 0, append: async () => {} }

function textSource(text: string): Source {
  const bytes = Buffer.from(text)
  return storedSource({
    place: 'loans.csv', name: 'loans.csv',
    start: async () => bytes.subarray(0, 2),
    async *read(_, from) {
      yield bytes.subarray(from)
    },
    explained: (cause) => cause,
  })
}
