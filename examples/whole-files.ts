/** Writes files of text that are there whole or not at all. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Problem } from '../utilities/values/problem.ts'

type TextFile = {
  /** gzip when it ends in .gz. */
  readonly path: string
  readonly texts: Iterable<string>
}

/** Until all are complete they have other names, and when one cannot be completed nothing is left. */
export async function writeWhole(files: readonly TextFile[], signal?: AbortSignal): Promise<void> {
  const unfinished = ({ path }: TextFile) => `${path}.${process.pid}.part`
  for (const file of files)
    try {
      signal?.throwIfAborted()
      await write(file, unfinished(file), signal)
    } catch (cause) {
      for (const one of files) await rm(unfinished(one), { force: true }).catch(() => {})
      signal?.throwIfAborted()
      throw unwritable(file.path, cause)
    }
  for (const file of files)
    try {
      await rename(unfinished(file), file.path)
    } catch (cause) {
      for (const one of files) await rm(unfinished(one), { force: true }).catch(() => {})
      throw unwritable(file.path, cause)
    }
}

async function write({ path, texts }: TextFile, to: string, signal: AbortSignal | undefined): Promise<void> {
  const abort = signal ? { signal } : {}
  const target = createWriteStream(to, { flush: true })
  const bytes = function* () {
    for (const text of texts) yield Buffer.from(text)
  }
  try {
    const text = Readable.from(bytes(), { highWaterMark: 2 })
    if (path.endsWith('.gz')) await pipeline(text, createGzip({ level: 4, chunkSize: 1 << 18 }), target, abort)
    else await pipeline(text, target, abort)
  } finally {
    // A stream destroyed while it opens its file still makes the file: removing comes after closing.
    if (!target.closed) await once(target, 'close')
  }
}

function unwritable(path: string, cause: unknown): unknown {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return new Problem(`cannot write ${path}: there is no folder ${dirname(path)}`, 'Make the folder first, or choose another one.', {
        cause,
      })
    case 'ENOTDIR':
      return new Problem(`cannot write ${path}: ${dirname(path)} is not a folder`, 'Choose a folder.', { cause })
    case 'EISDIR':
      return new Problem(`cannot write ${path}: it is a folder`, 'Name a file in it, e.g. rejected.csv.gz.', { cause })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Problem(
        `cannot write ${basename(path)}: the folder ${dirname(path)} may not be written to`,
        'Choose another folder, or change its permissions.',
        { cause },
      )
    case 'ENOSPC':
      return new Problem(`cannot write ${path}: the disk is full`, 'Make room, or generate fewer rows.', { cause })
    default:
      return cause
  }
}
