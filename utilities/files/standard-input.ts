/** Standard input as a source: kept in a file that has no name until the process ends, since a source is read more than once. */
import { randomUUID } from 'node:crypto'
import { fstatSync, openSync, read, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { Problem } from '../values/problem.ts'
import type { Source, TextForm } from '../source.ts'
import { chunkBytes, storedSource } from './stored.ts'

const standardInputName = 'standard input'

/** A stream would close what it has read of. */
const readAt = promisify(read)

/** Resolves when all of it has come. */
export async function standardInput(input: Readable, form?: TextForm): Promise<Source> {
  const path = join(tmpdir(), `tidemark-${randomUUID()}.part`)
  const kept = openSync(path, 'wx+', 0o600)
  // Whatever becomes of this process, nothing stays behind.
  unlinkSync(path)
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) for (let at = 0; at < chunk.length;) at += writeSync(kept, chunk, at)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause
    throw new Problem(
      `standard input does not fit into ${tmpdir()}, where it is kept to be read twice: the disk is full`,
      'Make room, or set TMPDIR to a folder that has more.',
      { cause },
    )
  }
  return storedSource(
    {
      place: standardInputName,
      name: standardInputName,
      async start() {
        const first = Buffer.alloc(4)
        return first.subarray(0, readSync(kept, first, 0, first.length, 0))
      },
      size: async () => fstatSync(kept).size,
      async *read(_, start) {
        for (let at = start; ;) {
          const chunk = Buffer.allocUnsafe(chunkBytes)
          const { bytesRead } = await readAt(kept, chunk, 0, chunk.length, at)
          if (bytesRead === 0) return
          yield chunk.subarray(0, bytesRead)
          at += bytesRead
        }
      },
      explained: (cause) => cause,
    },
    form,
  )
}
