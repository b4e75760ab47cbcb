/** Whether a fact is a later version of another: versions come from one another by `add` and `replace`, and columns keep their types. */
import { isFact } from './fact.ts'
import type { Field, RecordSchema } from './record.ts'

/** Why what is over the one cannot go on over the other; undefined when it can. */
export function whyNoNext(before: RecordSchema, record: RecordSchema): string | undefined {
  if (!isFact(before) || !isFact(record)) return `it is ${isFact(record) ? 'a fact, and was a record' : 'a record, and was a fact'}`
  const [was, is] = [before.fact.version, record.fact.version]
  if (is < was) return `it is version ${is} of the fact, and was version ${was}`
  if (is === was)
    return JSON.stringify(before) === JSON.stringify(record) ? undefined : 'it is made in another way, and is no later version'
  if (record.at !== before.at) return `its date is ${record.at}, and was ${before.at}`
  if (JSON.stringify([before.fact.of, before.fact.join]) !== JSON.stringify([record.fact.of, record.fact.join]))
    return 'it is made of other tables, or joins them in another way'
  for (const [name, field] of Object.entries(before.fields)) {
    const now = record.fields[name]
    if (!now) return `it has no field ${name} any more`
    if (!holds(field, now)) return `${name} was ${inWords(field)}, and is ${inWords(now)}`
  }
  return undefined
}

/** Whether the column that the one has in the warehouse has room for the other. */
const holds = (before: Field, now: Field): boolean =>
  before.kind === 'text' && now.kind === 'text' ? now.bytes <= before.bytes : inWords(before) === inWords(now)

function inWords(field: Field): string {
  if (field.kind === 'text') return `a text of ${field.bytes} bytes`
  return field.kind === 'decimal' ? `a decimal of ${field.digits} digits, ${field.scale} behind the point` : `of kind ${field.kind}`
}
