/** Progress of a version's rows, drawn from the first news on: `apply loan_risk@1: …`. */
import type { VersionNews } from '../use-cases/asking.ts'
import type { Console } from './console.ts'

/** `what` is done to a set. */
export function versionProgress(console: Console, what: string) {
  let progress: ReturnType<Console['progress']> | undefined
  return ({ version, rows, seq, of }: VersionNews) => (progress ??= console.progress(`${what}@${version}`))(rows, { done: seq, of })
}
