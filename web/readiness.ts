/** Whether what is served has come to where its topics ended when it began: once it has, it is ready, and stays so. */
import type { ServedPlace, Serving } from '../serving/serving.ts'

export type Readiness =
  | { readonly isReady: true }
  | { readonly isReady: false; readonly why: string; readonly behind: readonly ServedPlace[] }

export function readinessOf({ isCaughtUp, places }: Pick<Serving, 'isCaughtUp' | 'places'>): Readiness {
  if (isCaughtUp()) return { isReady: true }
  const behind = places().filter(({ next, end }) => next < end)
  return {
    isReady: false,
    why: behind.length === 0 ? 'it has just begun to read' : `it catches up: ${behind.map(placeText).join('; ')}`,
    behind,
  }
}

const placeText = ({ topic, partition, next, end }: ServedPlace) => `${topic}, partition ${partition}, is at ${next} of ${end}`
