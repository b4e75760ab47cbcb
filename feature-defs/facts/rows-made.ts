/**
 * The rows that changes of facts make, but for their features: the fact as it is now, or as it was when it was taken back; of a tick the
 * key and the date. With what happened, when it became known, and where a group of changes ends.
 */
import { columnOf, nullColumn, type Column, type Columns, type TextColumn } from '../../utilities/values/columns.ts'
import { mixed } from '../../utilities/values/mixed.ts'
import type { Definition } from '../feature-set.ts'
import { fieldsOfKeys } from '../fields-of-keys.ts'
import { featureColumn } from '../feature-columns.ts'
import type { Value, Whole } from '../values.ts'
import type { Steps } from './steps.ts'

/** Rows that follow one another: of steps, or of the keys that a tick changed. */
export type RowsOf =
  | { readonly kind: 'steps'; readonly steps: Steps; readonly first: number; readonly end: number }
  | { readonly kind: 'tick'; readonly message: number; readonly date: Whole; readonly keys: readonly string[] }

const [fromAfter, fromBefore, fromTick] = [0, 1, 2]

/** What the row is of, by its source; a change that took one fact and brought another is none of them. */
const changes = ['added', 'removed', 'tick', 'changed'] as const
const changed = 3

export function rowsMade({ record, per }: Definition, facts: Columns, steps: Steps, parts: readonly RowsOf[]): Columns {
  const count = parts.reduce((sum, part) => sum + (part.kind === 'steps' ? part.end - part.first : part.keys.length), 0)
  const [which, happened] = [new Uint8Array(count), new Uint8Array(count)]
  const [rows, messages] = [new Int32Array(count), new Int32Array(count)]
  const ticked: { readonly keys: string[]; readonly dates: Whole[] } = { keys: [], dates: [] }
  let at = 0
  for (const part of parts) {
    if (part.kind === 'tick') {
      for (const key of part.keys) {
        which[at] = happened[at] = fromTick
        rows[at] = ticked.keys.length
        messages[at++] = part.message
        ticked.keys.push(key)
        ticked.dates.push(part.date)
      }
      continue
    }
    for (let step = part.first; step < part.end; step++, at++) {
      const [left, came] = [steps.left[step]!, steps.came[step]!]
      which[at] = came < 0 ? fromBefore : fromAfter
      happened[at] = left >= 0 && came >= 0 ? changed : which[at]!
      rows[at] = came < 0 ? left : came
      messages[at] = steps.messages[step]!
    }
  }

  const ofTicks = ticksColumns(ticked)
  const byName = new Map<string, Column>([['_seq', mixed([columnOf(facts, '_seq', 'int')], { which: none(count), rows: messages })]])
  for (const [name, after] of steps.after.columns.byName)
    byName.set(name, mixed([after, steps.before.columns.byName.get(name)!, ofTicks(name, after)], { which, rows }))
  byName.set('_change', changeTexts(happened))
  byName.set('_known_ts', mixed([columnOf(facts, 'known', 'long')], { which: none(count), rows: messages }))
  byName.set('group_end', { kind: 'flag', values: groupEnds(columnOf(facts, 'group_end', 'flag').values, messages) })
  return { count, byName }

  function ticksColumns({ keys, dates }: typeof ticked): (name: string, like: Column) => Column {
    const field = record.fields[record.at]!
    const columns = new Map<string, Column>(
      keys.length === 0 ? [] : [[record.at, featureColumn(field, dates as Value[])], ...fieldsOfKeys(keys, per, record.fields)],
    )
    return (name, like) => columns.get(name) ?? nullColumn(record.fields[name] ?? (like as { kind: 'number' }), keys.length)
  }
}

const none = (count: number) => new Uint8Array(count)

const texts = Buffer.from(changes.join(''))
const starts = changes.map((_, i) => changes.slice(0, i).join('').length)
const ends = changes.map((one, i) => starts[i]! + one.length)

/** All in the same few bytes. */
function changeTexts(happened: Uint8Array): TextColumn {
  const [from, to] = [new Int32Array(happened.length), new Int32Array(happened.length)]
  for (let row = 0; row < happened.length; row++) {
    from[row] = starts[happened[row]!]!
    to[row] = ends[happened[row]!]!
  }
  return { kind: 'text', bytes: texts, starts: from, ends: to }
}

/**
 * The last row of each group ends it, also where the message that does makes no row; and the last of all, since batches end where groups
 * do.
 */
function groupEnds(isEnd: Uint8Array, messages: Int32Array): Uint8Array {
  const flags = new Uint8Array(messages.length)
  for (let row = 0; row < messages.length; row++) {
    const next = messages[row + 1]
    if (next === undefined) flags[row] = 1
    else for (let message = messages[row]!; message < next && flags[row] === 0; message++) if (isEnd[message] === 1) flags[row] = 1
  }
  return flags
}
