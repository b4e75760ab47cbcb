/** Numbers, days and moments on their way into a row group, written for speed: each is two words of 32 bits, the low one first. */
import type { Decimal, SqlType } from '../warehouse.ts'
import { grown } from './bytes.ts'
import { addEntry, clearGroup, hasPaid, newGroup, roomForRows, stillPays, type Gathered, type Gathering } from './gathering.ts'
import { takeWords } from './words.ts'

/** The values of an append that are not null, before they find their place. */
let words = new Int32Array(0)

export function gatherNumbers(type: Exclude<SqlType, object> | Decimal): Gathering {
  const width = type === 'integer' || type === 'date' ? 4 : 8
  const group = newGroup()
  const { presence, dictionary } = group
  let indexes = new Int32Array(0)
  /** The dictionary's, or all. */
  let values = new Int32Array(0)
  let spare = new Int32Array(0)

  /** Finds the index of each, and returns how many have one: fewer than there are once a dictionary does not pay. */
  const index = (all: number): number => {
    const before = group.count
    indexes = grown(indexes, before, before + all)
    values = grown(values, 2 * dictionary.entries, 2 * (dictionary.entries + all))
    // What a loop reads again and again lies in variables of its own: those of the function around it would be looked up each time.
    const [given, known, into] = [words, values, indexes]
    let { slots } = dictionary
    let mask = slots.length - 1
    let lastLow = ~given[0]!
    let lastHigh = 0
    let found = 0
    for (let i = 0; i < all; i++) {
      const low = given[2 * i]!
      const high = given[2 * i + 1]!
      if (((low ^ lastLow) | (high ^ lastHigh)) !== 0) {
        const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)
        const hash = mixed ^ (mixed >>> 15)
        let slot = hash & mask
        for (;;) {
          found = slots[slot]! - 1
          if (found < 0) {
            if (!stillPays(dictionary.entries, before + i)) return i
            found = addEntry(dictionary, hash, slot)
            known[2 * found] = low
            known[2 * found + 1] = high
            slots = dictionary.slots
            mask = slots.length - 1
            break
          }
          if (((known[2 * found]! ^ low) | (known[2 * found + 1]! ^ high)) === 0) break
          slot = (slot + 1) & mask
        }
        lastLow = low
        lastHigh = high
      }
      into[before + i] = found
    }
    return all
  }

  /** From here on the values lie as they come. */
  const leaveDictionary = () => {
    const { count } = group
    spare = grown(spare, 0, 2 * count)
    for (let i = 0; i < count; i++) {
      const entry = indexes[i]!
      spare[2 * i] = values[2 * entry]!
      spare[2 * i + 1] = values[2 * entry + 1]!
    }
    ;[values, spare] = [spare, values]
    group.byIndex = false
  }

  const range = (used: number): Pick<Gathered, 'least' | 'most'> => {
    if (type === 'double' || used === 0) return { least: undefined, most: undefined }
    let [least, most] = [0, 0]
    for (let i = 2; i < 2 * used; i += 2) {
      if (isLess(values, i, least)) least = i
      else if (isLess(values, most, i)) most = i
    }
    const bytesAt = (i: number) => new Uint8Array(values.slice(i, i + width / 4).buffer)
    return { least: bytesAt(least), most: bytesAt(most) }
  }

  return {
    append(column, from, end) {
      if (group.done) clearGroup(group)
      roomForRows(presence, end - from)
      words = grown(words, 0, 2 * (end - from))
      const all = takeWords(words, column, type, { from, end }, presence)
      presence.rows += end - from
      presence.nulls += end - from - all
      if (all === 0) return
      let placed = 0
      if (group.byIndex) {
        placed = index(all)
        group.count += placed
        if (placed === all) return
        group.tries++
        leaveDictionary()
      }
      const { count } = group
      values = grown(values, 2 * count, 2 * (count + all - placed))
      values.set(words.subarray(2 * placed, 2 * all), 2 * count)
      group.count += all - placed
    },
    plainBytes: () => group.count * width,
    forget() {
      group.tries = 0
    },
    gathered() {
      if (group.done) clearGroup(group)
      group.done = true
      const { count } = group
      const { entries } = dictionary
      if (group.byIndex && !hasPaid(width * entries, width * count, dictionary, count)) leaveDictionary()
      const used = group.byIndex ? entries : count
      const shown = width === 8 ? values.subarray(0, 2 * used) : lowOf(values, used)
      return {
        rows: presence.rows,
        count,
        present: presence.flags,
        values: new Uint8Array(shown.buffer, shown.byteOffset, shown.byteLength),
        byIndex: group.byIndex ? { indexes, entries } : undefined,
        ...range(used),
      }
    },
  }
}

const isLess = (values: Int32Array, one: number, other: number): boolean =>
  values[one + 1]! < values[other + 1]! || (values[one + 1] === values[other + 1] && values[one]! >>> 0 < values[other]! >>> 0)

function lowOf(values: Int32Array, used: number): Int32Array {
  const low = new Int32Array(used)
  for (let i = 0; i < used; i++) low[i] = values[2 * i]!
  return low
}
