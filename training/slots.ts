/**
 * The moments of the labels by key, in order, and the best row for each: rows may come in any order, and none of them is kept but the best.
 * Written for speed; its plain twin looks at all rows for each label (test/training-model.ts).
 */
export type Slots = {
  /** Slots bounds[key] .. bounds[key + 1] are those of a key. */
  readonly bounds: Int32Array
  /** When each is asked about, rising within a key. */
  readonly moments: Float64Array
  /** Of the best row that came for the slot and not for one before it: its time and its `_seq`. */
  readonly times: Float64Array
  readonly seqs: Float64Array
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
  for (let key = 0; key < keys; key++)
    if (bounds[key + 1]! - bounds[key]! > 1) moments.subarray(bounds[key], bounds[key + 1]).sort()
  return {
    bounds,
    moments,
    times: new Float64Array(count).fill(-Infinity),
    seqs: new Float64Array(count).fill(-Infinity),
    met: new Uint8Array(keys),
    latest: new Float64Array(keys).fill(-Infinity),
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

export function offer(slots: Slots, { keys, times, from, seqs }: Offered): Best {
  const { bounds, met, times: bestTimes, seqs: bestSeqs } = slots
  const [rows, places] = [new Int32Array(keys.length), new Int32Array(keys.length)]
  let count = 0
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row]!
    if (key < 0) continue
    met[key] = 1
    const slot = slotFrom(slots, key, from[row]!)
    if (slot === bounds[key + 1]) continue
    const time = times[row]!
    const best = bestTimes[slot]!
    if (time < best || (time === best && seqs[row]! <= bestSeqs[slot]!)) continue
    bestTimes[slot] = time
    bestSeqs[slot] = seqs[row]!
    rows[count] = row
    places[count++] = slot
  }
  return { rows: rows.subarray(0, count), slots: places.subarray(0, count) }
}

/** For each slot the one, of itself and those of its key before it, that has the best row; -1 where none has any. */
export function bestOf({ bounds, times, seqs }: Slots): Int32Array {
  const best = new Int32Array(times.length)
  for (let key = 0; key + 1 < bounds.length; key++) {
    let before = -1
    for (let slot = bounds[key]!; slot < bounds[key + 1]!; slot++) {
      const isBetter =
        times[slot]! > -Infinity &&
        (before < 0 || times[slot]! > times[before]! || (times[slot] === times[before] && seqs[slot]! > seqs[before]!))
      if (isBetter) before = slot
      best[slot] = before
    }
  }
  return best
}
