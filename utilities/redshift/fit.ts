/** Makes rows fit their table: texts no longer than their column, in bytes. */
import { isUtf8 } from 'node:buffer'
import { columnOf, type Columns, type TextColumn } from '../values/columns.ts'
import { Problem } from '../values/problem.ts'
import type { StoredColumn } from '../sql/declared.ts'

export type TooLong = 'stop' | 'cut'
export type Fitted = { readonly rows: Columns; /** How many texts were cut, by column. */ readonly cut: ReadonlyMap<string, number> }

/**
 * A text that its column cannot hold stops everything, or is cut at the end of a character; NUL, which no column can hold, is then left
 * out.
 */
export function fit(set: string, rows: Columns, stored: readonly StoredColumn[], tooLong: TooLong): Fitted {
  const cut = new Map<string, number>()
  const byName = new Map(
    [...rows.byName].map(([name, column]) => {
      const limit = Number(/^VARCHAR\((\d+)\)$/.exec(stored.find((one) => one.name === name)?.type ?? '')?.[1] ?? NaN)
      if (column.kind !== 'text' || Number.isNaN(limit)) return [name, column]
      const shorter = new Map<number, Buffer>()
      for (let row = 0; row < rows.count; row++) {
        const found = faultOf(column, row, limit)
        if (!found) continue
        if (tooLong === 'stop') throw refusal(set, name, columnOf(rows, '_seq', 'int').values[row]!, found, limit)
        shorter.set(row, shortened(found.text, limit))
      }
      if (shorter.size === 0) return [name, column]
      cut.set(name, shorter.size)
      return [name, withTexts(column, shorter)]
    }),
  )
  return { rows: { count: rows.count, byName }, cut }
}

type Fault = { readonly text: Buffer; readonly nul: boolean }

/** Only a look at the bytes, unless something is odd about them: this is on every text's way. */
function faultOf({ bytes, starts, ends }: TextColumn, row: number, limit: number): Fault | undefined {
  const [start, end] = [starts[row]!, ends[row]!]
  if (start < 0) return undefined
  let [nul, wide] = [false, false]
  for (let i = start; i < end; i++) {
    if (bytes[i] === 0) nul = true
    else if (bytes[i]! > 0x7f) wide = true
  }
  if (!nul && !wide && end - start <= limit) return undefined
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  // What is not UTF-8 is written as the replacement character, which may be longer.
  const text = wide && !isUtf8(raw) ? Buffer.from(raw.toString('utf8')) : raw
  return nul || text.length > limit ? { text, nul } : undefined
}

function shortened(text: Buffer, limit: number): Buffer {
  const whole = text.includes(0) ? text.filter((byte) => byte !== 0) : text
  let end = Math.min(limit, whole.length)
  while (end > 0 && end < whole.length && (whole[end]! & 0xc0) === 0x80) end--
  return Buffer.from(whole.subarray(0, end))
}

function refusal(set: string, column: string, seq: number, { text, nul }: Fault, limit: number): Problem {
  const where = `${column} of ${set} at _seq ${seq}`
  const what = nul
    ? `${where} has the character NUL, which Redshift cannot hold`
    : `${where} is ${text.length} bytes long, and its column holds ${limit}`
  return new Problem(
    what,
    `Set "tooLong": "cut" for the warehouse in the config file: such texts are then ${nul ? 'written without it' : 'cut'}, and counted.`,
  )
}

function withTexts({ bytes, starts, ends }: TextColumn, texts: ReadonlyMap<number, Buffer>): TextColumn {
  const [newStarts, newEnds] = [starts.slice(), ends.slice()]
  let end = bytes.length
  for (const [row, { length }] of texts) {
    newStarts[row] = end
    end += length
    newEnds[row] = end
  }
  return { kind: 'text', bytes: Buffer.concat([bytes, ...texts.values()], end), starts: newStarts, ends: newEnds }
}
