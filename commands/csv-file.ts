/** Rows as a CSV file of RFC 4180: a null is empty, an empty text is quoted. */
import { isAscii } from 'node:buffer'
import { open } from 'node:fs/promises'
import type { RowFiles } from '../use-cases/row-files.ts'
import { noDay, type Column, type TextColumn } from '../utilities/values/columns.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { csvCell } from '../utilities/values/csv-cell.ts'
import { dayText } from '../utilities/values/day.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'

export async function openCsv(path: string, columns: readonly SqlColumn[]): Promise<RowFiles> {
  const file = await open(path, 'wx')
  await file.appendFile(`${columns.map(({ name }) => csvCell(name)).join(',')}\r\n`)
  return {
    async append({ count, byName }) {
      const textOf = reader()
      const [first, ...others] = columns.map(({ name }) => cellsOf(byName.get(name)!, count, textOf)) as [string[], ...string[][]]
      let lines = ''
      for (let row = 0; row < count; row++) {
        let line = first[row]!
        for (const cells of others) line += `,${cells[row]!}`
        lines += `${line}\r\n`
      }
      await file.appendFile(lines)
    },
    finish: async () => {},
    close: () => file.close(),
  }
}

function cellsOf(column: Column, count: number, textOf: TextOf): string[] {
  switch (column.kind) {
    case 'number':
    case 'int':
      return written(column.values, count, (value) => (Number.isNaN(value) ? '' : String(value)))
    case 'long':
      return written(column.values, count, String)
    case 'date':
      return written(column.days, count, (day) => (day === noDay ? '' : dayText(day)))
    case 'integer':
    case 'decimal':
    case 'timestamp':
    case 'flag': {
      const textAt = textsOf(column)
      return Array.from({ length: count }, (_, row) => textAt(row) ?? '')
    }
    case 'text':
      return textCells(column, count, textOf(column.bytes))
  }
}

/** A value like the one before it is not written out again: many columns go on with the same one for many rows. */
function written<Value>(values: { readonly [row: number]: Value }, count: number, write: (value: Value) => string): string[] {
  const cells = new Array<string>(count)
  for (let row = 0; row < count; row++) {
    const value = values[row]!
    cells[row] = row > 0 && Object.is(value, values[row - 1]) ? cells[row - 1]! : write(value)
  }
  return cells
}

type TextAt = (start: number, end: number) => string
type TextOf = (bytes: Uint8Array) => TextAt

/** Where all is ASCII, a text is had faster as a part of one large string than by decoding each; columns of a batch share their bytes. */
function reader(): TextOf {
  const known = new Map<Uint8Array, TextAt>()
  const open = (bytes: Uint8Array): TextAt => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (!isAscii(buffer)) return (start, end) => buffer.toString('utf8', start, end)
    const ascii = buffer.toString('latin1')
    return (start, end) => ascii.substring(start, end)
  }
  return (bytes) => known.get(bytes) ?? known.set(bytes, open(bytes)).get(bytes)!
}

function textCells({ starts, ends }: TextColumn, count: number, textAt: TextAt): string[] {
  const cells = new Array<string>(count)
  for (let row = 0; row < count; row++) cells[row] = starts[row]! < 0 ? '' : quoted(textAt(starts[row]!, ends[row]!))
  return cells
}

const quoted = (text: string): string => (text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
