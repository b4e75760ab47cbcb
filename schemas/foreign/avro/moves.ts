/** What writes a value of a schema out as JSON in words, and what skips it. */
import { Unreadable } from '../../avro/generic.ts'
import { long } from '../../wire.ts'
import { arrayWriter, chosen, itemsSkipper, mapWriter, pick, recordWriter, type Move, type Moves } from './containers.ts'
import { putInWords } from './in-words.ts'
import { putAscii, putBase64, putByte, putBytes, putDouble, putFloat, putLong, putText, type Cursor } from './json-out.ts'
import { isUuid, meaningOf } from './meaning.ts'
import { enter, readCount, readFloating, readLong, take, takeCounted } from './read.ts'
import type { Shape } from './shape.ts'

/** One for each type that has a name, so that a record may have records of its own kind. */
export type Known = Map<Shape, Moves>

export function movesOf(shape: Shape, known: Known): Moves {
  const before = known.get(shape)
  if (before) return before
  // Until it is made, for whoever it has within.
  known.set(shape, { write: (c) => made.write(c), skip: (c) => made.skip(c) })
  const made = make(shape, known)
  known.set(shape, made)
  return made
}

function make(shape: Shape, known: Known): Moves {
  switch (shape.kind) {
    case 'null':
      return { write: putNull, skip: () => {} }
    case 'boolean':
      return { write: (c) => putAscii(c, readFlag(c) ? 'true' : 'false'), skip: (c) => take(c, 1) }
    case 'int':
    case 'long':
      return { write: putInWords(shape, meaningOf(shape)) ?? putInteger(shape.kind), skip: readLong }
    case 'float':
      return { write: (c) => putFloat(c, readFloating(c, 4)), skip: (c) => take(c, 4) }
    case 'double':
      return { write: (c) => putDouble(c, readFloating(c, 8)), skip: (c) => take(c, 8) }
    case 'string':
      return { write: (c) => putText(c, takeCounted(c), c.at), skip: takeCounted }
    case 'bytes':
      return { write: putInWords(shape, meaningOf(shape)) ?? ((c) => putBase64(c, takeCounted(c), c.at)), skip: takeCounted }
    case 'fixed':
      return {
        write: isUuid(shape) ? putUuid : (putInWords(shape, meaningOf(shape)) ?? ((c) => putBase64(c, take(c, shape.size), c.at))),
        skip: (c) => take(c, shape.size),
      }
    case 'enum': {
      const symbols = shape.symbols.map((one) => Buffer.from(JSON.stringify(one)))
      return { write: (c) => putBytes(c, chosen(symbols, readCount(c), 'an enum has a symbol')), skip: readLong }
    }
    case 'union': {
      const moves = shape.branches.map((one) => movesOf(one, known))
      return { write: pick(moves.map(({ write }) => write)), skip: pick(moves.map(({ skip }) => skip)) }
    }
    case 'record': {
      const fields = shape.fields.map((one) => ({ name: one.name, ...movesOf(one.shape, known) }))
      const skip: Move = (c) => {
        enter(c, fields.length)
        for (let i = 0; i < fields.length; i++) fields[i]!.skip(c)
        c.depth--
      }
      return { write: recordWriter(fields), skip }
    }
    case 'array':
    case 'map': {
      const item = movesOf(shape.items, known)
      return { write: shape.kind === 'array' ? arrayWriter(item) : mapWriter(item), skip: itemsSkipper(item, shape.kind === 'map') }
    }
  }
}

export const putNull: Move = (c) => putAscii(c, 'null')
export const putInteger = (kind: 'int' | 'long'): Move =>
  kind === 'long'
    ? (c) => {
        readLong(c)
        putLong(c, long[0]!, long[1]!)
      }
    : (c) => {
        readLong(c)
        if (long[1] !== long[0]! >> 31) throw new Unreadable('an int has more than 32 bits')
        putLong(c, long[0]!, long[1]!)
      }

function readFlag(c: Cursor): boolean {
  const byte = c.bytes[take(c, 1)]!
  if (byte > 1) throw new Unreadable('a flag is neither true nor false')
  return byte === 1
}

const dashes = [4, 6, 8, 10]
const hex = Buffer.from('0123456789abcdef')

function putUuid(c: Cursor): void {
  const from = take(c, 16)
  putByte(c, 0x22)
  for (let i = 0; i < 16; i++) {
    if (dashes.includes(i)) putByte(c, 0x2d)
    putByte(c, hex[c.bytes[from + i]! >> 4]!)
    putByte(c, hex[c.bytes[from + i]! & 15]!)
  }
  putByte(c, 0x22)
}
