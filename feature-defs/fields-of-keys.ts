/** The fields that keys were made of, read back from them: of a row that has no record, but a key. */
import type { Field, Fields } from '../schemas/record.ts'
import { noDay, noFlag, putWhole, type Column } from '../utilities/values/columns.ts'
import { wholeOf } from '../utilities/values/decimal-text.ts'
import { microsOf } from '../utilities/values/timestamp.ts'
import { keyFields, type Per } from './keys.ts'
import { textColumn } from './values.ts'

/** The key "" of one field is null. */
export function fieldsOfKeys(keys: readonly string[], per: Per, fields: Fields): ReadonlyMap<string, Column> {
  const names = keyFields(per)
  const parts = keys.map((key) => (names.length === 1 ? [key === '' ? null : key] : partsOf(key)))
  return new Map(
    names.map((name, i) => [
      name,
      columnOfTexts(
        parts.map((one) => one[i] ?? null),
        fields[name]!,
      ),
    ]),
  )
}

const nullPart = '\\N'

/** Between commas that no backslash stands before; one is taken out before a comma or a backslash. */
function partsOf(key: string): (string | null)[] {
  const parts: (string | null)[] = []
  let text = ''
  const end = (at: number) => {
    parts.push(key.slice(at - 2, at) === nullPart && text === 'N' ? null : text)
    text = ''
  }
  for (let at = 0; at < key.length; at++) {
    if (key[at] === ',') end(at)
    else text += key[at] === '\\' ? key[++at] : key[at]!
  }
  end(key.length)
  return parts
}

function columnOfTexts(texts: readonly (string | null)[], field: Field): Column {
  const numbers = (read: (text: string) => number, none: number) => texts.map((text) => (text === null ? none : read(text)))
  const wholes = (read: (text: string) => bigint) => {
    const [values, wide] = [new Float64Array(texts.length).fill(NaN), new Map<number, bigint>()]
    for (const [row, text] of texts.entries()) if (text !== null) putWhole(values, wide, row, read(text))
    return wide.size === 0 ? { values } : { values, wide }
  }
  switch (field.kind) {
    case 'number':
      return { kind: 'number', values: Float64Array.from(numbers(Number, NaN)) }
    case 'integer':
      return { kind: 'integer', ...wholes(BigInt) }
    case 'decimal':
      return { kind: 'decimal', scale: field.scale, ...wholes((text) => wholeOf(text, field.scale)) }
    case 'timestamp':
      return { kind: 'timestamp', ...wholes((text) => BigInt(microsOf(text.slice(0, -1)))) }
    case 'flag':
      return { kind: 'flag', values: Uint8Array.from(numbers((text) => Number(text === 'true'), noFlag)) }
    case 'date':
      return { kind: 'date', days: Int32Array.from(numbers(Number, noDay)) }
    case 'text':
      return textColumn(texts.map((text) => text ?? NaN))
  }
}
