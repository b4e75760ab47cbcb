/** A source that is a file: plain text, or gzip of one member or several. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Problem } from '../problem.ts'
import type { Source, SourceIdentity } from './source.ts'

const chunkBytes = 1 << 18

/** An aborted read throws the signal's reason: if it just ended, the row that it broke off in would pass for the file's last. */
export function fileSource(path: string): Source {
  let identity: SourceIdentity | undefined
  return {
    place: path,
    // Read through once in a process: the file of a running command does not change under it.
    async identify(signal) {
      identity ??= await identify(path, signal)
      return identity
    },
    async prove(signal) {
      for await (const _ of read(path, signal)) continue
    },
    read: (signal) => read(path, signal),
  }
}

async function identify(path: string, signal: AbortSignal | undefined): Promise<SourceIdentity> {
  const hash = createHash('sha256')
  let size = 0
  try {
    await isGzip(path)
    for await (const chunk of stored(path, signal)) {
      hash.update(chunk)
      size += chunk.length
    }
  } catch (cause) {
    throw explained(path, cause, signal)
  }
  return { name: basename(path), size, sha256: hash.digest('hex') }
}

async function* read(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    const file = (await isGzip(path)) ? undefined : stored(path, signal)
    if (file) return yield* file
    const gunzip = createGunzip({ chunkSize: chunkBytes })
    // Each error reaches the loop below through gunzip, which the pipeline destroys; a loop that is left early destroys both.
    pipeline(stored(path, signal), gunzip, () => {})
    for await (const chunk of gunzip) yield chunk
    await checkTail(path, gunzip.bytesWritten)
  } catch (cause) {
    throw explained(path, cause, signal)
  }
}

async function* stored(path: string, signal?: AbortSignal, start = 0): AsyncGenerator<Buffer> {
  signal?.throwIfAborted()
  for await (const chunk of createReadStream(path, { start, highWaterMark: chunkBytes, ...(signal && { signal }) })) {
    yield chunk
    signal?.throwIfAborted()
  }
}

/** Told by the first two bytes, whatever the name; but a name that says gzip must be right. */
async function isGzip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const magic = new Uint8Array(2)
    const { bytesRead } = await file.read(magic, 0, 2, 0)
    if (magic[0] === 0x1f && magic[1] === 0x8b) return true
    if (!path.endsWith('.gz')) return false
    if (bytesRead === 0) throw new Problem(`${path} is empty, though its name says gzip`, 'Fetch it again.')
    throw new Problem(`${path} is not gzip, though its name says so`, 'Fetch it again; if it is plain text, take the .gz off its name.')
  } finally {
    await file.close()
  }
}

/** Zeros may pad a gzip file. Anything else behind what gunzip took for the end is text that would be lost without a word. */
async function checkTail(path: string, from: number): Promise<void> {
  for await (const chunk of stored(path, undefined, from)) if (chunk.some((byte) => byte !== 0)) throw damaged(path)
}

const damaged = (path: string, cause?: unknown) => new Problem(`${path} is damaged: it does not unpack`, 'Fetch it again.', { cause })

function explained(path: string, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (cause instanceof Problem) return cause
  if (signal?.aborted) return signal.reason
  const { code = '', syscall, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Problem(`there is no file ${path}`, 'Check the path, or make a look-alike with the generate command.', { cause })
  if (code === 'EISDIR') return new Problem(`${path} is a folder, not a file`, 'Name the file in it.', { cause })
  if (code === 'EACCES' || code === 'EPERM') return new Problem(`${path} may not be read`, 'Change its permissions, or run as a user who may read it.', { cause })
  if (code === 'Z_BUF_ERROR') return new Problem(`${path} is cut short: it ends in the middle of the gzip data`, 'Fetch it again.', { cause })
  if (code.startsWith('Z_')) return damaged(path, cause)
  if (syscall) return new Problem(`cannot read ${path}: ${message}`, 'Check the disk or the connection that it lies on, then run the command again.', { cause })
  return cause
}
