/** The rejects file: the lines of a source that could not be read, as a CSV that says where each stands and why. */
import { csvCell } from '../values/csv-cell.ts'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Problem } from '../values/problem.ts'

export type Reject = {
  /** The number of the data row, 1-based, and the physical line it starts on. */
  readonly seq: number
  readonly line: number
  /** The file, where it is one of several. */
  readonly place?: string
  /** The header's name of the cell at fault; its ordinal when the header has no name for it. */
  readonly column: string
  /** The record as it stands, cut short when it is very long. */
  readonly text: string
  readonly reason: string
  /** Where it stands: the _seq of the valid row before it in the file, 0 if none. */
  readonly afterSeq: number
}

export type RejectsFile = {
  readonly path: string
  /**
   * Call it before the first `append`: drops the entries whose _seq is not to be kept (a run that was killed may have written them
   * without the rows around them), and an entry cut off by the kill. Returns how many entries are left.
   */
  keep(wanted: (seq: number) => boolean): Promise<number>
  /** Durable once it resolves. Nothing is written, and no file made, for no rejects. */
  append(rejects: readonly Reject[]): Promise<void>
}

const header = 'seq,line,column,reason,text\n'

export function rejectsFile(path: string): RejectsFile {
  return {
    path,
    async keep(wanted) {
      const unfinished = `${path}.${process.pid}.part`
      try {
        const { kept, rewrite } = await survey(path, wanted)
        if (!rewrite) return kept
        const file = await open(unfinished, 'w')
        try {
          await file.appendFile(header)
          for await (const { entry, whole } of entries(path)) if (whole && wanted(seqOf(entry))) await file.appendFile(entry)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(unfinished, path)
        return kept
      } catch (cause) {
        await rm(unfinished, { force: true }).catch(() => {})
        throw unwritable(path, cause)
      }
    },
    async append(rejects) {
      if (rejects.length === 0) return
      try {
        const file = await open(path, 'a+')
        try {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(header.length), 0, header.length, 0)
          if (bytesRead > 0 && buffer.toString() !== header) throw notOurs(path)
          await file.appendFile((bytesRead === 0 ? header : '') + rejects.map(entryOf).join(''))
          await file.sync()
        } finally {
          await file.close()
        }
      } catch (cause) {
        throw unwritable(path, cause)
      }
    },
  }
}

const entryOf = ({ seq, line, place, column, reason, text }: Reject): string =>
  `${[`${seq}`, place === undefined ? `${line}` : `${place}:${line}`, column, reason, seen(text)].map(csvCell).join(',')}\n`

/** A file that holds NUL bytes is no text to most tools. */
const seen = (text: string): string => text.replaceAll('\0', '\u2400')

const seqOf = (entry: Uint8Array): number => Number.parseInt(Buffer.from(entry.subarray(0, 20)).toString('latin1'), 10)

async function survey(path: string, wanted: (seq: number) => boolean): Promise<{ readonly kept: number; readonly rewrite: boolean }> {
  let kept = 0
  let rewrite = false
  try {
    for await (const { entry, whole } of entries(path)) {
      if (whole && wanted(seqOf(entry))) kept++
      else rewrite = true
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return { kept, rewrite }
}

/** The file's entries as bytes, line end included; the last one may not be whole. The header is checked, not given. */
async function* entries(path: string): AsyncGenerator<{ readonly entry: Uint8Array; readonly whole: boolean }> {
  const headerBytes = Buffer.from(header)
  let rest: Uint8Array = new Uint8Array(0)
  let beforeEntries = true
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.concat([rest, chunk])
    let from = 0
    if (beforeEntries) {
      if (!bytes.subarray(0, headerBytes.length).equals(headerBytes.subarray(0, bytes.length))) throw notOurs(path)
      if (bytes.length < headerBytes.length) {
        rest = bytes
        continue
      }
      beforeEntries = false
      from = headerBytes.length
    }
    // Every quote of ours is paired, so a line end after an even number of them ends an entry.
    let inQuotes = false
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === 0x22) inQuotes = !inQuotes
      if (bytes[at] !== 0x0a || inQuotes) continue
      yield { entry: bytes.subarray(from, at + 1), whole: true }
      from = at + 1
    }
    rest = bytes.subarray(from)
  }
  if (rest.length > 0) yield { entry: rest, whole: false }
}

const notOurs = (path: string) =>
  new Problem(
    `${path} is not a rejects file: its first line is not ${header.trimEnd()}`,
    'Move it away, or choose another name for the rejects.',
  )

function unwritable(path: string, cause: unknown): unknown {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Problem(`cannot write the rejects file ${path}: there is no folder ${dirname(path)}`, 'Make the folder first.', { cause })
    case 'EISDIR':
      return new Problem(`cannot write the rejects file ${path}: it is a folder`, 'Move it away, or choose another name for the rejects.', {
        cause,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Problem(`the rejects file ${path} may not be written`, 'Change the permissions of it and its folder.', { cause })
    case 'ENOSPC':
      return new Problem(`cannot write the rejects file ${path}: the disk is full`, 'Make room, then run the command again.', { cause })
    default:
      return cause
  }
}
