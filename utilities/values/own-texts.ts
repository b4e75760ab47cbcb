/** Texts that lie here and there in many bytes, in bytes of their own: what goes over to another thread takes no more along than it is. */
import type { Column } from './columns.ts'

export function ownTexts(column: Column): Column {
  if (column.kind !== 'text') return column
  const { bytes: from, starts, ends } = column
  let length = 0
  for (let row = 0; row < starts.length; row++) if (starts[row]! >= 0) length += ends[row]! - starts[row]!
  const bytes = new Uint8Array(length)
  const [ownStarts, ownEnds] = [new Int32Array(starts.length).fill(-1), new Int32Array(starts.length).fill(-1)]
  let end = 0
  for (let row = 0; row < starts.length; row++) {
    const start = starts[row]!
    if (start < 0) continue
    const stop = ends[row]!
    ownStarts[row] = end
    for (let at = start; at < stop; at++) bytes[end++] = from[at]!
    ownEnds[row] = end
  }
  return { kind: 'text', bytes, starts: ownStarts, ends: ownEnds }
}
