/** What differs between two versions of a feature set, feature by feature, and which state the later one can take over. */
import { featureFingerprint } from '../feature-defs/fingerprint.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { ownerOf } from '../streams/stream.ts'
import type { OperatorSpec } from '../feature-defs/define-operator.ts'

export type FeatureChange = {
  readonly feature: string
  readonly change: 'unchanged' | 'added' | 'redefined' | 'removed'
  readonly before: OperatorSpec | null
  readonly after: OperatorSpec | null
  /** The earlier feature that computes the same: its state goes on in the later version. */
  readonly sameAs: string | null
}

export function featureChanges(before: Definition | undefined, after: Definition): readonly FeatureChange[] {
  const earlier = new Map((before?.features ?? []).map((feature) => [feature.name, feature]))
  // In another stream everything begins anew.
  const goesOn = before !== undefined && ownerOf(before) === ownerOf(after)
  const byFingerprint = new Map((before?.features ?? []).map((feature) => [featureFingerprint(before!, feature), feature.name]))
  const kept = after.features.map((feature): FeatureChange => {
    const fingerprint = featureFingerprint(after, feature)
    const namesake = earlier.get(feature.name)
    const same = namesake !== undefined && featureFingerprint(before!, namesake) === fingerprint
    return {
      feature: feature.name,
      change: same ? 'unchanged' : namesake ? 'redefined' : 'added',
      before: namesake?.spec ?? null,
      after: feature.spec,
      sameAs: !goesOn ? null : same ? feature.name : (byFingerprint.get(fingerprint) ?? null),
    }
  })
  const names = new Set(after.features.map(({ name }) => name))
  const removed = [...earlier.values()].filter(({ name }) => !names.has(name))
  return [
    ...kept,
    ...removed.map(({ name, spec }): FeatureChange => ({ feature: name, change: 'removed', before: spec, after: null, sameAs: null })),
  ]
}
