/** Values as they stand in a statement, and rows as INSERT statements that are short enough for the Data API. */
import { noDay, type Column, type Columns } from '../values/columns.ts'
import { textsOf, wholeTexts, type TextAt } from '../values/cell-text.ts'
import { dayText } from '../values/day.ts'
import { timestampText } from '../values/timestamp.ts'
import { identifier } from '../sql/names.ts'

/** It takes 100 KB. */
const mostStatementBytes = 95_000

/**
 * Reads the same whether or not a backslash is an escape: none is written. Another character stands in its place, one that the text does
 * not have, and is replaced on the other side, so that no text grows by more than its quotation marks.
 */
export function textLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  if (!text.includes('\\')) return quoted
  const other = standIn(text)
  return `REPLACE(${quoted.replaceAll('\\', other)}, '${other}', CHR(92))`
}

function standIn(text: string): string {
  const simple = ['|', '~', '^', '#', '@'].find((one) => !text.includes(one))
  if (simple) return simple
  let code = 0x100
  while (text.includes(String.fromCharCode(code))) code++
  return String.fromCharCode(code)
}

/** Every digit that the double needs. Beyond what reads as a plain decimal, the type is said. */
export function numberLiteral(value: number): string {
  const text = String(value)
  return /^-?\d+(\.\d+)?$/.test(text) ? text : `'${text}'::float8`
}

const integerLiteral = (value: bigint) => (value === -(2n ** 63n) ? `'${value}'::bigint` : String(value))

type Writer = (row: number) => string

function writerOf(column: Column): Writer {
  switch (column.kind) {
    case 'number':
    case 'int':
      return (row) => (Number.isNaN(column.values[row]!) ? 'NULL' : numberLiteral(column.values[row]!))
    case 'long':
      return (row) => integerLiteral(column.values[row]!)
    case 'date':
      return (row) => (column.days[row] === noDay ? 'NULL' : `'${dayText(column.days[row]!)}'`)
    case 'integer':
      return orNull(wholeTexts(column, (value) => integerLiteral(BigInt(value))))
    case 'timestamp':
      return orNull(wholeTexts(column, (value) => `'${timestampText(value)}'`))
    case 'decimal':
    case 'flag':
      return orNull(textsOf(column))
    case 'text': {
      const textAt = textsOf(column)
      return (row) => {
        const text = textAt(row)
        return text === null ? 'NULL' : textLiteral(text)
      }
    }
  }
}

const orNull =
  (textAt: TextAt): Writer =>
  (row) =>
    textAt(row) ?? 'NULL'

type Insert = { readonly text: string; /** The row behind its last. */ readonly to: number }

/** INSERT statements for the rows, in order; undefined in place of one when a row is longer than a statement can be. */
export function* inserts(table: string, { count, byName }: Columns, mostBytes = mostStatementBytes): Generator<Insert | undefined> {
  const head = `INSERT INTO ${table} (${[...byName.keys()].map(identifier).join(', ')}) VALUES\n`
  const writers = [...byName.values()].map(writerOf)
  let lines: string[] = []
  let bytes = head.length
  for (let row = 0; row < count; row++) {
    const line = `(${writers.map((write) => write(row)).join(', ')})`
    const size = Buffer.byteLength(line) + 2
    if (lines.length > 0 && bytes + size > mostBytes) {
      yield { text: head + lines.join(',\n'), to: row }
      lines = []
      bytes = head.length
    }
    if (bytes + size > mostBytes) yield undefined
    lines.push(line)
    bytes += size
  }
  if (lines.length > 0) yield { text: head + lines.join(',\n'), to: count }
}
