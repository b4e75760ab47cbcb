/** Steps that are known to go wrong, each with the reason: they are left out until they are mended. An empty list is what it should be. */
import type { Model } from './model.ts'
import type { Step } from './step.ts'

export type KnownFault = { readonly reason: string; readonly meets: (step: Step, model: Model) => boolean }

export const knownFaults: readonly KnownFault[] = []
