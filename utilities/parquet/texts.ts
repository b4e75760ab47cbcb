/** Texts on their way into a row group, written for speed: they lie as Parquet has them, each behind its length in 32 bits. */
import { copyText, grown } from './bytes.ts'
import { addEntry, clearGroup, hasPaid, newGroup, roomForRows, stillPays, type Gathering } from './gathering.ts'

const lengthBytes = 4

export function gatherTexts(): Gathering {
  const group = newGroup()
  const { presence, dictionary } = group
  let indexes = new Int32Array(0)
  /** The dictionary's texts, or all. */
  let texts = new Uint8Array(0)
  let words = new DataView(texts.buffer)
  let spare = new Uint8Array(0)
  let end = 0
  /** Where each text of the dictionary begins; behind the last, where the next would. */
  let starts = new Int32Array(64)
  /** The length and the first eight bytes of each, as three words: most texts differ, or are the same, by these alone. */
  let heads = new Int32Array(0)
  let bytes = 0

  const begin = () => {
    clearGroup(group)
    starts[0] = lengthBytes
    end = 0
    bytes = 0
  }
  begin()

  const put = (from: Uint8Array, start: number, length: number) => {
    if (end + lengthBytes + length > texts.length) {
      texts = grown(texts, end, end + lengthBytes + length)
      words = new DataView(texts.buffer)
    }
    words.setInt32(end, length, true)
    copyText(texts, end + lengthBytes, from, start, length)
    end += lengthBytes + length
  }

  /**
   * Finds the index of each text. Returns the row where it stopped: where a dictionary does not pay, or too near to the end to read eight
   * bytes.
   */
  const index = (from: Source, first: number, last: number): number => {
    const { flags, rows, nulls } = presence
    const before = group.count
    indexes = grown(indexes, before, before + last - first)
    heads = grown(heads, 3 * dictionary.entries, 3 * (dictionary.entries + last - first))
    starts = grown(starts, dictionary.entries + 1, dictionary.entries + 1 + last - first)
    // What a loop reads again and again lies in variables of its own: those of the function around it would be looked up each time.
    const { bytes: source, words: sourceWords, starts: froms, ends } = from
    const [into, known, knownStarts] = [indexes, heads, starts]
    let there = words
    let { slots } = dictionary
    let mask = slots.length - 1
    let more = 0
    let found = 0
    const lastHead = source.length - headBytes
    let at = before
    let row = first
    for (; row < last; row++) {
      const start = froms[row]!
      if (start < 0) {
        flags[rows + row - first] = 0
        continue
      }
      const length = ends[row]! - start
      // The first eight bytes as two words, with zeros for those that are not there. No branch depends on the text here.
      if (start > lastHead) break
      const mask2 = 2 * (headBytes + ((length - headBytes) & ((length - headBytes) >> 31)))
      const low = sourceWords.getInt32(start, true) & headMasks[mask2]!
      const high = sourceWords.getInt32(start + 4, true) & headMasks[mask2 + 1]!
      let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b) ^ length
      if (length > headBytes) hash = hashOfRest(hash, sourceWords, start, length)
      hash ^= hash >>> 15
      let slot = hash & mask
      for (;;) {
        found = slots[slot]! - 1
        if (found < 0) break
        const i = 3 * found
        const other = (known[i]! ^ length) | (known[i + 1]! ^ low) | (known[i + 2]! ^ high)
        if (other === 0 && (length <= headBytes || sameRest(sourceWords, start, there, knownStarts[found]!, length))) break
        slot = (slot + 1) & mask
      }
      if (found < 0) {
        if (!stillPays(dictionary.entries, at)) {
          group.byIndex = false
          break
        }
        put(source, start, length)
        found = addEntry(dictionary, hash, slot)
        const i = 3 * found
        known[i] = length
        known[i + 1] = low
        known[i + 2] = high
        knownStarts[found + 1] = end + lengthBytes
        slots = dictionary.slots
        mask = slots.length - 1
        there = words
      }
      into[at++] = found
      more += lengthBytes + length
    }
    presence.rows = rows + row - first
    presence.nulls = nulls + row - first - (at - before)
    group.count = at
    bytes += more
    return row
  }

  const plain = (from: Source, first: number, last: number) => {
    for (let row = first; row < last; row++) {
      const start = from.starts[row]!
      if (start < 0) {
        presence.flags[presence.rows + row - first] = 0
        presence.nulls++
        continue
      }
      put(from.bytes, start, from.ends[row]! - start)
      group.count++
    }
    presence.rows += last - first
    bytes = end
  }

  /** From here on the texts lie as they come. */
  const leaveDictionary = () => {
    const [was, before] = [texts, starts]
    texts = grown(spare, 0, bytes)
    words = new DataView(texts.buffer)
    spare = was
    end = 0
    for (let i = 0; i < group.count; i++) {
      const entry = indexes[i]!
      put(was, before[entry]!, before[entry + 1]! - before[entry]! - lengthBytes)
    }
    group.byIndex = false
  }

  return {
    append(column, first, last) {
      if (column.kind !== 'text') throw new TypeError(`a column of ${column.kind}s cannot be written as text`)
      if (group.done) begin()
      roomForRows(presence, last - first)
      const { bytes: all } = column
      const from = { bytes: all, words: new DataView(all.buffer, all.byteOffset, all.byteLength), starts: column.starts, ends: column.ends }
      let row = first
      if (group.byIndex) {
        while (group.byIndex && row < last) {
          row = index(from, row, last)
          if (group.byIndex && row < last) row += index(alone(from, row), 0, 1)
        }
        if (!group.byIndex) {
          group.tries++
          leaveDictionary()
        }
      }
      if (row < last) plain(from, row, last)
    },
    plainBytes: () => bytes,
    forget() {
      group.tries = 0
    },
    gathered() {
      if (group.done) begin()
      group.done = true
      const { count } = group
      const { entries } = dictionary
      if (group.byIndex && !hasPaid(end, bytes, dictionary, count)) leaveDictionary()
      return {
        rows: presence.rows,
        count,
        present: presence.flags,
        values: texts.subarray(0, end),
        byIndex: group.byIndex ? { indexes, entries } : undefined,
        least: undefined,
        most: undefined,
      }
    },
  }
}

