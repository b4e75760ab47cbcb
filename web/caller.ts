/** Who asks, and whether that one may, and how often: before anything else is looked at. */
import { hash, timingSafeEqual } from 'node:crypto'
import { Refused } from './refused.ts'

export type Auth = { readonly kind: 'none' } | { readonly kind: 'bearer'; readonly tokens: readonly string[] }

const digest = (text: string): Buffer => hash('sha256', text, 'buffer')

/** Gives which token it was, or refuses. All are compared, and their hashes, so that the time it takes tells nothing of any. */
export function openAuth(auth: Auth): (authorization: string | undefined) => number {
  if (auth.kind === 'none') return () => 0
  const known = auth.tokens.map(digest)
  return (authorization = '') => {
    const given = digest(/^bearer /i.test(authorization) ? authorization.slice('bearer '.length).trim() : '')
    let found = -1
    for (let i = 0; i < known.length; i++) if (timingSafeEqual(known[i]!, given)) found = i
    if (found !== -1 && /^bearer +\S/i.test(authorization)) return found
    throw new Refused(401, 'this needs a token', 'Send one of those in the config: "Authorization: Bearer …".', {
      'www-authenticate': 'Bearer',
    })
  }
}

const mostCallers = 10_000

/** Each caller has so many requests a second, and as many at once that it saved up while it asked for less. */
export function openRate(perSecond: number): (caller: string, nowMs: number) => void {
  const left = new Map<string, { at: number; requests: number }>()
  return (caller, nowMs) => {
    let one = left.get(caller)
    if (one === undefined) {
      // Whoever is forgotten begins with all of its requests, as everybody does.
      if (left.size >= mostCallers) left.clear()
      left.set(caller, (one = { at: nowMs, requests: perSecond }))
    }
    one.requests = Math.min(perSecond, one.requests + ((nowMs - one.at) / 1000) * perSecond)
    one.at = nowMs
    if (one.requests < 1) {
      const seconds = Math.ceil((1 - one.requests) / perSecond)
      throw new Refused(
        429,
        `more than ${perSecond} requests a second`,
        `Ask again in ${seconds} s, or raise "requestsPerSecond" in the config.`,
        {
          'retry-after': String(seconds),
        },
      )
    }
    one.requests--
  }
}
