/** A store in memory for a driven life: each command opens handles of its own on it, and faults come at the n-th write. */
import type { Ports } from '../../config/wire.ts'
import { incompatibilities } from '../../schemas/avro/compatibility.ts'
import { openMemoryCheckpoints } from '../../utilities/memory/checkpoints.ts'
import { openMemoryFeed } from '../../utilities/memory/feed.ts'
import { openMemoryLog } from '../../utilities/memory/log.ts'
import { memoryModels } from '../../utilities/memory/models.ts'
import { memorySchemas, openMemoryRegistry } from '../../utilities/memory/registry.ts'
import { memoryServedDatabase, openMemoryServed } from '../../utilities/memory/served.ts'
import { memoryStore } from '../../utilities/memory/store.ts'
import { memoryDatabase, openMemoryWarehouse } from '../../utilities/memory/warehouse.ts'
import type { Models } from '../../utilities/models.ts'
import { Fenced } from '../../utilities/log.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { openSqliteTables } from '../../utilities/sqlite/tables/tables.ts'
import type { Sqlite } from '../../utilities/sqlite/database.ts'
import type { Reject } from '../../utilities/files/rejects.ts'
import type { Source } from '../../utilities/source.ts'
import { storedSource } from '../../utilities/files/stored.ts'
import { Killed, withFaults } from '../faults.ts'
import { complaintsOf, runCommand } from './commands.ts'
import { lookAt, printOf, rowsSeen, type Rows } from './look.ts'
import type { DrivenSet } from './sets.ts'
import type { DrivenStore, Outcome } from './store.ts'

/** Small, so that a command makes several writes. */
const rowsPerWrite = 30

type Topic = `${'inflow' | 'outflow'}${string}`

export type StoreInMemory = DrivenStore & {
  /** Handles of their own, as another process has them. */
  open(): Ports
  /** A topic is gone, or a new registry or warehouse takes the place of the one that was there. */
  lose(part: 'registry' | 'warehouse' | Topic): void
  /** The lines that batches kept aside. */
  readonly rejected: readonly Reject[]
}

export function storeInMemory(set: DrivenSet, partitions: number, text: string, models: Models = memoryModels()): StoreInMemory {
  const log = memoryStore()
  let [schemas, database] = [memorySchemas(), memoryDatabase()]
  const served = memoryServedDatabase()
  const { rejects, rejected } = keptRejects()
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
    models,
    openSource: () => source,
    openFeed: async () => openMemoryFeed(),
    openTables: async () => openSqliteTables(':memory:'),
    openServed: async () => openMemoryServed(served),
    lease: async () => ({ close: async () => {} }),
    rejects: () => rejects,
    rejectsPath: () => rejects.path,
    close: async () => {},
  })
  // Most of what is looked at has not changed since the last time.
  let last: { readonly key: string; readonly database: Sqlite; readonly rows: Rows } | undefined
  const rowsAt = async (versions: readonly number[]): Promise<Rows> => {
    const state = database.prepare('SELECT total_changes(), schema_version FROM pragma_schema_version').get()
    const key = JSON.stringify([state, versions])
    if (last?.key !== key || last.database !== database) last = { key, database, rows: await rowsSeen(open(), set.set, versions) }
    return last.rows
  }
  return {
    async run(command, cut) {
      const stop = new AbortController()
      let reached = false
      const { ports } = withFaults(open(), cut, () => {
        reached = true
        stop.abort()
      })
      const result = await runCommand(ports, command, { set, partitions, source, signal: stop.signal }).then(
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
    look: () => lookAt(open(), set.set, rowsAt),
    complaints: () => complaintsOf(open()),
    print: () => printOf(open()),
    sql: async (statement) => database.exec(statement),
    close: async () => database.close(),
    open,
    lose(part) {
      if (part === 'registry') schemas = memorySchemas()
      else if (part === 'warehouse') {
        database.close()
        database = memoryDatabase()
      } else log.topics.delete(part)
    },
    rejected,
  }
}

function keptRejects(): { readonly rejects: ReturnType<Ports['rejects']>; readonly rejected: readonly Reject[] } {
  const rejected: Reject[] = []
  const keep = async (wanted: (seq: number) => boolean) => {
    rejected.splice(0, rejected.length, ...rejected.filter(({ seq }) => wanted(seq)))
    return rejected.length
  }
  return { rejected, rejects: { path: 'rejects.csv', keep, append: async (lines) => void rejected.push(...lines) } }
}

export function textSource(text: string, place = 'loans.csv'): Source {
  const bytes = Buffer.from(text)
  return storedSource({
    place,
    name: place,
    start: async () => bytes.subarray(0, 4),
    size: async () => bytes.length,
    async *read(_, from) {
      yield bytes.subarray(from)
    },
    explained: (cause) => cause,
  })
}