type Source = { readonly bytes: Uint8Array; readonly words: DataView; readonly starts: Int32Array; readonly ends: Int32Array }

const headBytes = 8
/** For each number of bytes, what two words keep of them. */
const headMasks = new Int32Array(Uint8Array.from({ length: 9 * 8 }, (_, i) => (i % 8 < i >> 3 ? 0xff : 0)).buffer)

/** A text with room behind it. */
function alone({ bytes, starts, ends }: Source, row: number): Source {
  const length = ends[row]! - starts[row]!
  const own = new Uint8Array(length + headBytes)
  own.set(bytes.subarray(starts[row], ends[row]))
  return { bytes: own, words: new DataView(own.buffer), starts: Int32Array.of(0), ends: Int32Array.of(length) }
}

/** Of more than that, those behind: word by word, where the last may overlap with the one before it. */
function hashOfRest(head: number, words: DataView, start: number, length: number): number {
  let hash = head
  const last = start + length - 4
  for (let at = start + headBytes; at < last; at += 4) {
    hash = Math.imul(hash ^ words.getInt32(at, true), 0xc2b2ae35)
    hash ^= hash >>> 15
  }
  return Math.imul(hash ^ words.getInt32(last, true), 0xc2b2ae35)
}

function sameRest(here: DataView, start: number, there: DataView, other: number, length: number): boolean {
  const last = length - 4
  for (let i = headBytes; i < last; i += 4) if (here.getInt32(start + i, true) !== there.getInt32(other + i, true)) return false
  return here.getInt32(start + last, true) === there.getInt32(other + last, true)
}
