/** How columns lie in SQL tables of rows by key, and how they are moved in and out, many rows at a time. */
import { wholeTexts } from '../../values/cell-text.ts'
import { noDay, noFlag, putWhole, type Column, type Columns } from '../../values/columns.ts'
import type { TableColumn } from '../../tables.ts'
import type { Sqlite } from '../database.ts'
import { decodeTexts, fillNumbers, fillTexts, fillWith, valuesOf, type Fill, type Value } from '../fill.ts'
import { textsFrom } from '../../sql/cells.ts'

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** SQLite's integers have 18 digits for certain. */
const isWide = ({ kind, digits = 0 }: TableColumn): boolean => kind === 'decimal' && digits > 18

export const sqlType = (column: TableColumn): string =>
  column.kind === 'number' ? 'REAL' : column.kind === 'text' || isWide(column) ? 'TEXT' : 'INTEGER'

/** Fewer parameters than SQLite takes, and enough that a statement costs little for a row. */
const rowsPerStatement = 20
const mostParameters = 32_766

/** A column of a query or a statement; `int` is a number of ours. */
export type Placed = { readonly name: string; readonly column: TableColumn | 'int' }

/** Puts these columns, in that order, as rows behind each such beginning of a statement. */
export function insertColumns(db: Sqlite, into: string, { count, byName }: Columns, placed: readonly Placed[]): void {
  const fills = fillsOf({ count, byName }, placed)
  const stride = fills.length
  const perStatement = Math.min(rowsPerStatement, Math.floor(mostParameters / stride))
  const one = `(${Array(stride).fill('?').join(', ')})`
  const insert = (rows: number) => db.prepare(`${into} VALUES ${Array(rows).fill(one).join(', ')}`)
  let args: Value[] = Array(perStatement * stride).fill(null)
  for (let from = 0; from < count; from += perStatement) {
    const to = Math.min(count, from + perStatement)
    if (to - from < perStatement) args = Array((to - from) * stride).fill(null)
    for (let at = 0; at < stride; at++) fills[at]!(args, at, stride, from, to)
    insert(to - from).run(...args)
  }
}

function fillsOf({ count, byName }: Columns, placed: readonly Placed[]): readonly Fill[] {
  const columns = placed.map(({ name }) => byName.get(name)!)
  const decoded = decodeTexts(columns, count)
  return columns.map((column, at) =>
    column.kind === 'text' ? fillTexts(column, decoded.get(column.bytes)!) : fillOf(column, placed[at]!.column),
  )
}

/** What a row has of these columns, as arguments of a statement. */
export function valuesAt(columns: Columns, placed: readonly Placed[], row: number): Value[] {
  const args: Value[] = []
  for (const [at, fill] of fillsOf(columns, placed).entries()) fill(args, at, placed.length, row, row + 1)
  return args
}

function fillOf(column: Exclude<Column, { readonly kind: 'text' }>, declared: TableColumn | 'int'): Fill {
  switch (column.kind) {
    case 'number':
    case 'int':
      return fillNumbers(column.values)
    case 'long':
      return fillWith((row) => column.values[row]!)
    case 'decimal':
      // SQLite would write a double of ours as 7.0 there.
      if (declared !== 'int' && isWide(declared)) return fillWith(wholeTexts(column, String))
      return fillWith(valuesOf(column))
    case 'integer':
    case 'timestamp':
      return fillWith(valuesOf(column))
    case 'flag':
      return fillWith((row) => (column.values[row] === noFlag ? null : column.values[row]!))
    case 'date':
      return fillWith((row) => (column.days[row] === noDay ? null : column.days[row]!))
  }
}

/** Runs the query, whose results are these columns in this order. */
export function selectColumns(db: Sqlite, sql: string, selected: readonly Placed[], args: readonly Value[]): Columns {
  const cells = cellsOf(db, sql, args)
  return { count: cells.length, byName: new Map(selected.map(({ name, column }, at) => [name, columnFrom(column, cells, at)])) }
}

/** The rows of a query; whole numbers are bigints, all of them, where one of them is beyond what numbers hold. */
export type Cells = readonly (readonly Value[])[]

export function cellsOf(db: Sqlite, sql: string, args: readonly Value[]): Cells {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return exactly((big) => {
    statement.setReadBigInts(big)
    return statement.all(...args) as unknown as Cells
  })
}

/** BigInts cost time: they are asked for only where a number does not do. */
function exactly<T>(read: (big: boolean) => T): T {
  try {
    return read(false)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_OUT_OF_RANGE') throw error
    return read(true)
  }
}

export function columnFrom(column: TableColumn | 'int', cells: Cells, at: number): Column {
  const count = cells.length
  const kind = column === 'int' ? 'int' : column.kind
  switch (kind) {
    case 'text':
      return textsFrom(cells.map((row) => row[at] as string | null))
    case 'date': {
      const days = new Int32Array(count)
      for (let row = 0; row < count; row++) days[row] = cells[row]![at] === null ? noDay : Number(cells[row]![at])
      return { kind, days }
    }
    case 'flag': {
      const values = new Uint8Array(count)
      for (let row = 0; row < count; row++) values[row] = cells[row]![at] === null ? noFlag : Number(cells[row]![at])
      return { kind, values }
    }
    case 'int':
    case 'number':
      return { kind, values: numbersFrom(cells, at) }
    default: {
      const values = new Float64Array(count)
      const wide = new Map<number, bigint>()
      for (let row = 0; row < count; row++) {
        const cell = cells[row]![at]!
        if (cell === null) values[row] = NaN
        else if (typeof cell === 'number') values[row] = cell
        else putWhole(values, wide, row, BigInt(cell))
      }
      const wholes = { values, ...(wide.size > 0 && { wide }) }
      return kind === 'decimal' ? { kind, scale: (column as TableColumn).scale ?? 0, ...wholes } : { kind, ...wholes }
    }
  }
}

function numbersFrom(cells: Cells, at: number): Float64Array {
  const values = new Float64Array(cells.length)
  for (let row = 0; row < cells.length; row++) values[row] = cells[row]![at] === null ? NaN : Number(cells[row]![at])
  return values
}
