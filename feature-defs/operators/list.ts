/** The different values of a window as one text. */
import { dayText } from '../../utilities/values/day.ts'
import { decimalText } from '../../utilities/values/decimal-text.ts'
import { isoText } from '../../utilities/values/timestamp.ts'
import type { Field } from '../../schemas/record.ts'
import { defineOperator, type PlainValue } from '../define-operator.ts'
import { inOrder, sameness } from '../fractions.ts'
import { aText, ofAny, scaleOf } from '../gives.ts'
import { bytes } from '../options.ts'
import { values } from '../takes.ts'
import type { Value, Whole } from '../values.ts'
import { bagOver } from '../windows/bag-over.ts'
import { different } from '../windows/bag.ts'

const between = ', '
const cut = '…'
const cutBytes = Buffer.byteLength(cut)

/** In order, texts by their bytes, with ", " between them; where they take more bytes than that, as many as fit, and "…" behind them. */
export const list = defineOperator({
  op: 'list',
  gives: ofAny(aText(({ bytes }) => bytes as number)),
  reads: values,
  params: { bytes },
  windows: bagOver(({ bytes }: { readonly bytes: number }, field) => {
    const textOf = textsOf(field)
    return (bag, memory) => {
      if (memory.changes !== bag.changes) {
        memory.changes = bag.changes
        memory.value = bag.size === 0 ? NaN : joined(different(bag), textOf, bytes)
      }
      return memory.value
    }
  }),
  exact(values, { bytes }, _, field) {
    const kept = new Map(values.map((value) => [sameness(value), value]))
    const texts = plainly([...kept.values()], field)
    const fits = (text: string) => new TextEncoder().encode(text).length <= bytes
    if (texts.length === 0) return null
    if (fits(texts.join(', '))) return texts.join(', ')
    for (let most = texts.length - 1; ; most--) {
      const text = [...texts.slice(0, most), '…'].join(', ')
      if (fits(text)) return text
    }
  },
})

function textsOf(field: Field): (value: Value) => string {
  if (field.kind === 'decimal') return (value) => decimalText(value as Whole, field.scale)
  if (field.kind === 'date') return (value) => dayText(value as number)
  if (field.kind === 'timestamp') return (value) => isoText(value as Whole)
  return field.kind === 'flag' ? (value) => String(value === 1) : String
}

/** Stops once no more can fit. */
function joined(values: Iterable<Value>, textOf: (value: Value) => string, bytes: number): string {
  const texts: string[] = []
  let size = 0
  /** How many of them would fit with the cut behind. */
  let fitting = 0
  for (const value of values) {
    const text = textOf(value)
    size += Buffer.byteLength(text) + (texts.length === 0 ? 0 : between.length)
    if (size > bytes) return [...texts.slice(0, fitting), cut].join(between)
    texts.push(text)
    if (size + between.length + cutBytes <= bytes) fitting = texts.length
  }
  return texts.join(between)
}

/** The same, plainly. */
function plainly(values: readonly PlainValue[], field: Field): string[] {
  switch (field.kind) {
    case 'text':
      return (values as string[]).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    case 'flag':
      return (values as boolean[]).map(String).toSorted()
    case 'date':
      return inOrder(values as number[]).map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))
    case 'timestamp':
      return inOrder(values as bigint[]).map((micros) => isoText(micros))
    case 'decimal':
      return inOrder(values as { over: bigint; under: bigint }[]).map(({ over, under }) =>
        decimalText((over * 10n ** BigInt(scaleOf(field))) / under, scaleOf(field)),
      )
    case 'number':
      return inOrder(values as number[]).map(String)
    case 'integer':
      return inOrder(values as bigint[]).map(String)
  }
}
