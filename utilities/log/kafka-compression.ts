/** The compressions of Kafka's record batches that Node can do by itself. */
import { promisify } from 'node:util'
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import { Problem } from '../problem.ts'

export type Compression = 'none' | 'gzip' | 'zstd'

/** As the attributes of a record batch name them. */
export const codecs: { readonly [name in Compression]: number } = { none: 0, gzip: 1, zstd: 4 }
const others: { readonly [codec: number]: string } = { 2: 'snappy', 3: 'lz4' }

const run = { gzip: promisify(gzip), gunzip: promisify(gunzip), zstdCompress: promisify(zstdCompress), zstdDecompress: promisify(zstdDecompress) }

export const compress = (records: Buffer, compression: 'gzip' | 'zstd'): Promise<Buffer> => (compression === 'gzip' ? run.gzip(records) : run.zstdCompress(records))

export async function decompress(records: Buffer, codec: number): Promise<Buffer> {
  if (codec === codecs.gzip) return run.gunzip(records)
  if (codec === codecs.zstd) return run.zstdDecompress(records)
  throw new Problem(`the messages are compressed with ${others[codec] ?? `codec ${codec}`}, which cannot be read here`,
    'Let their producer use gzip, zstd or no compression; the topic must not set compression.type to anything else.')
}
