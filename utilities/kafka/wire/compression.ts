/** The compressions of Kafka's record batches: those that we write, and those that others may have written. */
import { promisify } from 'node:util'
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import { Problem } from '../../values/problem.ts'
import { unlz4 } from './lz4.ts'
import { unsnappy } from './snappy.ts'

export type Compression = 'none' | 'gzip' | 'zstd'

/** As the attributes of a record batch name them. */
export const codecs: { readonly [name in Compression]: number } = { none: 0, gzip: 1, zstd: 4 }
/** Compressions that are only read. */
const others = { snappy: 2, lz4: 3 } as const

const run = {
  gzip: promisify(gzip),
  gunzip: promisify(gunzip),
  zstdCompress: promisify(zstdCompress),
  zstdDecompress: promisify(zstdDecompress),
}

export const compress = (records: Buffer, compression: 'gzip' | 'zstd'): Promise<Buffer> =>
  compression === 'gzip' ? run.gzip(records) : run.zstdCompress(records)

export async function decompress(records: Buffer, codec: number): Promise<Buffer> {
  try {
    if (codec === codecs.gzip) return await run.gunzip(records)
    if (codec === codecs.zstd) return await run.zstdDecompress(records)
    if (codec === others.snappy) return unsnappy(records)
    if (codec === others.lz4) return unlz4(records)
  } catch (error) {
    const what = `messages are compressed in a way that cannot be undone (${(error as Error).message})`
    throw new Problem(what, 'Look at what produced them; it is not what it says it is.', { cause: error })
  }
  const what = `messages are compressed with codec ${codec}, which nobody knew when this was written`
  throw new Problem(what, 'Let their producer use gzip, zstd, snappy, lz4 or no compression.')
}
