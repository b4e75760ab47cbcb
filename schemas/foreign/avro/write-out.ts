/**
 * Makes of a schema what writes its messages out as JSON, and what skips them. Columns are written as `SentType` has it; what lies deeper
 * has no type there, so its days, moments and decimals are written in words.
 */
import { Unreadable } from '../../avro/generic.ts'
import { long } from '../../wire.ts'
import type { SentType } from '../sent.ts'
import { putInWords } from './in-words.ts'
import { putAscii, putBase64, putByte, putBytes, putDouble, putFloat, putLong, putText, type Cursor } from './json-out.ts'
import { isUuid, meaningOf } from './meaning.ts'
import { eachItem, enter, readCount, readFloating, readLong, take, takeCounted } from './read.ts'
import type { Shape } from './shape.ts'

type Move = (c: Cursor) => void
type Moves = { readonly write: Move; readonly skip: Move }

/**
 * How a field of a record is written: as a column; as null, since nobody reads it and only its name tells something; or as a row, whose
 * fields are columns in turn.
 */
export type Columns = (name: string) => 'column' | 'unread' | Columns

type Written = { readonly write: Move; readonly type: SentType }

const plain: SentType = { is: 'plain' }

/** What a whole message is: mostly a record, whose fields are columns. */
export const written = (shape: Shape, columns: Columns): Written => member(shape, columns, new Map())

function member(shape: Shape, how: ReturnType<Columns>, known: Known): Written {
  const inner = branchOf(shape)
  if (typeof how === 'function' && inner?.kind === 'record') {
    const { write, type } = row(inner, how, known)
    return { write: throughUnion(shape, inner, write, known), type }
  }
  const made = column(shape, known)
  return how === 'unread' ? { ...made, write: asNull(movesOf(shape, known)) } : made
}

function row(shape: Extract<Shape, { kind: 'record' }>, columns: Columns, known: Known): Written {
  const types = new Map<string, SentType>()
  const fields = shape.fields.map(({ name, shape: one }) => {
    const { write, type } = member(one, columns(name), known)
    types.set(name, type)
    return { name, write }
  })
  return { write: recordWriter(fields), type: { is: 'struct', fields: types } }
}

/** A value with its type beside it. */
function column(shape: Shape, known: Known): Written {
  const only = branchOf(shape)
  if (!only) return { write: movesOf(shape, known).write, type: plain }
  const type = meaningOf(only)
  const write = type.is === 'plain' ? movesOf(only, known).write : bare(only, known)
  return { write: throughUnion(shape, only, write, known), type }
}

/** What JSON can say of it without its type. */
function bare(shape: Shape, known: Known): Move {
  switch (shape.kind) {
    case 'int':
    case 'long':
      return putInteger(shape.kind)
    case 'bytes':
      return (c) => putBase64(c, takeCounted(c), c.at)
    case 'fixed':
      return (c) => putBase64(c, take(c, shape.size), c.at)
    case 'record':
      return recordWriter(shape.fields.map(({ name, shape: one }) => ({ name, ...movesOf(one, known), write: bareOrNull(one, known) })))
    default:
      return movesOf(shape, known).write
  }
}

const bareOrNull = (shape: Shape, known: Known): Move => {
  const only = branchOf(shape)
  return only ? throughUnion(shape, only, bare(only, known), known) : movesOf(shape, known).write
}

/** What a value is when it is not null; undefined where that may be of several kinds. */
function branchOf(shape: Shape): Exclude<Shape, { kind: 'union' }> | undefined {
  if (shape.kind !== 'union') return shape
  const others = shape.branches.filter(({ kind }) => kind !== 'null')
  return others.length === 1 && others[0]!.kind !== 'union' ? (others[0] as Exclude<Shape, { kind: 'union' }>) : undefined
}

function throughUnion(shape: Shape, only: Shape, write: Move, known: Known): Move {
  if (shape.kind !== 'union') return write
  return pick(shape.branches.map((one) => (one === only ? write : movesOf(one, known).write)))
}

/** One for each type that has a name, so that a record may have records of its own kind. */
type Known = Map<Shape, Moves>

function movesOf(shape: Shape, known: Known): Moves {
  const before = known.get(shape)
  if (before) return before
  let made: Moves | undefined
  // Until it is made, for whoever it has within.
  known.set(shape, { write: (c) => made!.write(c), skip: (c) => made!.skip(c) })
  made = make(shape, known)
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
      return { write: putInWords(shape, meaningOf(shape)) ?? bare(shape, known), skip: takeCounted }
    case 'fixed':
      return {
        write: isUuid(shape) ? putUuid : (putInWords(shape, meaningOf(shape)) ?? bare(shape, known)),
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

const putNull: Move = (c) => putAscii(c, 'null')
const asNull =
  ({ skip }: Moves): Move =>
  (c) => {
    skip(c)
    putNull(c)
  }

const pick =
  (moves: readonly Move[]): Move =>
  (c) =>
    chosen(moves, readCount(c), 'a union has a branch')(c)

function chosen<T>(all: readonly T[], index: number, what: string): T {
  const one = all[index]
  if (one === undefined) throw new Unreadable(`${what} that its schema has not`)
  return one
}

const [comma, opened, closed] = [0x2c, 0x7b, 0x7d]

function recordWriter(fields: readonly { readonly name: string; readonly write: Move }[]): Move {
  const names = fields.map(({ name }) => Buffer.from(`,${JSON.stringify(name)}:`))
  const writes = fields.map(({ write }) => write)
  return (c) => {
    enter(c, writes.length)
    const start = c.used
    for (let i = 0; i < writes.length; i++) {
      putBytes(c, names[i]!)
      writes[i]!(c)
    }
    close(c, start, opened, closed)
    c.depth--
  }
}

/** Each of the things within has a comma before it: the first one's place is the bracket's. */
function close(c: Cursor, start: number, open: number, end: number): void {
  if (c.used === start) putByte(c, open)
  else c.out[start] = open
  putByte(c, end)
}

const arrayWriter =
  ({ write }: Moves): Move =>
  (c) => {
    const start = c.used
    eachItem(
      c,
      () => {
        putByte(c, comma)
        write(c)
      },
      false,
    )
    close(c, start, 0x5b, 0x5d)
  }

const mapWriter =
  ({ write }: Moves): Move =>
  (c) => {
    const start = c.used
    eachItem(
      c,
      () => {
        putByte(c, comma)
        putText(c, takeCounted(c), c.at)
        putByte(c, 0x3a)
        write(c)
      },
      false,
    )
    close(c, start, opened, closed)
  }

const itemsSkipper =
  ({ skip }: Moves, named: boolean): Move =>
  (c) =>
    eachItem(
      c,
      () => {
        if (named) takeCounted(c)
        skip(c)
      },
      true,
    )

const putInteger = (kind: 'int' | 'long'): Move =>
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
