/** The state of a version on a partition: an entry for each key, in layers, so that another version goes on from it without a copy. */
import type { Checkpoints, Lookup, Save } from '../utilities/checkpoints.ts'
import { packState, unpackState } from '../feature-defs/entries.ts'

/** Entries under one name, written by one version at a time. */
export type Layer = { readonly version: number; readonly layer: number }

/** A layer that nobody writes any more, and the features that are read from it, each under the name it has there. */
export type Beneath = Layer & { readonly features: readonly Pair[] }

export type Pair = readonly [feature: string, sameAs: string]

/**
 * The layer that a version writes, and those that it reads a key's features from until it has written them itself: the upper ones first.
 */
export type Layers = Layer & { readonly beneath: readonly Beneath[] }

/** As a run keeps them; one without has a layer of its own and nothing beneath. */
export type KeptLayers = { readonly version: number; readonly layer?: number; readonly beneath?: readonly Beneath[] }

export const layersOf = ({ version, layer = 0, beneath = [] }: KeptLayers): Layers => ({ version, layer, beneath })

export type SetPartition = { readonly set: string; readonly partition: number }

const nameOf = ({ set, partition }: SetPartition, { version, layer }: Layer) =>
  `state/${set}@${version}${layer === 0 ? '' : `.${layer}`}/${partition}`

/** The state of the few keys that are asked for. */
export async function lookupState(checkpoints: Checkpoints, at: SetPartition, { beneath, ...own }: Layers): Promise<Lookup> {
  const top = await checkpoints.lookup(nameOf(at, own))
  return beneath.length === 0 ? top : lookupBeneath(checkpoints, at, beneath, top)
}

/** What `top` has not of a key's features is looked for in the layers beneath. */
export async function lookupBeneath(
  checkpoints: Checkpoints,
  at: SetPartition,
  beneath: readonly Beneath[],
  top?: Lookup,
): Promise<Lookup> {
  const layers = await Promise.all(
    beneath.map(async (one) => ({ features: one.features, entries: await checkpoints.lookup(nameOf(at, one)) })),
  )
  return {
    get(key) {
      const entry = top?.get(key)
      const states = entry ? unpackState(entry) : new Map<string, Uint8Array>()
      const found = states.size
      for (const { features, entries } of layers) {
        const missing = features.filter(([feature]) => !states.has(feature))
        const below = missing.length > 0 ? entries.get(key) : undefined
        if (!below) continue
        const saved = unpackState(below)
        for (const [feature, sameAs] of missing) if (saved.has(sameAs)) states.set(feature, saved.get(sameAs)!)
      }
      if (states.size === found) return entry
      return packState(states)
    },
  }
}

/** All of a layer, some keys at a time. */
export const stateEntries = (checkpoints: Checkpoints, at: SetPartition, layer: Layer) => checkpoints.entries(nameOf(at, layer))

/** Only the entries given are touched: a checkpoint costs what changed. */
export const saveState = (at: SetPartition, layer: Layer, entries: ReadonlyMap<string, Uint8Array | null>): Save[] => {
  const name = nameOf(at, layer)
  return [...entries].map(([key, value]) => ({ name, key, value }))
}

/** Every layer that has an entry. */
export async function layersThere(checkpoints: Checkpoints, { set, partition }: SetPartition): Promise<readonly Layer[]> {
  const start = `state/${set}@`
  const names = (await checkpoints.names(start)).map((name) => name.slice(start.length).split('/') as [string, string])
  return names
    .filter(([, of]) => Number(of) === partition)
    .map(([layer]) => {
      const [version, number = '0'] = layer.split('.') as [string, string?]
      return { version: Number(version), layer: Number(number) }
    })
}

/** What lies beneath a version that goes on from all of another one's features, or from some, maybe under other names. */
export const above = ({ beneath, ...own }: Layers, features: readonly Pair[]): readonly Beneath[] => [
  { ...own, features },
  ...beneath.map((one) => ({ ...one, features: throughTo(one, features) })).filter((one) => one.features.length > 0),
]

const throughTo = ({ features: deeper }: Beneath, features: readonly Pair[]): readonly Pair[] =>
  features.flatMap(([feature, sameAs]) => {
    const below = deeper.find(([name]) => name === sameAs)
    return below ? [[feature, below[1]] as const] : []
  })

export const isSameLayer = (a: Layer, b: Layer): boolean => a.version === b.version && a.layer === b.layer
