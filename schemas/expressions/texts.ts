/**
 * Texts as ranges of UTF-8 bytes: what only takes a part shares the bytes, the rest writes its own. Positions and lengths count characters.
 */
import type { IntegerColumn, TextColumn } from '../../utilities/values/columns.ts'
import { wholeAt } from '../../utilities/values/columns.ts'
import { bothBad, type Values } from './values.ts'

type Texts = Values<TextColumn>
const space = 0x20

/** A byte that goes on with a character. */
const continues = (byte: number | undefined) => (byte! & 0xc0) === 0x80

export function length({ column, bad }: Texts): Values<IntegerColumn> {
  const { bytes, starts, ends } = column
  const values = new Float64Array(starts.length)
  for (let row = 0; row < starts.length; row++) {
    let characters = starts[row]! < 0 ? NaN : 0
    for (let at = starts[row]!; at >= 0 && at < ends[row]!; at++) if (!continues(bytes[at])) characters++
    values[row] = characters
  }
  return { column: { kind: 'integer', values }, bad }
}

/** Without the spaces at both ends; no other character is one. */
export function trim({ column, bad }: Texts): Texts {
  const starts = column.starts.slice()
  const ends = column.ends.slice()
  for (let row = 0; row < starts.length; row++) {
    if (starts[row]! < 0) continue
    while (starts[row]! < ends[row]! && column.bytes[starts[row]!] === space) starts[row]!++
    while (starts[row]! < ends[row]! && column.bytes[ends[row]! - 1] === space) ends[row]!--
  }
  return { column: { ...column, starts, ends }, bad }
}

/** From a character counted from 1, which may lie before the text; so many, or all that follow. */
export function substr(text: Texts, from: Values<IntegerColumn>, many?: Values<IntegerColumn>): Texts {
  const { bytes } = text.column
  const starts = text.column.starts.slice()
  const ends = text.column.ends.slice()
  const bad = new Map<number, string>()
  for (let row = 0; row < starts.length; row++) {
    const first = wholeAt(from.column, row)
    const count = many ? wholeAt(many.column, row) : undefined
    if (!fits32(first) || !fits32(count)) bad.set(row, 'a place beyond 32 bits')
    else if (starts[row]! < 0 || first === null || count === null) starts[row] = -1
    else if (count !== undefined && count < 0n) bad.set(row, 'a text of negative length')
    else {
      const begin = Math.max(Number(first), 1)
      const after = count === undefined ? Infinity : Number(first) + Number(count)
      const to = ends[row]!
      const start = passed(bytes, starts[row]!, to, begin - 1)
      starts[row] = start
      ends[row] = after <= begin ? start : passed(bytes, start, to, after - begin)
    }
  }
  return { column: { kind: 'text', bytes, starts, ends }, bad: bothBad(bothBad(bothBad(text.bad, from.bad), many?.bad), bad) }
}

/** PostgreSQL counts characters so. */
const fits32 = (value: bigint | null | undefined) => typeof value !== 'bigint' || BigInt.asIntN(32, value) === value

/** Where so many characters end. */
function passed(bytes: Uint8Array, from: number, to: number, characters: number): number {
  let at = from
  for (let i = 0; i < characters && at < to; i++) at = nextCharacter(bytes, at, to)
  return at
}

export function nextCharacter(bytes: Uint8Array, from: number, to: number): number {
  let at = from + 1
  while (at < to && continues(bytes[at])) at++
  return at
}

/** Letters of all of Unicode, one that becomes two (ß, SS) and the sigma at a word's end too: not by any language's own rules. */
export const cased =
  (to: 'lower' | 'upper') =>
  ({ column, bad }: Texts): Texts => {
    const { bytes, starts, ends } = column
    const writer = newTexts(starts.length)
    const [first, last, turn] = to === 'lower' ? [0x41, 0x5a, 0x20] : [0x61, 0x7a, -0x20]
    for (let row = 0; row < starts.length; row++) {
      const [from, end] = [starts[row]!, ends[row]!]
      if (from < 0) continue
      begin(writer, row, end - from)
      let at = from
      for (; at < end && bytes[at]! < 0x80; at++) {
        const byte = bytes[at]!
        writer.bytes[writer.end++] = byte >= first && byte <= last ? byte + turn : byte
      }
      if (at < end) {
        writer.end = writer.starts[row]!
        const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('utf8')
        append(writer, Buffer.from(to === 'lower' ? text.toLowerCase() : text.toUpperCase()))
      }
      writer.ends[row] = writer.end
    }
    return { column: written(writer), bad }
  }

export function concatenated(a: Texts, b: Texts): Texts {
  const writer = newTexts(a.column.starts.length)
  for (let row = 0; row < writer.starts.length; row++) {
    if (a.column.starts[row]! < 0 || b.column.starts[row]! < 0) continue
    begin(writer, row, 0)
    append(writer, textAt(a.column, row))
    append(writer, textAt(b.column, row))
    writer.ends[row] = writer.end
  }
  return { column: written(writer), bad: bothBad(a.bad, b.bad) }
}

/** Each row's text of the column that `which` names; null for a column before the first. */
export function gatherTexts(columns: readonly TextColumn[], which: Int32Array): TextColumn {
  const writer = newTexts(which.length)
  for (let row = 0; row < which.length; row++) {
    const column = columns[which[row]!]
    if (!column || column.starts[row]! < 0) continue
    begin(writer, row, 0)
    append(writer, textAt(column, row))
    writer.ends[row] = writer.end
  }
  return written(writer)
}

/** The same at every row. */
export function constantText(text: string, count: number): TextColumn {
  const bytes = new TextEncoder().encode(text)
  return { kind: 'text', bytes, starts: new Int32Array(count), ends: new Int32Array(count).fill(bytes.length) }
}

const textAt = ({ bytes, starts, ends }: TextColumn, row: number) => bytes.subarray(starts[row]!, ends[row]!)

/** Texts one behind the other, as they are written; null where none is begun. */
type Writer = { bytes: Uint8Array; end: number; readonly starts: Int32Array; readonly ends: Int32Array }

const newTexts = (count: number): Writer => ({
  bytes: new Uint8Array(16 * count + 64),
  end: 0,
  starts: new Int32Array(count).fill(-1),
  ends: new Int32Array(count),
})

const written = ({ bytes, end, starts, ends }: Writer): TextColumn => ({ kind: 'text', bytes: bytes.subarray(0, end), starts, ends })

/** With room for so many bytes. */
function begin(writer: Writer, row: number, room: number): void {
  makeRoom(writer, room)
  writer.starts[row] = writer.end
}

function append(writer: Writer, more: Uint8Array): void {
  makeRoom(writer, more.length)
  writer.bytes.set(more, writer.end)
  writer.end += more.length
}

function makeRoom(writer: Writer, room: number): void {
  if (writer.end + room <= writer.bytes.length) return
  const larger = new Uint8Array(Math.max(2 * writer.bytes.length, writer.end + room))
  larger.set(writer.bytes.subarray(0, writer.end))
  writer.bytes = larger
}
