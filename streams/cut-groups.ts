/** Cuts what was read where groups of changes end, so that nobody ever sees half of one: what is behind the last end waits for the rest. */
import { pick, rowsWhere, type Columns } from '../utilities/values/columns.ts'

/**
 * What was read of one lane: messages of one kind, each with its offset where they say themselves where a group ends.
 */
export type Part<Lane> = { readonly lane: Lane; readonly columns: Columns; readonly offsets: Float64Array }

/** What is complete, in order, and where to go on reading; undefined when there is no further end. */
export type Complete<Lane> = { readonly parts: readonly Part<Lane>[]; readonly next: number }

export type CutGroups<Lane> = {
  /** Takes what lies before the offset `next`; each lane's messages are in order. */
  take(parts: readonly Part<Lane>[], next: number): Complete<Lane> | undefined
  /** What waits, when no more will come. */
  rest(): Complete<Lane> | undefined
}

/** Rows of a group, of all versions. One whose end never comes, as only somebody else could have written it, is not waited for for ever. */
const mostWaiting = 1_000_000

/** A group ends when every lane that is in it has come to its end. Where lanes say nothing of groups, each message is one. */
export function cutGroups<Lane>(atMost = mostWaiting): CutGroups<Lane> {
  const open = new Set<Lane>()
  let waiting: readonly Part<Lane>[] = []
  let last = 0
  return {
    take(parts, next) {
      last = next
      const cut = lastEnd(parts, open, next)
      const all = [...waiting, ...parts]
      const isEndless = cut === undefined && all.reduce((sum, { columns }) => sum + columns.count, 0) >= atMost
      if (isEndless) open.clear()
      if (cut === next || isEndless) {
        waiting = []
        return { parts: all, next }
      }
      if (cut === undefined) {
        waiting = all
        return undefined
      }
      waiting = all.flatMap((part) => some(part, (offset) => offset >= cut))
      return { parts: all.flatMap((part) => some(part, (offset) => offset < cut)), next: cut }
    },
    rest() {
      const parts = waiting
      waiting = []
      open.clear()
      return parts.length === 0 ? undefined : { parts, next: last }
    },
  }
}

/** The offset behind the last message with which no group is open. */
function lastEnd<Lane>(parts: readonly Part<Lane>[], open: Set<Lane>, next: number): number | undefined {
  const ends = parts.map(({ columns }) => columns.byName.get('group_end'))
  if (ends.every((column) => column === undefined)) return open.size === 0 ? next : undefined
  const at = parts.map(() => 0)
  let cut: number | undefined
  for (;;) {
    let first = -1
    for (let i = 0; i < parts.length; i++)
      if (at[i]! < parts[i]!.offsets.length && (first < 0 || parts[i]!.offsets[at[i]!]! < parts[first]!.offsets[at[first]!]!)) first = i
    if (first < 0) break
    const { lane, offsets } = parts[first]!
    const row = at[first]!++
    const column = ends[first]
    if (column?.kind === 'flag' && column.values[row] !== 1) open.add(lane)
    else open.delete(lane)
    if (open.size === 0) cut = offsets[row]! + 1
  }
  // What could not be read behind the last end belongs to no group.
  return open.size === 0 ? next : cut
}

function some<Lane>({ lane, columns, offsets }: Part<Lane>, test: (offset: number) => boolean): Part<Lane>[] {
  const rows = rowsWhere(offsets, test)
  if (rows.length === 0) return []
  return [{ lane, columns: pick(columns, rows), offsets: Float64Array.from(rows, (row) => offsets[row]!) }]
}
