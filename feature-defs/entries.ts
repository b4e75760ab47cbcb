/** A key's entry of state: what each feature has saved, under its name. */
import { putBytes, putCount, putText, readerOf, takeBytes, takeCount, takeText, written, type Writer } from './state-bytes.ts'

/** First byte of an entry: how the rest is laid out. */
const byName = 1

/** An entry: each feature's saved state under its name, so that another version can pick out the features it shares. */
export const packState = (states: Iterable<readonly [name: string, state: Uint8Array]>): Uint8Array =>
  packed(states, (to, [name, state]) => {
    putText(to, name)
    putBytes(to, state)
  })

export const packed = <State>(states: Iterable<State>, put: (to: Writer, state: State) => void): Uint8Array =>
  written((to) => {
    putCount(to, byName)
    for (const state of states) put(to, state)
  })

/** The states are views into the entry. */
export function unpackState(entry: Uint8Array): Map<string, Uint8Array> {
  const from = readerOf(entry)
  const layout = takeCount(from)
  if (layout !== byName) throw new TypeError(`an entry of state has the unknown layout ${layout}`)
  const states = new Map<string, Uint8Array>()
  while (from.at < entry.length) states.set(takeText(from), takeBytes(from))
  return states
}

/** What an entry holds of the named features. */
export const pickStates = (entry: Uint8Array, names: readonly string[]): readonly (readonly [feature: string, state: Uint8Array])[] =>
  [...unpackState(entry)].filter(([name]) => names.includes(name))
