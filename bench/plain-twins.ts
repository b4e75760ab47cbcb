/**
 * The plain twins that the fast paths are measured against: what a straightforward program does, without a thought for speed or for what
 * may be odd.
 */
import avsc from 'avsc'
import { headerBytes } from '../schemas/wire.ts'
import type { Batch } from '../utilities/log.ts'

/**
 * Means of the last 50 and 100 and an exponential average over 50: the last hundred values are kept, and summed anew for each row, in
 * doubles.
 */
export function summedAnew(): (input: Float64Array) => Float64Array[] {
  const window: number[] = []
  let level = NaN
  return (input) => {
    const outputs = [new Float64Array(input.length), new Float64Array(input.length), new Float64Array(input.length)] as const
    input.forEach((value, row) => {
      if (window.push(value) > 100) window.shift()
      outputs[0][row] = meanOf(window, Math.max(0, window.length - 50))
      outputs[1][row] = meanOf(window, 0)
      if (value === value) level = level === level ? level + (2 / 51) * (value - level) : value
      outputs[2][row] = rounded(level)
    })
    return [...outputs]
  }
}

/** A window and a mean for every key. */
export function summedAnewPerKey(input: Float64Array, keys: readonly string[], last: number): Float64Array {
  const windows = new Map<string, number[]>()
  return input.map((value, row) => {
    const window = windows.get(keys[row]!) ?? []
    windows.set(keys[row]!, window)
    if (window.push(value) > last) window.shift()
    return meanOf(window, 0)
  })
}

/** The records of the last days, found by looking back from each. They must be in order of days. */
export function summedAnewByDays(input: Float64Array, days: Int32Array, length: number): Float64Array {
  return input.map((_, row) => {
    let first = row
    while (first > 0 && days[first - 1]! > days[row]! - length) first--
    return meanOf(input.subarray(first, row + 1), 0)
  })
}

function meanOf(window: ArrayLike<number>, from: number): number {
  let total = 0
  let present = 0
  for (let i = from; i < window.length; i++) {
    const value = window[i]!
    if (value !== value) continue
    total += value
    present++
  }
  return rounded(total / present)
}

const rounded = (value: number) => Math.round(value * 1000) / 1000

/** A cell at a time, of text that has no odd lines. */
export function splitCsv(text: string): string[][] {
  const rows: string[][] = []
  let cells: string[] = []
  for (let at = 0; at < text.length;) {
    let cell = ''
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (text[at] === '"') at++
        cell += text[at]!
      }
      at++
    } else {
      const from = at
      while (text[at] !== ',' && text[at] !== '\n') at++
      cell = text.slice(from, at)
    }
    cells.push(cell)
    if (text[at++] === '\n') {
      rows.push(cells)
      cells = []
    }
  }
  return rows
}

const plainNumber = (cell: string) => (cell === '' ? null : Number(cell))
const plainText = (cell: string) => (cell === '' ? null : cell)

/** What a program of objects makes of a row of the loan file. */
export const loanOf = ([amount, date, title, score, debt, zip, state, employment, policy]: readonly string[], seq: number) => ({
  seq,
  amount_requested: Number(amount),
  application_date: Date.parse(date!) / 86_400_000,
  loan_title: plainText(title!),
  risk_score: plainNumber(score!),
  debt_to_income_ratio: plainText(debt!),
  zip_code: plainText(zip!),
  state: plainText(state!),
  employment_length: plainText(employment!),
  policy_code: plainNumber(policy!),
})

export type PlainLoan = ReturnType<typeof loanOf>

/** avsc as its own documentation shows it. */
export const avscType = (schema: object) => avsc.Type.forSchema(schema as avsc.Schema)

/** A message at a time, each behind the header. */
export const framedPlainly = (type: avsc.Type, values: readonly object[], header: Uint8Array): Buffer[] =>
  values.map((value) => Buffer.concat([header, type.toBuffer(value)]))

export const messagesOf = ({ bytes, ends }: Batch): Buffer[] => {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from(ends, (end, i) => whole.subarray(i === 0 ? 0 : ends[i - 1]!, end))
}

export const readPlainly = (type: avsc.Type, messages: readonly Buffer[]): object[] =>
  messages.map((message) => type.fromBuffer(message.subarray(headerBytes)) as object)
