/** What messages of others are to become: a table or a record, and what is said of the way in which they are written. */
import type { Fields } from '../record.ts'

export type ForeignSource = {
  readonly name: string
  readonly fields: Fields
  /** The fields that tell the rows of a table apart; null for a record. */
  readonly key: readonly string[] | null
  readonly format: 'json' | 'avro' | 'debezium' | 'upsert-json'
  /** How a message names its Avro schema; without it the first byte tells. `none`: no message does. */
  readonly framing?: 'glue' | 'confluent' | 'none' | undefined
  /** The text of the Avro schema of all values, where no message names one. */
  readonly schema?: string | undefined
  /** What whole numbers count that stand for moments, where no schema tells. */
  readonly timestamps?: 'milliseconds' | 'microseconds' | 'nanoseconds' | undefined
  /** What texts are that stand for decimals, where no schema tells. */
  readonly decimals?: 'base64' | 'text' | undefined
}
