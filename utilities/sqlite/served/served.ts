/** The store that services read, in a file of its own: a thread writes it, and reading never waits for that. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Served, ServedReader, ServedWork } from '../../served.ts'
import { openThread, type Thread } from '../../running/thread.ts'
import { transferableBuffers } from '../../values/columns.ts'
import type { Sqlite } from '../database.ts'
import { servedReader } from './read.ts'
import { openToRead } from './tables.ts'
import { writeServed } from './write.ts'

/** Small heaps: what came in a batch is gone when it is written. */
const limits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 }

export const openServedFile = (path: string): Served => {
  const db = openToRead(path)
  const thread = openThread<ServedWork>({ body: './writer-thread', beside: import.meta.url, data: path, does: `writes ${path}`, limits })
  return servedIn(db, thread)
}

/** Without a thread whoever writes waits for it. */
export function servedIn(db: Sqlite, thread?: Thread<ServedWork>): Served {
  let reader: ServedReader | undefined
  return {
    async write(work) {
      if (thread)
        return thread.run(
          work,
          work.lots.flatMap(({ entries }) => transferableBuffers(entries)),
        )
      writeServed(db, work)
      await nextTurn()
    },
    read: (look) => db.read(() => look((reader ??= servedReader(db)))),
    async close() {
      await thread?.close()
      db.close()
    },
  }
}
