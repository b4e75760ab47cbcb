/**
 * Chooses for each row which of several columns its value is of: case, coalesce and nullif. What a row does not choose cannot make it bad.
 */
import { putWhole, wholeAt, nullColumn, type Column, type TextColumn } from '../../utilities/values/columns.ts'
import { compare } from './comparisons.ts'
import type { Kind } from './kind.ts'
import type { Flags } from './logic.ts'
import { gatherTexts } from './texts.ts'
import { bothBad, nullsOf, type Bad, type Values, type WholesColumn } from './values.ts'

/** No branch: null. */
const none = -1

/** The first branch whose condition is true; the last one has none. */
export function chooseWhen(kind: Kind, conditions: readonly Flags[], branches: readonly Values[], count: number): Values {
  const which = new Int32Array(count).fill(conditions.length)
  const bad = new Map<number, string>()
  for (let row = 0; row < count; row++) {
    for (const [i, condition] of conditions.entries()) {
      const reason = condition.bad?.get(row)
      if (reason !== undefined) bad.set(row, reason)
      if (reason === undefined && condition.column.values[row] !== 1) continue
      which[row] = reason === undefined ? i : none
      break
    }
  }
  return chosen(kind, branches, which, bad)
}

/** The first that is not null. */
export function coalesce(kind: Kind, branches: readonly Values[], count: number): Values {
  const nulls = branches.map(({ column }) => nullsOf(column))
  const which = new Int32Array(count)
  for (let row = 0; row < count; row++) {
    let at = 0
    while (at < branches.length && nulls[at]![row] === 1 && !branches[at]!.bad?.has(row)) at++
    which[row] = at < branches.length ? at : none
  }
  return chosen(kind, branches, which)
}

/** The first, where it does not equal the second; both for comparison are of one kind. */
export function nullIf(kind: Kind, value: Values, left: Values, right: Values, count: number): Values {
  const { column, bad } = compare('=', left, right)
  return chosen(
    kind,
    [value],
    Int32Array.from({ length: count }, (_, row) => (column.values[row] === 1 ? none : 0)),
    bad,
  )
}

/** All columns are of the kind. */
function chosen(kind: Kind, branches: readonly Values[], which: Int32Array, already?: Bad): Values {
  const columns = branches.map(({ column }) => column)
  const empty = nullColumn({ ...kind, kind: kind.kind === 'null' ? 'text' : kind.kind }, which.length)
  const bad = new Map<number, string>()
  for (const [i, branch] of branches.entries()) for (const [row, reason] of branch.bad ?? []) if (which[row] === i) bad.set(row, reason)
  return { column: filled(empty, columns, which), bad: bothBad(already, bad) }
}

function filled(empty: Column, columns: readonly Column[], which: Int32Array): Column {
  const into = <C extends Column, A extends Gathered>(own: C, valuesOf: (column: C) => A) =>
    gather(
      columns.map((column) => valuesOf(column as C)),
      which,
      valuesOf(own),
    )
  switch (empty.kind) {
    case 'text':
      return gatherTexts(columns as readonly TextColumn[], which)
    case 'date':
      return { ...empty, days: into(empty, ({ days }) => days) }
    case 'flag':
      return { ...empty, values: into(empty, ({ values }) => values) }
    case 'number':
      return { ...empty, values: into(empty, ({ values }) => values) }
    default:
      return wholes(empty as WholesColumn, columns as readonly WholesColumn[], which)
  }
}

type Gathered = Float64Array | Int32Array | Uint8Array

function gather<A extends Gathered>(from: readonly A[], which: Int32Array, to: A): A {
  for (let row = 0; row < to.length; row++) if (which[row]! >= 0) to[row] = from[which[row]!]![row]!
  return to
}

function wholes(empty: WholesColumn, columns: readonly WholesColumn[], which: Int32Array): WholesColumn {
  const values = gather(
    columns.map((column) => column.values),
    which,
    empty.values,
  )
  const wide = new Map<number, bigint>()
  for (const [i, column] of columns.entries())
    for (const row of column.wide?.keys() ?? []) if (which[row] === i) putWhole(values, wide, row, wholeAt(column, row)!)
  return { ...empty, values, ...(wide.size > 0 ? { wide } : {}) }
}
