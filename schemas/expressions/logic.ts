/** Flags, with the three values of SQL: whoever decides a row alone lets the other side of and, or or be what it is. */
import { noFlag, type FlagColumn } from '../../utilities/values/columns.ts'
import { bothBad, nullsOf, type Bad, type Values } from './values.ts'

export type Flags = Values<FlagColumn>

export const flags = (values: Uint8Array, bad?: Bad): Flags => ({ column: { kind: 'flag', values }, bad })

export const and = (a: Flags, b: Flags): Flags => joined(a, b, 0)
export const or = (a: Flags, b: Flags): Flags => joined(a, b, 1)

/** `decisive` on either side is the result; else null on either side is. */
function joined(a: Flags, b: Flags, decisive: 0 | 1): Flags {
  const [x, y] = [a.column.values, b.column.values]
  const values = new Uint8Array(x.length)
  for (let row = 0; row < x.length; row++)
    values[row] = x[row] === decisive || y[row] === decisive ? decisive : x[row] === noFlag || y[row] === noFlag ? noFlag : 1 - decisive
  // The left side goes first, as in PostgreSQL.
  const second = b.bad && new Map([...b.bad].filter(([row]) => x[row] !== decisive))
  return flags(values, bothBad(a.bad, second))
}

export const not = ({ column, bad }: Flags): Flags =>
  flags(
    column.values.map((value) => (value === noFlag ? noFlag : 1 - value)),
    bad,
  )

export const isNull = ({ column, bad }: Values): Flags => flags(nullsOf(column), bad)

export const is =
  (wanted: 0 | 1) =>
  ({ column, bad }: Flags): Flags =>
    flags(
      column.values.map((value) => (value === wanted ? 1 : 0)),
      bad,
    )
