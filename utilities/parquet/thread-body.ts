/** The body of the Parquet thread: one writer, fed batch by batch. */
import type { Columns } from '../values/columns.ts'
import { threadBody } from '../running/thread-body.ts'
import { openParquet } from './write.ts'
import type { ParquetOptions } from './writer.ts'

/** Rows to append, or the end of them. */
export type ParquetJob = Columns | 'finish'

threadBody((options: ParquetOptions) => {
  let opened: ReturnType<typeof openParquet> | undefined
  return async (job: ParquetJob) => {
    const writer = await (opened ??= openParquet(options))
    if (job !== 'finish') return writer.append(job)
    await writer.finish()
    writer.close()
  }
})
