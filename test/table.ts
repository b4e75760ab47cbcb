/** Reads a drawn table: a line of column names, then a line per row; `-` is null, a number is a number, anything else is text. */

export type Cell = number | string | null

export const table = <Row = { readonly [column: string]: number | null }>(
  drawing: TemplateStringsArray,
  ...values: readonly Cell[]
): readonly Row[] => {
  const text = String.raw({ raw: drawing.raw }, ...values.map((value) => value ?? '-'))
  const [header, ...lines] = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return lines.map((cells) => {
    if (cells.length !== header!.length)
      throw new Error(`a row of the table has ${cells.length} cells, not ${header!.length}: ${cells.join(' | ')}`)
    return Object.fromEntries(header!.map((name, column) => [name, read(cells[column]!)])) as Row
  })
}

const read = (cell: string): Cell => {
  if (cell === '-') return null
  return cell !== '' && Number.isFinite(Number(cell)) ? Number(cell) : cell
}
