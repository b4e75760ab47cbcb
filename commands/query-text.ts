/** Rows of a query as text, part by part: CSV and JSON for machines, to be put one behind the other. */
import type { Cell } from '../utilities/sql/cells.ts'

type ResultPart = { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }

export interface PartsText {
  /** The first part tells the columns. */
  part(part: ResultPart): string
  /** What stands behind the last one. */
  end(): string
}

export function csvParts(): PartsText {
  let begun = false
  return {
    part({ columns, rows }) {
      const lines = begun ? rows : [columns, ...rows]
      begun = true
      return lines.map((row) => `${row.map(csvCell).join(',')}\n`).join('')
    },
    end: () => '',
  }
}

const csvCell = (cell: Cell): string => {
  if (cell === null) return ''
  const text = String(cell)
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** An array of objects; two columns of one name would be one. */
export function jsonParts(): PartsText {
  let before = '[\n'
  let names: readonly string[] | undefined
  return {
    part({ columns, rows }) {
      names ??= columns.map((name) => `    ${JSON.stringify(name)}: `)
      let text = ''
      for (const row of rows) {
        text += `${before}  {\n${row.map((cell, i) => names![i] + jsonCell(cell)).join(',\n')}\n  }`
        before = ',\n'
      }
      return text
    },
    end: () => (before === '[\n' ? '[]\n' : '\n]\n'),
  }
}

/** JSON has no word for infinities, and its readers take integers for doubles: both are texts where that matters. */
const jsonCell = (cell: Cell): string => {
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : `"${cell}"`
  return typeof cell === 'bigint' ? `"${cell}"` : JSON.stringify(cell)
}

export const nameTwice = (columns: readonly string[]): string | undefined => columns.find((name, i) => columns.indexOf(name) < i)
