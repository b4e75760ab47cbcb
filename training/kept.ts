/** The values of the best rows, a place for each slot and one behind them that is always null: columns that are written here and there. */
import {
  noDay,
  noFlag,
  type Column,
  type Columns,
  type DateColumn,
  type FlagColumn,
  type TextColumn,
  type Wholes,
} from '../utilities/values/columns.ts'
import type { Best } from './slots.ts'

/** Those of one feature. */
export interface Kept {
  /** Puts the values of these rows into their slots. */
  keep(column: Column, best: Best): void
  /** As it is now: with what is kept later it changes. */
  column(): Column
}

type FeatureType = { readonly kind: Exclude<Column['kind'], 'int' | 'long'>; readonly scale?: number }

export function newKept(type: FeatureType, slots: number): Kept {
  if (type.kind === 'text') return keptTexts(slots + 1)
  if (type.kind === 'date') {
    const days = new Int32Array(slots + 1).fill(noDay)
    return {
      keep: (column, best) => put(days, (column as DateColumn).days, best),
      column: () => ({ kind: 'date', days }),
    }
  }
  if (type.kind === 'flag') {
    const values = new Uint8Array(slots + 1).fill(noFlag)
    return { keep: (column, best) => put(values, (column as FlagColumn).values, best), column: () => ({ kind: 'flag', values }) }
  }
  const values = new Float64Array(slots + 1).fill(NaN)
  const wide = new Map<number, bigint>()
  return {
    keep(column, best) {
      const from = column as { readonly kind: 'number' } & Wholes
      put(values, from.values, best)
      if (wide.size > 0 || (from.wide?.size ?? 0) > 0) putWide(wide, from.wide, best)
    },
    column: (): Column =>
      type.kind === 'number'
        ? { kind: 'number', values }
        : type.kind === 'decimal'
          ? { kind: 'decimal', scale: type.scale ?? 0, values, wide }
          : { kind: type.kind as 'integer' | 'timestamp', values, wide },
  }
}

function put<A extends Float64Array | Int32Array | Uint8Array>(to: A, from: A, { rows, slots }: Best): void {
  for (let i = 0; i < rows.length; i++) to[slots[i]!] = from[rows[i]!]!
}

function putWide(to: Map<number, bigint>, from: Wholes['wide'], { rows, slots }: Best): void {
  for (let i = 0; i < rows.length; i++) {
    const value = from?.get(rows[i]!)
    if (value === undefined) to.delete(slots[i]!)
    else to.set(slots[i]!, value)
  }
}

const leastBytes = 1 << 16

/** A text that is no longer than the one before it takes its place; the others go behind all, until half of that is of no use. */
function keptTexts(places: number): Kept {
  let bytes = new Uint8Array(leastBytes)
  let end = 0
  let used = 0
  const starts = new Int32Array(places).fill(-1)
  const ends = new Int32Array(places).fill(-1)

  const makeRoom = (more: number) => {
    if (end + more <= bytes.length) return
    const before = bytes
    bytes = new Uint8Array(Math.max(leastBytes, 2 * (used + more)))
    end = 0
    for (let place = 0; place < places; place++) {
      if (starts[place]! < 0) continue
      const length = ends[place]! - starts[place]!
      bytes.set(before.subarray(starts[place], ends[place]), end)
      starts[place] = end
      ends[place] = end += length
    }
  }
  return {
    keep(column, { rows, slots }) {
      const from = column as TextColumn
      for (let i = 0; i < rows.length; i++) {
        const [row, slot] = [rows[i]!, slots[i]!]
        const [start, stop] = [from.starts[row]!, from.ends[row]!]
        const before = starts[slot]! < 0 ? 0 : ends[slot]! - starts[slot]!
        const length = start < 0 ? 0 : stop - start
        used += length - before
        if (start < 0) {
          starts[slot] = ends[slot] = -1
          continue
        }
        if (length > before || starts[slot]! < 0) {
          starts[slot] = ends[slot] = -1
          makeRoom(length)
          starts[slot] = end
          end += length
        }
        ends[slot] = starts[slot]! + length
        const at = starts[slot]!
        for (let byte = 0; byte < length; byte++) bytes[at + byte] = from.bytes[start + byte]!
      }
    },
    column: () => ({ kind: 'text', bytes, starts, ends }),
  }
}

/** The features of a row of a batch, put where they belong. */
export function keepAll(kept: ReadonlyMap<string, Kept>, { byName }: Columns, best: Best): void {
  for (const [name, one] of kept) one.keep(byName.get(name)!, best)
}
