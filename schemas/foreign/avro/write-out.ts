/**
 * Makes of a schema what writes its messages out as JSON. Columns are written as `SentType` has it; what lies deeper has no type beside it,
 * so its days, moments and decimals are written in words.
 */
import type { SentType } from '../sent.ts'
import { pick, recordWriter, type Move, type Moves } from './containers.ts'
import { putBase64 } from './json-out.ts'
import { meaningOf } from './meaning.ts'
import { movesOf, putInteger, putNull, type Known } from './moves.ts'
import { take, takeCounted } from './read.ts'
import type { Shape } from './shape.ts'

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

const asNull =
  ({ skip }: Moves): Move =>
  (c) => {
    skip(c)
    putNull(c)
  }
