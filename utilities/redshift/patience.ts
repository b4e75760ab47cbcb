/** Tries again what fails for a while, says so once, and says once when it is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RolledBack, type Place } from './api.ts'
import { asProblem, isPassing, reasonOf, serviceName } from './trouble.ts'

export type Limits = {
  /** The first pause; each is twice the one before, up to the longest. */
  readonly pauseMs: number
  readonly longestPauseMs: number
  /** How long to try before giving up: as long as nobody was ever reached, which looks like a mistake in the config file; */
  readonly firstMs: number
  /** when somebody waits at a terminal, or a transaction is undone again and again; */
  readonly shortMs: number
  /** when a write waits for a warehouse that was there before. */
  readonly outageMs: number
}

export const usualLimits: Limits = { pauseMs: 200, longestPauseMs: 30_000, firstMs: 10_000, shortMs: 60_000, outageMs: 12 * 3_600_000 }

/** Whether to sit out an outage; the signal ends the waiting, with its reason; `on` is whom it waits for, where that is not Redshift. */
export type Waiting = { readonly outage?: boolean; readonly signal?: AbortSignal | undefined; readonly on?: string }

export type Retry = <T>(work: () => Promise<T>, waiting?: Waiting) => Promise<T>

export function patience(place: Place, note: (text: string) => void, limits: Limits, nowMs: () => number): Retry {
  let reached = false
  const complaining = new Set<object>()
  const complain = (who: object, name: string, error: unknown) => {
    if (complaining.size === 0) note(`${name}: ${reasonOf(error)}; trying again`)
    complaining.add(who)
  }
  const settle = (who: object, name: string, well: boolean) => {
    if (complaining.delete(who) && complaining.size === 0 && well) note(`${name}: it works again`)
  }

  return async (work, { outage = false, signal, on: name = serviceName(place) } = {}) => {
    const who = {}
    const waitedMs = { away: 0, undone: 0 }
    let pauseMs = limits.pauseMs
    for (;;) {
      let why: keyof typeof waitedMs
      const beganMs = nowMs()
      try {
        const result = await work()
        reached = true
        settle(who, name, true)
        return result
      } catch (error) {
        if (signal?.aborted && error === signal.reason) {
          settle(who, name, false)
          throw error
        }
        why = error instanceof RolledBack ? 'undone' : 'away'
        // Somebody who does not answer was waited for; a transaction that was undone may have worked for long.
        if (why === 'away') waitedMs.away += nowMs() - beganMs
        const patienceMs = why === 'undone' ? limits.shortMs : !reached ? limits.firstMs : outage ? limits.outageMs : limits.shortMs
        if (!isPassing(error, place) || waitedMs[why] >= patienceMs) {
          settle(who, name, false)
          throw asProblem(error, place, name)
        }
        complain(who, name, error)
      }
      // Not all at once, when many were turned away at once.
      const ms = pauseMs * (0.5 + Math.random() / 2)
      await sleep(ms, undefined, signal ? { signal } : {}).catch(() => {
        settle(who, name, false)
        throw signal!.reason
      })
      waitedMs[why] += ms
      pauseMs = Math.min(limits.longestPauseMs, pauseMs * 2)
    }
  }
}
