/** Records, lists, maps and unions, written out as JSON and skipped, by what writes and skips the values within. */
import { Unreadable } from '../../avro/generic.ts'
import { putByte, putBytes, putText, type Cursor } from './json-out.ts'
import { eachItem, enter, readCount, takeCounted } from './read.ts'

/** Goes behind one value. */
export type Move = (c: Cursor) => void
export type Moves = { readonly write: Move; readonly skip: Move }

export const pick =
  (moves: readonly Move[]): Move =>
  (c) =>
    chosen(moves, readCount(c), 'a union has a branch')(c)

export function chosen<T>(all: readonly T[], index: number, what: string): T {
  const one = all[index]
  if (one === undefined) throw new Unreadable(`${what} that its schema has not`)
  return one
}

const [comma, opened, closed] = [0x2c, 0x7b, 0x7d]

export function recordWriter(fields: readonly { readonly name: string; readonly write: Move }[]): Move {
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

export const arrayWriter =
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

export const mapWriter =
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

export const itemsSkipper =
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
