/** Decimals of more digits than 64 bits have: gathered as the texts of their 16 bytes, the high ones first, and written without lengths. */
import { wholeAt, type DecimalColumn, type TextColumn } from '../values/columns.ts'
import type { Decimal } from '../warehouse.ts'
import type { Gathering } from './gathering.ts'
import { fixedBytes } from './headers.ts'
import { gatherTexts } from './texts.ts'

const lengthBytes = 4

export function gatherWideDecimals(type: Decimal): Gathering {
  const texts = gatherTexts()
  return {
    ...texts,
    append(column, from, end) {
      if (column.kind !== 'decimal' || column.scale !== type.scale)
        throw new TypeError(`a column of ${column.kind}s cannot be written as ${JSON.stringify(type)}`)
      texts.append(bytesOf(column, from, end), 0, end - from)
    },
    gathered() {
      const gathered = texts.gathered()
      return { ...gathered, values: withoutLengths(gathered.values), fixed: true }
    },
  }
}

function bytesOf(column: DecimalColumn, from: number, end: number): TextColumn {
  const bytes = new Uint8Array((end - from) * fixedBytes)
  const view = new DataView(bytes.buffer)
  const starts = new Int32Array(end - from).fill(-1)
  const ends = new Int32Array(end - from)
  for (let row = from, at = 0; row < end; row++, at += fixedBytes) {
    const whole = wholeAt(column, row)
    if (whole === null) continue
    if (BigInt.asIntN(128, whole) !== whole) throw new RangeError(`${whole} has more than 38 digits`)
    view.setBigInt64(at, whole >> 64n)
    view.setBigUint64(at + 8, BigInt.asUintN(64, whole))
    starts[row - from] = at
    ends[row - from] = at + fixedBytes
  }
  return { kind: 'text', bytes, starts, ends }
}

function withoutLengths(values: Uint8Array): Uint8Array {
  const count = values.length / (lengthBytes + fixedBytes)
  const bytes = new Uint8Array(count * fixedBytes)
  for (let i = 0; i < count; i++) {
    const start = i * (lengthBytes + fixedBytes) + lengthBytes
    bytes.set(values.subarray(start, start + fixedBytes), i * fixedBytes)
  }
  return bytes
}
