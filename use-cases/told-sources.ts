/** What a source from a topic waits for, in words. */
import type { SourcePlace } from '../ingest/sources.ts'
import { count } from '../utilities/values/digits.ts'

/** Null where it waits for nothing. */
export function waitsFor(state: SourcePlace | undefined, table: string, isTable: boolean): string | null {
  const snapshot = state?.snapshot
  if (snapshot?.state === 'asks')
    return (
      `a new snapshot lacks ${count(snapshot.left!)} of the ${count(snapshot.of!)} rows, too many to leave by themselves: ` +
      `tidemark ingest --accept-snapshot ${table}`
    )
  if (snapshot && ['under way', 'ending'].includes(snapshot.state))
    return state.loaded ? 'waits for the end of a new snapshot' : 'waits for the end of its first snapshot'
  if (snapshot?.state === 'leaving') return 'the rows leave that a new snapshot lacks'
  if (snapshot?.catchingUp) return 'catching up: changes from before its snapshot are read'
  return isTable && !state?.loaded ? 'waits for its first rows' : null
}
