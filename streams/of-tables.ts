/** Facts are made of tables: no file of records holds them. */
import { isFact } from '../schemas/fact.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'

/** A Problem where somebody would take them from a file. */
export function refuseFacts(record: RecordSchema): void {
  if (!isFact(record)) return
  throw new Problem(
    `${record.name} is a fact, made of rows of ${record.fact.of.name} and what they refer to: no file holds it`,
    `Load the tables: tidemark load ${record.fact.of.name}`,
  )
}
