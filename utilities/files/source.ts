/** A source that is a file on this machine. */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { isOutOfFiles, tooManyFiles } from '../running/open-files.ts'
import { Problem } from '../values/problem.ts'
import type { TextForm } from '../source.ts'
import { chunkBytes, storedSource, type Stored, type StoredSource } from './stored.ts'

export const fileSource = (path: string, form?: TextForm): StoredSource => storedSource(storedFile(path), form)

const storedFile = (path: string): Stored => ({
  place: path,
  name: basename(path),
  async start() {
    // Opening a pipe waits for whoever writes into it.
    const kind = await stat(path)
    if (kind.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    if (!kind.isFile())
      throw new Problem(
        `${path} is not a file but a pipe or a device, which cannot be read twice`,
        'Give it on standard input, with --file -; or write what comes out of it to a file, and name that.',
      )
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(4), 0, 4, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  },
  size: async () => (await stat(path)).size,
  read: (signal, start) => createReadStream(path, { start, highWaterMark: chunkBytes, ...(signal && { signal }) }),
  explained: (cause) => explained(path, cause),
})

function explained(path: string, cause: unknown): unknown {
  const { code = '', syscall, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new Problem(`there is no file ${path}`, 'Check the path, or make a look-alike with the generate command.', { cause })
  if (code === 'EISDIR') return new Problem(`${path} is a folder, not a file`, 'Name the file in it.', { cause })
  if (code === 'EACCES' || code === 'EPERM')
    return new Problem(`${path} may not be read`, 'Change its permissions, or run as a user who may read it.', { cause })
  if (isOutOfFiles(cause)) return tooManyFiles(path, cause)
  if (syscall)
    return new Problem(`cannot read ${path}: ${message}`, 'Check the disk or the connection that it lies on, then run the command again.', {
      cause,
    })
  return cause
}
