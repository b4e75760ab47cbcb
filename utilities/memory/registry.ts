/** The registry in memory: schemas of one store, shared by every handle on it, with ids of the same form as Glue's. */
import { randomUUID } from 'node:crypto'
import { incompatible, labelled, reasonsAgainst, type Incompatibility, type Registered, type Registry } from '../registry.ts'

/** What every handle shares; the schemas by id, in the order they were registered. */
export type MemorySchemas = { readonly id: string; readonly schemas: Map<string, Registered> }

export const memorySchemas = (): MemorySchemas => ({ id: randomUUID(), schemas: new Map() })

export function openMemoryRegistry({ id: own, schemas }: MemorySchemas, incompatibility: Incompatibility): Registry {
  const bySubject = (subject: string) => [...schemas.values()].filter((one) => one.subject === subject)
  return {
    identity: async () => ({ id: own, place: 'memory' }),
    async restore({ id, subject, definition }) {
      if (!schemas.has(id)) schemas.set(id, { id, subject, number: bySubject(subject).length + 1, definition, labels: {} })
    },
    reasonsAgainst: async (subject, definition) => reasonsAgainst(incompatibility, definition, bySubject(subject)),
    async register(subject, definition) {
      const earlier = bySubject(subject)
      const same = earlier.find((one) => one.definition === definition)
      if (same) return same
      const reasons = reasonsAgainst(incompatibility, definition, earlier)
      if (reasons.length > 0) throw incompatible(subject, reasons)
      const version: Registered = { id: randomUUID(), subject, number: earlier.length + 1, definition, labels: {} }
      schemas.set(version.id, version)
      return version
    },
    find: async (id) => schemas.get(id),
    list: async (subject) => bySubject(subject),
    subjects: async () => [...new Set([...schemas.values()].map(({ subject }) => subject))].sort(),
    async label(id, labels) {
      const version = schemas.get(id)
      const all = labelled(id, version, labels)
      schemas.set(id, { ...version!, labels: all })
    },
    close: async () => {},
  }
}
