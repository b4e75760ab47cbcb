/** The part of the decoder that looks whether a message of a fact is a change that there can be: one of the four, with what that has. */
import { columnOf, noDay, type Column, type TimestampColumn } from '../../utilities/values/columns.ts'
import { fail, type Block } from './decode-block.ts'
import type { AvroSchema } from './schema.ts'

/** What each has: it was, it is, it has a key, a date has come. */
const has = ['before', 'after', 'key', 'tick'] as const
const changes = [
  ['added', [false, true, true, false]],
  ['changed', [true, true, true, false]],
  ['removed', [true, false, true, false]],
  ['tick', [false, false, false, true]],
] as const
const known = changes.map(([word, parts]) => ({ word, bytes: Buffer.from(word), parts: bits(parts) }))

function bits(parts: readonly boolean[]): number {
  return parts.reduce((sum, part, i) => sum + (part ? 1 << i : 0), 0)
}

/** undefined where messages are none of a fact. The columns hold the block's messages from `offset` on. */
export function changesChecked({ tidemark = {} }: AvroSchema) {
  if (!('fact' in tidemark) || 'set' in tidemark) return undefined
  return (block: Block, byName: ReadonlyMap<string, Column>, offset: number): void => {
    const columns = { count: 0, byName }
    const change = columnOf(columns, 'change', 'text')
    const key = columnOf(columns, 'key', 'text').starts
    const [before, after] = (['before', 'after'] as const).map((name) => columnOf(columns, name, 'flag').values)
    const isTick = hasMoment(byName.get('tick')!)
    for (let row = 0; row < block.rows; row++) {
      if (block.at[row]! < 0) continue
      const at = offset + row
      const parts = before![at]! + 2 * after![at]! + (key[at]! < 0 ? 0 : 4) + (isTick(at) ? 8 : 0)
      const word = wordAt(change.bytes, change.starts[at]!, change.ends[at]!)
      if (word?.parts === parts) continue
      const found = has.filter((_, i) => parts & (1 << i)).join(', ') || 'nothing'
      fail(block, row, word ? `it says ${word.word}, and has ${found}` : 'field change is none of added, changed, removed and tick')
    }
  }
}

function hasMoment(column: Column): (row: number) => boolean {
  if (column.kind === 'date') return (row) => column.days[row] !== noDay
  const { values } = column as TimestampColumn
  return (row) => !Number.isNaN(values[row])
}

function wordAt(bytes: Uint8Array, start: number, end: number) {
  for (const word of known) {
    let i = 0
    while (i < word.bytes.length && bytes[start + i] === word.bytes[i]) i++
    if (i === word.bytes.length && end - start === i) return word
  }
  return undefined
}
