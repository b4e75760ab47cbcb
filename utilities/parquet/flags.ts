/** Flags on their way into a row group: a bit each, and no dictionary, which no reader expects of them. */
import { noFlag } from '../values/columns.ts'
import { grown } from './bytes.ts'
import { clearGroup, newGroup, roomForRows, type Gathering } from './gathering.ts'

export function gatherFlags(): Gathering {
  const group = newGroup()
  const { presence } = group
  let bits = new Uint8Array(0)

  return {
    append(column, from, end) {
      if (column.kind !== 'flag') throw new TypeError(`a column of ${column.kind}s cannot be written as "boolean"`)
      if (group.done) clearGroup(group)
      roomForRows(presence, end - from)
      bits = grown(bits, group.count, group.count + end - from)
      for (let i = from; i < end; i++) {
        const value = column.values[i]!
        if (value !== noFlag) bits[group.count++] = value
        else {
          presence.flags[presence.rows + i - from] = 0
          presence.nulls++
        }
      }
      presence.rows += end - from
    },
    plainBytes: () => group.count / 8,
    forget() {},
    gathered() {
      if (group.done) clearGroup(group)
      group.done = true
      const { count } = group
      const values = new Uint8Array((count + 7) >> 3)
      for (let i = 0; i < count; i++) values[i >> 3]! |= bits[i]! << (i & 7)
      return { rows: presence.rows, count, present: presence.flags, values, byIndex: undefined, least: undefined, most: undefined }
    },
  }
}
