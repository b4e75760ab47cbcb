/** A thread that inserts rows while the main one reads and computes the next: inserting is most of what a row costs. */
import { openThread, type Thread } from '../../running/thread.ts'
import type { Write } from './writes.ts'

/** Small heaps: the rows of a batch are gone when it is written. */
const limits = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 256 }

/** A write is done once it is durable. */
export const writerThread = (path: string): Thread<Write> =>
  openThread({ body: './writer-thread', beside: import.meta.url, data: path, does: `writes ${path}`, limits })
