/** A source that is opened when it is first asked for something: what reads it need not be loaded before. */
import type { Source } from '../source.ts'

export function lazySource(place: string, open: () => Promise<Source>): Source {
  let opened: Promise<Source> | undefined
  const source = () => (opened ??= open())
  return {
    place,
    identify: async (signal) => (await source()).identify(signal),
    prove: async (signal) => (await source()).prove(signal),
    files: async () => (await source()).files(),
    asOf: (identity) => lazySource(place, async () => (await source()).asOf(identity)),
    intruder: async (identity) => (await source()).intruder?.(identity),
  }
}
