/**
 * The moments of the labels by key, in order, and the best row for each: rows may come in any order, and none of them is kept but the best.
 * Written for speed; its plain twin looks at all rows for each label (test/training-model.ts).
 */
export type Slots = {
  /** Slots bounds[key] .. bounds[key + 1] are those of a key. */
  readonly bounds: Int32Array
  /** When each is asked about, rising within a key. */
  readonly moments: Float64Array
  /**
   * Of the best row that came for the slot and not for one before it: its time and, behind it, its `_seq`; both come into memory at once.
   */
  readonly best: Float64Array
  /** 1 for a key that some row has. */
  readonly met: Uint8Array
  /** The latest time of a key's rows so far. */
  readonly latest: Float64Array
}

/** A slot for each label, of the key and the moment that stand at its place; a key below 0 is left out. */
export function slotsOf(keyAt: Int32Array, momentAt: Float64Array, keys: number): Slots {
  const bounds = new Int32Array(keys + 1)
  for (let i = 0; i < keyAt.length; i++) if (keyAt[i]! >= 0) bounds[keyAt[i]! + 1]!++
  for (let key = 0; key < keys; key++) bounds[key + 1]! += bounds[key]!
  const next = bounds.slice(0, keys)
  const count = bounds[keys]!
  const moments = new Float64Array(count)
  for (let i = 0; i < keyAt.length; i++) if (keyAt[i]! >= 0) moments[next[keyAt[i]!]!++] = momentAt[i]!
  for (let key = 0; key < keys; key++) sortRange(moments, bounds[key]!, bounds[key + 1]!)
  return {
    bounds,
    moments,
    best: new Float64Array(2 * count).fill(-Infinity),
    met: new Uint8Array(keys),
    latest: new Float64Array(keys).fill(-Infinity),
  }
}

/** Of most keys there are few: calling a sort for each takes longer than sorting them. */
const few = 40

function sortRange(values: Float64Array, from: number, end: number): void {
  if (end - from > few) return void values.subarray(from, end).sort()
  for (let i = from + 1; i < end; i++) {
    const value = values[i]!
    let at = i
    for (; at > from && values[at - 1]! > value; at--) values[at] = values[at - 1]!
    values[at] = value
  }
}

/** The first slot of the key that is not before the moment; the end of its slots when there is none. */
export function slotFrom({ bounds, moments }: Pick<Slots, 'bounds' | 'moments'>, key: number, moment: number): number {
  let low = bounds[key]!
  let high = bounds[key + 1]!
  while (low < high) {
    const middle = (low + high) >>> 1
    if (moments[middle]! < moment) low = middle + 1
    else high = middle
  }
  return low
}

/** Rows that are the best for a slot so far, each with its slot. */
export type Best = { readonly rows: Int32Array; readonly slots: Int32Array }

export type Offered = {
  /** The number of each row's key, below 0 for one that no label has. */
  readonly keys: Int32Array
  /** What rows are ordered by, and from when on each may be given. */
  readonly times: Float64Array
  readonly from: Float64Array
  readonly seqs: Float64Array
}

export function offer(slots: Slots, offered: Offered): Best {
  const { times, seqs } = offered
  const { best } = slots
  const places = placesOf(slots, offered)
  const [rows, into] = [new Int32Array(places.length), new Int32Array(places.length)]
  let count = 0
  for (let row = 0; row < places.length; row++) {
    const slot = places[row]!
    if (slot < 0) continue
    const time = times[row]!
    const before = best[2 * slot]!
    if (time < before || (time === before && seqs[row]! <= best[2 * slot + 1]!)) continue
    best[2 * slot] = time
    best[2 * slot + 1] = seqs[row]!
    rows[count] = row
    into[count++] = slot
  }
  return { rows: rows.subarray(0, count), slots: into.subarray(0, count) }
}

/** As slotFrom finds it, -1 where there is none; in a loop of its own, so that the processor can look for several rows at once. */
function placesOf({ bounds, moments, met }: Slots, { keys, from }: Offered): Int32Array {
  const places = new Int32Array(keys.length)
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row]!
    if (key < 0) {
      places[row] = -1
      continue
    }
    met[key] = 1
    const end = bounds[key + 1]!
    const moment = from[row]!
    let slot = bounds[key]!
    for (let high = end; slot < high;) {
      const middle = (slot + high) >>> 1
      if (moments[middle]! < moment) slot = middle + 1
      else high = middle
    }
    places[row] = slot === end ? -1 : slot
  }
  return places
}

/** For each slot the one, of itself and those of its key before it, that has the best row; -1 where none has any. */
export function bestOf({ bounds, best }: Slots): Int32Array {
  const found = new Int32Array(best.length / 2)
  for (let key = 0; key + 1 < bounds.length; key++) {
    let before = -1
    for (let slot = bounds[key]!; slot < bounds[key + 1]!; slot++) {
      const time = best[2 * slot]!
      const isBetter =
        time > -Infinity &&
        (before < 0 || time > best[2 * before]! || (time === best[2 * before]! && best[2 * slot + 1]! > best[2 * before + 1]!))
      if (isBetter) before = slot
      found[slot] = before
    }
  }
  return found
}
