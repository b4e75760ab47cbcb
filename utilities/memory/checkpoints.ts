/** Checkpoints in the store of the log in memory, so that they commit with the messages. */
import type { Checkpoints, Save } from '../checkpoints.ts'
import type { MemoryStore } from './store.ts'

export function openMemoryCheckpoints({ checkpoints }: MemoryStore): Checkpoints & { close(): Promise<void> } {
  return {
    load: async (name) => new Map(checkpoints.get(name)),
    lookup: async (name) => ({ get: (key) => checkpoints.get(name)?.get(key) }),
    async *entries(name) {
      const all = [...(checkpoints.get(name) ?? [])]
      for (let from = 0; from < all.length; from += 5000) yield all.slice(from, from + 5000)
    },
    names: async (prefix) => [...checkpoints.keys()].filter((name) => name.startsWith(prefix)).sort(),
    close: async () => {},
  }
}

/** Puts the entries; to be called within the commit that they belong to. */
export function saveEntries({ checkpoints }: MemoryStore, save: readonly Save[]): void {
  for (const { name, key, value } of save) {
    const entries = checkpoints.get(name) ?? new Map<string, Uint8Array>()
    if (value) checkpoints.set(name, entries.set(key, value.slice()))
    else if (entries.delete(key) && entries.size === 0) checkpoints.delete(name)
  }
}
