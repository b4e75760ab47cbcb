/** Parquet written by a thread of its own: the main one reads and computes the next rows while the last are encoded. */
import { transferableBuffers, type Columns } from '../values/columns.ts'
import { openThread } from '../running/thread.ts'
import type { ParquetJob } from './thread-body.ts'
import type { ParquetOptions, ParquetWriter } from './writer.ts'

export interface ParquetThread extends ParquetWriter {
  /** Resolves when there is room for more rows: what was wrong with these is said by one of the next calls. */
  append(rows: Columns): Promise<void>
  /** Nothing is being written any more once it resolves. */
  close(): Promise<void>
}

/**
 * Batches that wait or are being encoded. A row group is encoded all at once, and meanwhile whoever appends can go on; more gained nothing.
 */
const mostUnderWay = 8
const limits = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 1024 }

export function openParquetThread(options: ParquetOptions): ParquetThread {
  const thread = openThread<ParquetJob>({
    body: './thread-body',
    beside: import.meta.url,
    data: options,
    does: `writes ${options.folder}`,
    limits,
  })
  const underWay: Promise<void>[] = []

  return {
    async append(rows) {
      const job = thread.run(rows, transferableBuffers(rows))
      // Whoever waits for it below gets the error; until then it must not count as unhandled.
      job.catch(() => {})
      underWay.push(job)
      if (underWay.length > mostUnderWay) await underWay.shift()
    },
    async finish() {
      for (const job of underWay.splice(0)) await job
      await thread.run('finish')
    },
    close: () => thread.close(),
  }
}
