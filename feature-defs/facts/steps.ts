/** What a batch of changes does to the keys of a set, in order: a fact leaves a key, comes to it, or both. A tick stands between steps. */
import { columnOf, noFlag, type Column, type Columns } from '../../utilities/values/columns.ts'
import { dayMicros } from '../../utilities/values/timestamp.ts'
import type { Definition } from '../feature-set.ts'
import { keysOf } from '../keys.ts'
import { compareValues, daysIn, wholeOf, wholesIn, type Whole } from '../values.ts'
import type { Unit } from './standing.ts'

/** The facts of one side of the changes: as they were, or as they are. */
export type Side = { readonly columns: Columns; readonly isThere: Uint8Array; readonly at: ArrayLike<Whole> }

export type Steps = {
  readonly before: Side
  readonly after: Side
  readonly count: number
  /** Of each step: its message, which fact leaves and which comes, both by message, -1 for none; and the key. */
  readonly messages: Int32Array
  readonly left: Int32Array
  readonly came: Int32Array
  readonly keys: readonly string[]
  /** The date that the fact which came brings its key to; -Infinity for none. */
  readonly dates: ArrayLike<Whole>
  readonly ticks: readonly Tick[]
}

/** A date that has come; it stands before the step of that place. */
export type Tick = { readonly message: number; readonly date: Whole; readonly step: number }

export function stepsOf({ record, per }: Definition, unit: Unit, facts: Columns): Steps {
  const { count } = facts
  const [before, after] = [sideOf(facts, 'before', record.at), sideOf(facts, 'after', record.at)]
  const [keysBefore, keysAfter] = per === null ? [] : [keysOf(before.columns, per), keysOf(after.columns, per)]
  const known = knownDates(unit, columnOf(facts, 'known', 'long').values)
  const tickDates = datesIn(facts.byName.get('tick'))
  const messages = new Int32Array(2 * count)
  const left = new Int32Array(2 * count)
  const came = new Int32Array(2 * count)
  const dates: Whole[] = []
  const keys: string[] = []
  const ticks: Tick[] = []
  const step = (message: number, leaves: boolean, comes: boolean, key: string) => {
    const at = keys.length
    messages[at] = message
    left[at] = leaves ? message : -1
    came[at] = comes ? message : -1
    const date = after.at[message]!
    // One of a time to come does not bring its key there.
    dates.push(comes && date <= known(message) ? date : -Infinity)
    keys.push(key)
  }
  for (let message = 0; message < count; message++) {
    const [was, is] = [before.isThere[message] === 1, after.isThere[message] === 1]
    const [keyBefore, keyAfter] = [keysBefore?.[message] ?? '', keysAfter?.[message] ?? '']
    if (was && is && keyBefore !== keyAfter) {
      // In the order of keys, as the rows of a tick are.
      const leavesFirst = compareValues(keyBefore, keyAfter) < 0
      if (leavesFirst) step(message, true, false, keyBefore)
      step(message, false, true, keyAfter)
      if (!leavesFirst) step(message, true, false, keyBefore)
    } else if (was || is) step(message, was, is, is ? keyAfter : keyBefore)
    else if (tickDates && tickDates[message] === tickDates[message]) ticks.push({ message, date: tickDates[message]!, step: keys.length })
  }
  return { before, after, count: keys.length, messages, left, came, keys, dates, ticks }
}

function sideOf(facts: Columns, side: 'before' | 'after', at: string): Side {
  const start = `${side}.`
  const named = [...facts.byName]
    .filter(([name]) => name.startsWith(start))
    .map(([name, column]) => [name.slice(start.length), column] as const)
  const columns = { count: facts.count, byName: new Map(named) }
  return { columns, isThere: thereIn(columnOf(facts, side, 'flag').values), at: datesIn(columns.byName.get(at)) ?? [] }
}

const thereIn = (flags: Uint8Array) => (flags.includes(noFlag) ? flags.map((flag) => (flag === 1 ? 1 : 0)) : flags)

function datesIn(column: Column | undefined): ArrayLike<Whole> | undefined {
  if (column?.kind === 'timestamp') return wholesIn(column)
  if (column?.kind !== 'date') return undefined
  return daysIn(column)
}

/** When each change became known, as dates are counted. Those of a group mostly have it in common. */
function knownDates(unit: Unit, known: BigInt64Array): (message: number) => Whole {
  const nanos = unit === 'date' ? 1000n * BigInt(dayMicros) : 1000n
  let [last, date]: [bigint | null, Whole] = [null, 0]
  return (message) => {
    const now = known[message]!
    if (now === last) return date
    last = now
    const rest = ((now % nanos) + nanos) % nanos
    return (date = wholeOf((now - rest) / nanos))
  }
}
