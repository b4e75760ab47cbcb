/** The loan file read anew, straight from the rules for its cells: slow, plain, and sharing no code with the product. */
import { gunzipSync } from 'node:zlib'

/** The nine cells as the warehouse should show them. */
export type Loan = {
  readonly seq: number
  readonly year: number
  readonly score: number | null
  readonly cells: readonly (string | number | null)[]
}
/** `year` is the one it goes with: that of the valid row before it, or of the first one at the head of the file. */
type Reject = { readonly seq: number; readonly line: number; readonly column: string; readonly year: number }
export type LoanFile = { readonly loans: readonly Loan[]; readonly rejects: readonly Reject[] }

type Kind = 'number' | 'day' | 'text'
const columns: readonly (readonly [name: string, kind: Kind, required: boolean])[] = [
  ['Amount Requested', 'number', true],
  ['Application Date', 'day', true],
  ['Loan Title', 'text', false],
  ['Risk_Score', 'number', false],
  ['Debt-To-Income Ratio', 'text', false],
  ['Zip Code', 'text', false],
  ['State', 'text', false],
  ['Employment Length', 'text', false],
  ['Policy Code', 'number', false],
]

export function readLoanFile(bytes: Buffer): LoanFile {
  // One character a byte: cells are decoded one by one, so that a bad one is known.
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('latin1')
  const loans: Loan[] = []
  const rejects: Omit<Reject, 'year'>[] = []
  const followed: number[] = []
  let seq = 0
  let line = 2
  for (let at = text.indexOf('\n') + 1; at < text.length;) {
    const raw = recordAt(text, at)
    const record = text.slice(at, raw.end)
    at = raw.end
    if (record !== '\n' && record !== '\r\n') {
      seq++
      const fault = faultOf(raw.cells)
      if (fault === undefined) loans.push(loanOf(seq, raw.cells))
      else {
        rejects.push({ seq, line, column: fault })
        followed.push(loans.length - 1)
      }
    }
    line += record.split('\n').length - 1
  }
  return { loans, rejects: rejects.map((reject, i) => ({ ...reject, year: loans[Math.max(0, followed[i]!)]!.year })) }
}

/** The rows of any CSV text, header included, as their cells. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = []
  for (let at = 0; at < text.length;) {
    const { cells, end } = recordAt(text, at)
    rows.push(cells.map(({ bytes }) => bytes))
    at = end
  }
  return rows
}

/** What stands between its commas, without its quotes; `stray` when more stands behind a closing quote. */
type RawCell = { readonly bytes: string; readonly stray: boolean }

function recordAt(text: string, start: number): { readonly cells: readonly RawCell[]; readonly end: number } {
  const quotedCell = /"((?:[^"]|"")*)"/y
  const plainCell = /[^,\n]*/y
  const cells: RawCell[] = []
  for (let at = start; ; at++) {
    quotedCell.lastIndex = at
    const quoted = quotedCell.exec(text)
    plainCell.lastIndex = quoted ? quotedCell.lastIndex : at
    let rest = plainCell.exec(text)![0]
    at = plainCell.lastIndex
    const last = at >= text.length || text[at] === '\n'
    if (last && rest.endsWith('\r')) rest = rest.slice(0, -1)
    cells.push(quoted ? { bytes: quoted[1]!.replaceAll('""', '"'), stray: rest !== '' } : { bytes: rest, stray: false })
    if (last) return { cells, end: Math.min(at + 1, text.length) }
  }
}

/** The column at fault: how cells are written first, then how many there are, then what they say. */
function faultOf(cells: readonly RawCell[]): string | undefined {
  const nameAt = (index: number) => columns[index]?.[0] ?? String(index + 1)
  const illWritten = cells.findIndex(({ bytes, stray }) => stray || decoded(bytes) === undefined)
  if (illWritten >= 0) return nameAt(illWritten)
  if (cells.length !== columns.length) return nameAt(Math.min(cells.length, columns.length))
  const wrong = columns.findIndex(([, kind, required], i) => (cells[i]!.bytes === '' ? required : !says(kind, decoded(cells[i]!.bytes)!)))
  return wrong < 0 ? undefined : nameAt(wrong)
}

function says(kind: Kind, text: string): boolean {
  if (kind === 'number') return /^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(text) && Number.isFinite(Number(text))
  if (kind === 'text') return true
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

function decoded(bytes: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}

function loanOf(seq: number, raw: readonly RawCell[]): Loan {
  const cells = columns.map(([, kind], i) => {
    const text = decoded(raw[i]!.bytes)!
    return text === '' ? null : kind === 'number' ? Number(text) : text
  })
  return { seq, year: Number(String(cells[1]).slice(0, 4)), score: cells[3] as number | null, cells }
}
