/**
 * The port to Avro schemas that others have registered, found by the ids that their messages carry; what was said of them is kept, and an
 * outage waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { OutOfReach } from './values/problem.ts'

export interface ForeignSchemas {
  /** The schema's text; undefined when there is none of that id, or none of Avro. A Problem when nobody can say so now. */
  find(id: string): Promise<string | undefined>
}

/** That there is none is believed for so long: its writer may be about to register it. */
const absentMs = 30_000
/** Ids that are made up are without end. */
const mostAbsent = 10_000

/** A schema never changes, so each is asked for once. */
export function remembered(ask: (id: string) => Promise<string | undefined>, nowMs: () => number): ForeignSchemas {
  const known = new Map<string, string>()
  const absentUntil = new Map<string, number>()
  const underWay = new Map<string, Promise<string | undefined>>()

  const look = async (id: string): Promise<string | undefined> => {
    const found = await ask(id)
    if (found !== undefined) known.set(id, found)
    else {
      if (absentUntil.size >= mostAbsent) absentUntil.clear()
      absentUntil.set(id, nowMs() + absentMs)
    }
    return found
  }

  return {
    async find(id) {
      const text = known.get(id)
      if (text !== undefined) return text
      if (nowMs() < (absentUntil.get(id) ?? -Infinity)) return undefined
      const asked = underWay.get(id) ?? look(id).finally(() => underWay.delete(id))
      underWay.set(id, asked)
      return asked
    },
  }
}

/** Confluent numbers its schemas, Glue gives them UUIDs: each id is looked for where it can be, in that order. */
export function byKindOfId({
  numbers,
  uuids,
}: {
  readonly numbers: ForeignSchemas | undefined
  readonly uuids: readonly ForeignSchemas[]
}): ForeignSchemas {
  return {
    async find(id) {
      if (/^\d+$/.test(id)) return numbers?.find(id)
      for (const one of uuids) {
        const found = await one.find(id)
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

/** Until when an outage is waited for, and who hears of it. */
export type Waiting = { readonly note: (text: string) => void; readonly signal: AbortSignal; readonly pauseMs?: number }

/** However long their registry is away: that is said once, and once when it is over. An abort ends it at once, with the signal's reason. */
export function waitedFor(schemas: ForeignSchemas, { note, signal, pauseMs = 5_000 }: Waiting): ForeignSchemas {
  let away: string | undefined
  return {
    async find(id) {
      for (;;) {
        try {
          const found = await unlessAborted(signal, schemas.find(id))
          if (away !== undefined) note(`${away}: that is over`)
          away = undefined
          return found
        } catch (error) {
          if (!(error instanceof OutOfReach)) throw error
          if (away === undefined) note(`${error.what}: its messages wait`)
          away ??= error.what
          await sleep(pauseMs, undefined, { signal })
        }
      }
    },
  }
}

async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
