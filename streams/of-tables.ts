/** Facts are made of tables, and events as records come: no file holds either. */
import { isEvent } from '../schemas/event.ts'
import { isFact } from '../schemas/fact.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'

/** A Problem where somebody would take them from a file. */
export function refuseFacts(record: RecordSchema): void {
  if (isEvent(record))
    throw new Problem(
      `${record.name} is made of ${record.event.of.name} and the rows that it refers to, as they are when it comes: no file holds it`,
      'Run: tidemark ingest',
    )
  if (!isFact(record)) return
  throw new Problem(
    `${record.name} is a fact, made of rows of ${record.fact.of.name} and what they refer to: no file holds it`,
    `Load the tables: tidemark load ${record.fact.of.name}; those that come from topics: tidemark ingest`,
  )
}
