/** What sets over facts must have: worked out anew for each row from the facts that stand, with no memory but their list. Slow. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import type { Value as HeldValue } from '../feature-defs/values.ts'
import type { Field } from '../schemas/record.ts'
import { dayIn } from '../utilities/values/timestamp.ts'
import { exactOf, type Input, type Standing, type Value } from './exact.ts'
import { dayMicros, type FactMessage, type FactValues } from './fact-messages.ts'

/** A row in plain words. */
export type RowExpected = {
  readonly seq: number
  readonly change: string
  readonly known: bigint
  readonly key: string
  readonly fields: FactValues
  readonly features: readonly Value[]
}

type Moment = { readonly day: number; readonly micros: bigint }
type Key = { readonly facts: Map<string, { readonly values: FactValues; readonly moment: Moment }>; date: Moment | null }

const nothing: FactValues = {}

export function modelOf({ record, per, features }: Definition) {
  const keys = new Map<string, Key>()
  let ticked: Moment | null = null
  const names = keyFields(per)
  const momentOf = (at: HeldValue): Moment =>
    record.fields[record.at]!.kind === 'date'
      ? { day: Number(at), micros: BigInt(at) * BigInt(dayMicros) }
      : { day: dayIn(at as number), micros: BigInt(at) }
  const keyText = (values: FactValues) =>
    names.length === 1 ? textOf(values[names[0]!]!) : names.map((name) => (isNull(values[name]!) ? '\\N' : textOf(values[name]!))).join(',')
  const keyOf = (text: string): Key => {
    const known = keys.get(text) ?? { facts: new Map(), date: null }
    keys.set(text, known)
    return known
  }
  const dateOf = ({ date }: Key): Moment | null => (date && ticked ? (date.micros > ticked.micros ? date : ticked) : (date ?? ticked))
  const valuesOf = (key: Key) => {
    const date = dateOf(key)
    return features.map(({ spec }) => {
      const field = record.fields[spec.of]!
      const facts = [...key.facts].map(([own, { values, moment }]): Standing => ({
        key: own,
        input: plainOf(field, values[spec.of]!),
        part: typeof spec['when'] !== 'string' || values[spec['when']] === 1,
        ...moment,
      }))
      return exactOf(spec, field, facts, date && { row: 0, ...date })
    })
  }

  return (message: FactMessage): readonly RowExpected[] => {
    const { seq, known, before, after } = message
    const row = (change: string, key: string, fields: FactValues) => ({ seq, change, known, key, fields, features: valuesOf(keyOf(key)) })
    if (message.tick !== null) {
      const moment = momentOf(message.tick)
      if (ticked && moment.micros <= ticked.micros) return []
      const were = new Map([...keys].map(([text, key]) => [text, JSON.stringify(valuesOf(key), bigints)]))
      ticked = moment
      const changed = [...keys].filter(([text, key]) => JSON.stringify(valuesOf(key), bigints) !== were.get(text)).map(([text]) => text)
      return changed
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        .map((text) => row('tick', text, { ...nothing, ...fieldsOf(text), [record.at]: message.tick! }))
    }
    const [from, to] = [before && keyText(before), after && keyText(after)]
    if (from !== null) keyOf(from).facts.delete(message.key!)
    if (to !== null) {
      const key = keyOf(to)
      const moment = momentOf(after![record.at]!)
      key.facts.set(message.key!, { values: after!, moment })
      const isKnown =
        record.fields[record.at]!.kind === 'date' ? BigInt(moment.day) * 86_400_000_000_000n <= known : moment.micros * 1000n <= known
      if (isKnown && (key.date === null || moment.micros > key.date.micros)) key.date = moment
    }
    if (from !== null && to !== null && from !== to)
      return [row('removed', from, before!), row('added', to, after!)].sort((a, b) =>
        Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
      )
    return [row(from !== null && to !== null ? 'changed' : to === null ? 'removed' : 'added', (to ?? from)!, (after ?? before)!)]
  }

  /** Of the keys that these tests have: without commas or backslashes. */
  function fieldsOf(text: string): FactValues {
    const parts = names.length === 1 ? [text] : text.split(',')
    return Object.fromEntries(
      names.map((name, i) => {
        const one = parts[i]!
        if (one === '\\N' || (names.length === 1 && one === '')) return [name, NaN]
        return [name, record.fields[name]!.kind === 'text' ? one : Number(one)]
      }),
    )
  }
}

const isNull = (value: HeldValue) => value !== value
const textOf = (value: HeldValue) => (isNull(value) ? '' : String(value))
const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)

function plainOf(field: Field, value: HeldValue): Input {
  if (isNull(value)) return null
  switch (field.kind) {
    case 'decimal':
      return { over: BigInt(value), under: 10n ** BigInt(field.scale) }
    case 'integer':
    case 'timestamp':
      return BigInt(value)
    case 'flag':
      return value === 1
    default:
      return value as number | string
  }
}
