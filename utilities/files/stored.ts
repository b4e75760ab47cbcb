/** A source made of stored bytes, wherever they lie: plain text, gzip of one member or several, or Parquet. */
import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Problem } from '../values/problem.ts'
import type { Source, SourceFile, SourceIdentity, TextForm } from '../source.ts'

export type Stored = {
  /** Where it is, for messages. */
  readonly place: string
  /** Without its folder. */
  readonly name: string
  /** The first four bytes, or as many as there are. */
  start(): Promise<Uint8Array>
  size(): Promise<number>
  /** The bytes from this one on; whoever leaves early wanted no more. */
  read(signal: AbortSignal | undefined, from: number): AsyncIterable<Uint8Array>
  /** A Problem for what can go wrong with storage of this kind. */
  explained(cause: unknown): unknown
}

export const chunkBytes = 1 << 18

/** A source of one file, which can be read as the text it is. */
export type StoredSource = Source & Pick<SourceFile, 'read'>

/** An aborted read throws the signal's reason: if it just ended, the row that it broke off in would pass for the file's last. */
export function storedSource(stored: Stored, form: TextForm = {}): StoredSource {
  let identity: SourceIdentity | undefined
  // What was identified is what is read, whatever is written behind it meanwhile.
  const asIdentified = () => (identity ? upTo(stored, identity.size, { whole: true }) : stored)
  const read = (signal?: AbortSignal, wanted?: readonly string[]) => readText(asIdentified(), signal, wanted)
  return {
    place: stored.place,
    // Read through once in a process.
    async identify(signal) {
      identity ??= { ...(await identify(stored, signal)), ...(Object.keys(form).length > 0 && { form }) }
      return identity
    },
    async prove(signal) {
      // Plain text needs no unpacking.
      if ((await kindOf(stored)) !== 'text') for await (const _ of read(signal)) continue
    },
    async files() {
      if ((await kindOf(stored)) !== 'parquet') return [{ place: stored.place, form, read }]
      const { parquetForm } = await import('../parquet/as-text.ts')
      return [{ place: stored.place, form: parquetForm(form), read }]
    },
    read,
    asOf: ({ size, form = {} }) => storedSource(upTo(stored, size), form),
  }
}

/** The first `size` bytes. `whole`: they were there when it was identified, and a Problem when they are not any more. */
const upTo = (stored: Stored, size: number, { whole = false } = {}): Stored => ({
  ...stored,
  start: async () => (await stored.start()).subarray(0, size),
  size: async () => Math.min(size, await stored.size()),
  async *read(signal, from) {
    let left = size - from
    if (left > 0) {
      for await (const chunk of stored.read(signal, from)) {
        yield chunk.length > left ? chunk.subarray(0, left) : chunk
        left -= chunk.length
        if (left <= 0) return
      }
    }
    if (whole && left > 0)
      throw new Problem(`${stored.place} was cut short while it was being read`, 'Put the file back as it was, then run this again.')
  },
})

/** Told by the first bytes, whatever the name; but a name that says gzip must be right. */
async function kindOf(stored: Stored): Promise<'text' | 'gzip' | 'parquet'> {
  try {
    const { place } = stored
    const magic = await stored.start()
    if (magic[0] === 0x1f && magic[1] === 0x8b) return 'gzip'
    if (Buffer.from(magic).toString('latin1') === 'PAR1') return 'parquet'
    if (!place.endsWith('.gz')) return 'text'
    if (magic.length === 0) throw new Problem(`${place} is empty, though its name says gzip`, 'Fetch it again.')
    throw new Problem(`${place} is not gzip, though its name says so`, 'Fetch it again; if it is plain text, take the .gz off its name.')
  } catch (cause) {
    throw explained(stored, cause, undefined)
  }
}

async function identify(stored: Stored, signal: AbortSignal | undefined): Promise<SourceIdentity> {
  const hash = createHash('sha256')
  let size = 0
  await kindOf(stored)
  try {
    for await (const chunk of bytesOf(stored, signal)) {
      hash.update(chunk)
      size += chunk.length
    }
  } catch (cause) {
    throw explained(stored, cause, signal)
  }
  return { name: stored.name, size, sha256: hash.digest('hex') }
}

async function* readText(stored: Stored, signal?: AbortSignal, wanted?: readonly string[]): AsyncGenerator<Uint8Array> {
  const kind = await kindOf(stored)
  try {
    if (kind === 'text') return yield* bytesOf(stored, signal)
    if (kind === 'parquet') {
      const { parquetAsText } = await import('../parquet/as-text.ts')
      return yield* parquetAsText({ ...stored, read: (from) => bytesOf(stored, signal, from) }, wanted)
    }
    const gunzip = createGunzip({ chunkSize: chunkBytes })
    // Each error reaches the loop below through gunzip, which the pipeline destroys; a loop that is left early destroys both.
    pipeline(bytesOf(stored, signal), gunzip, () => {})
    for await (const chunk of gunzip as AsyncIterable<Buffer<ArrayBuffer>>) {
      yield chunk
      release(chunk)
    }
    await checkTail(stored, gunzip.bytesWritten)
  } catch (cause) {
    throw explained(stored, cause, signal)
  }
}

/**
 * Gives the memory of a chunk back at once, where all of it is the chunk's own. Left to the garbage collector it piles up, until the whole
 * heap is walked for its sake again and again.
 */
function release({ buffer, byteLength }: Buffer<ArrayBuffer>): void {
  if (byteLength === buffer.byteLength) buffer.transfer(0)
}

async function* bytesOf(stored: Stored, signal?: AbortSignal, from = 0): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted()
  for await (const chunk of stored.read(signal, from)) {
    yield chunk
    signal?.throwIfAborted()
  }
}

/** Zeros may pad a gzip file. Anything else behind what gunzip took for the end is text that would be lost without a word. */
async function checkTail(stored: Stored, from: number): Promise<void> {
  for await (const chunk of bytesOf(stored, undefined, from)) if (chunk.some((byte) => byte !== 0)) throw damaged(stored.place)
}

const damaged = (place: string, cause?: unknown) => new Problem(`${place} is damaged: it does not unpack`, 'Fetch it again.', { cause })

function explained(stored: Stored, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (cause instanceof Problem) return cause
  if (signal?.aborted) return signal.reason
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR')
    return new Problem(`${stored.place} is cut short: it ends in the middle of the gzip data`, 'Fetch it again.', { cause })
  if (typeof code === 'string' && code.startsWith('Z_')) return damaged(stored.place, cause)
  return stored.explained(cause)
}
