/**
 * What is gathered of the facts in a window of time, or of all that stand.
 *
 * State: the key's date, and for each date to come at which facts leave the window, or enter it, what is gathered of those; facts that have
 * left are not kept, since the date never goes back. Where nothing leaves, all that is inside is one part.
 */
import {
  layoutOf,
  putCount,
  putWhole,
  readerOf,
  takeCount,
  takeLayout,
  takeWhole,
  type Held,
  type Reader,
  type Writer,
} from '../state-bytes.ts'
import { less, type Value, type Whole } from '../values.ts'
import type { Span, SpanOf } from './spans.ts'
import type { Gathering, Standing, Unit } from './standing.ts'

const [allLayout, spanLayout] = [layoutOf(20), layoutOf(21)]

/** All facts that stand: no date makes a difference. */
const overAll = <All, Part>(gathering: Gathering<All, Part>): Standing<All> => ({
  init: gathering.all,
  add: gathering.add,
  take: gathering.take,
  read: gathering.read,
  put(to, state) {
    putCount(to, allLayout)
    gathering.putPart(to, gathering.partOf(state))
  },
  load(saved) {
    const from = readerOf(saved)
    takeLayout(from, allLayout)
    const state = gathering.all()
    gathering.enter(state, gathering.takePart(from))
    return state
  },
  mostBytes: ({ values, bytes }) => 8 + gathering.mostPartBytes + gathering.mostValueBytes(bytes) * values,
})

/** Parts by date, in order. */
type Parts<Part> = { readonly dates: Whole[]; readonly parts: Part[] }

type State<All, Part> = {
  date: Whole
  all: All
  readonly entering: Parts<Part>
  readonly leaving: Parts<Part>
}

function overSpan<All, Part>(gathering: Gathering<All, Part>, { enters, leaves }: Span): Standing<State<All, Part>> {
  const init = (): State<All, Part> => ({
    date: -Infinity,
    all: gathering.all(),
    entering: { dates: [], parts: [] },
    leaving: { dates: [], parts: [] },
  })

  const change = (parts: Parts<Part>, date: Whole, value: Value, by: 'addTo' | 'takeFrom'): void => {
    const at = placeOf(parts.dates, date)
    if (parts.dates[at] !== date) {
      parts.dates.splice(at, 0, date)
      parts.parts.splice(at, 0, gathering.part())
    }
    const part = parts.parts[at]!
    gathering[by](part, value)
    if (gathering.isEmpty(part)) drop(parts, at, at + 1)
  }

  /** What entered then is inside, and leaves when its time comes. */
  const enter = (state: State<All, Part>, entered: Whole, part: Part): void => {
    const leave = leaves?.(entered) ?? Infinity
    if (leave <= state.date) return
    gathering.enter(state.all, part)
    if (!leaves) return
    const { dates, parts } = state.leaving
    const at = placeOf(dates, leave)
    if (dates[at] !== leave) {
      dates.splice(at, 0, leave)
      parts.splice(at, 0, part)
    } else gathering.join(parts[at]!, part)
  }

  const reach = (state: State<All, Part>, date: Whole): void => {
    if (date <= state.date) return
    state.date = date
    const { entering, leaving } = state
    const left = placeOf(leaving.dates, date, true)
    for (let at = 0; at < left; at++) gathering.leave(state.all, leaving.parts[at]!)
    if (left > 0) drop(leaving, 0, left)
    const entered = placeOf(entering.dates, date, true)
    for (let at = 0; at < entered; at++) enter(state, entering.dates[at]!, entering.parts[at]!)
    if (entered > 0) drop(entering, 0, entered)
  }

  const move = (state: State<All, Part>, value: Value, at: Whole, by: 'add' | 'take'): void => {
    if (value !== value) return
    const part = by === 'add' ? 'addTo' : 'takeFrom'
    const entered = enters(at)
    if (entered > state.date) return change(state.entering, entered, value, part)
    if (leaves) {
      const leave = leaves(entered)
      if (leave <= state.date) return
      change(state.leaving, leave, value, part)
    }
    gathering[by](state.all, value)
  }

  return {
    init,
    reach,
    add: (state, value, at) => move(state, value, at, 'add'),
    take: (state, value, at) => move(state, value, at, 'take'),
    read: ({ all }) => gathering.read(all),
    due: ({ entering, leaving }) => leastOf(entering.dates[0] ?? Infinity, leaving.dates[0] ?? Infinity),
    put(to, state) {
      putCount(to, spanLayout)
      putDate(to, state.date)
      putParts(to, state.entering, gathering)
      if (leaves) putParts(to, state.leaving, gathering)
      else gathering.putPart(to, gathering.partOf(state.all))
    },
    load(saved) {
      const from = readerOf(saved)
      takeLayout(from, spanLayout)
      const state = init()
      state.date = takeDate(from)
      takeParts(from, state.entering, gathering)
      if (leaves) takeParts(from, state.leaving, gathering)
      for (const part of leaves ? state.leaving.parts : [gathering.takePart(from)]) gathering.enter(state.all, part)
      return state
    },
    mostBytes: ({ places, values, bytes }: Held) =>
      32 + (10 + gathering.mostPartBytes) * (places + 1) + gathering.mostValueBytes(bytes) * values,
  }
}

const leastOf = (one: Whole, other: Whole): Whole => (one < other ? one : other)

function drop<Part>({ dates, parts }: Parts<Part>, from: number, to: number): void {
  dates.splice(from, to - from)
  parts.splice(from, to - from)
}

/** Where the date is among those in order, or would stand; or the place behind it. */
function placeOf(dates: readonly Whole[], date: Whole, behind = false): number {
  // Mostly facts come in order of time.
  const last = dates.length - 1
  if (last < 0 || dates[last]! < date) return dates.length
  let [low, high] = [0, last]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (dates[middle]! < date) low = middle + 1
    else high = middle
  }
  return behind && dates[low] === date ? low + 1 : low
}

/** -Infinity before any. */
export function putDate(to: Writer, date: Whole): void {
  putCount(to, date === -Infinity ? 0 : 1)
  if (date !== -Infinity) putWhole(to, date)
}

export const takeDate = (from: Reader): Whole => (takeCount(from) === 0 ? -Infinity : takeWhole(from))

type Saved<Part> = Pick<Gathering<unknown, Part>, 'putPart' | 'takePart'>

function putParts<Part>(to: Writer, { dates, parts }: Parts<Part>, gathering: Saved<Part>): void {
  putCount(to, dates.length)
  let before: Whole = 0
  for (let i = 0; i < dates.length; i++) {
    putWhole(to, less(dates[i]!, before))
    gathering.putPart(to, parts[i]!)
    before = dates[i]!
  }
}

function takeParts<Part>(from: Reader, { dates, parts }: Parts<Part>, gathering: Saved<Part>): void {
  for (let left = takeCount(from); left > 0; left--) {
    dates.push(less(takeWhole(from), -(dates.at(-1) ?? 0)))
    parts.push(gathering.takePart(from))
  }
}

/** Over a window of time, or without one over all facts that stand. */
export const overWindow =
  <All, Part>(gathering: Gathering<All, Part>, spanOf: SpanOf | undefined) =>
  (unit: Unit): Standing =>
    (spanOf ? overSpan(gathering, spanOf(unit)) : overAll(gathering)) as Standing
