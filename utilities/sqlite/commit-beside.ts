/**
 * A thread that commits what is large while the main one makes the next: of a load's first commits half of the time goes into the file.
 */
import type { Commit } from './commit.ts'
import { packSaves, type PackedSaves } from './packed-saves.ts'
import { openThread, type Thread } from '../running/thread.ts'
import type { Save } from '../checkpoints.ts'
import type { Append } from '../log.ts'

export type PackedCommit = Omit<Commit, 'save'> & { readonly save: PackedSaves }
/** The offsets, or that nothing was committed. */
export type Committed = readonly number[] | 'nothing'

/** What a commit is made of is gone when it is done. */
const limits = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 128 }

/** Entries make a commit large: each of them costs about as much there as to make it here, where messages are a few blobs. */
const leastEntries = 4_000

export function commitsBeside(path: string) {
  let thread: Thread<PackedCommit, Committed> | undefined
  return {
    /** Undefined for what is to be committed here: small, or refused there. Once there is a thread it does them all, in order. */
    async commit({ writer, append, save }: Commit & { readonly save: readonly Save[] }): Promise<readonly number[] | undefined> {
      if (!thread && save.length < leastEntries) return undefined
      thread ??= openThread({ body: './commit-thread', beside: import.meta.url, data: path, does: `commits to ${path}`, limits })
      const packed = packSaves(save)
      const committed = await thread.run({ writer, append: append.map(apart), save: packed }, [packed.values.buffer])
      return committed === 'nothing' ? undefined : committed
    },
    close: async () => thread?.close(),
  }
}

/** All of the memory that an array is a part of would be copied with it. */
function apart({ topic, partition, batch }: Append): Append {
  const { bytes, ends } = batch
  return { topic, partition, batch: { ...batch, bytes: whole(bytes), ends: whole(ends) } }
}

const whole = <A extends Uint8Array | Uint32Array>(array: A): A =>
  array.byteLength === array.buffer.byteLength ? array : (array.slice() as A)
