/** What a value of a foreign schema stands for: by Avro's logical types, and by the names that Kafka Connect and Debezium give. */
import type { SentType } from '../sent.ts'
import type { Shape } from './shape.ts'

const moment = (unit: Extract<SentType, { is: 'moment' }>['unit']): SentType => ({ is: 'moment', unit })
const day: SentType = { is: 'day' }
const time: SentType = { is: 'time' }

/** Of longs, and the first of ints, too; by these names of Connect's in JSON, as well. */
export const wholes: Readonly<Record<string, SentType>> = {
  date: day,
  'io.debezium.time.Date': day,
  'org.apache.kafka.connect.data.Date': day,
  'time-millis': time,
  'time-micros': time,
  'io.debezium.time.Time': time,
  'io.debezium.time.MicroTime': time,
  'io.debezium.time.NanoTime': time,
  'org.apache.kafka.connect.data.Time': time,
  'timestamp-millis': moment('milliseconds'),
  'local-timestamp-millis': moment('milliseconds'),
  'io.debezium.time.Timestamp': moment('milliseconds'),
  'org.apache.kafka.connect.data.Timestamp': moment('milliseconds'),
  'timestamp-micros': moment('microseconds'),
  'local-timestamp-micros': moment('microseconds'),
  'io.debezium.time.MicroTimestamp': moment('microseconds'),
  'timestamp-nanos': moment('nanoseconds'),
  'local-timestamp-nanos': moment('nanoseconds'),
  'io.debezium.time.NanoTimestamp': moment('nanoseconds'),
}

const plain: SentType = { is: 'plain' }
/** No number of a database has more digits behind its point. */
const largestScale = 20_000

export function meaningOf(shape: Shape): SentType {
  const { kind, attributes } = shape
  // Connect says more exactly what it means than the logical type that it writes beside it.
  const names = [attributes['connect.name'], attributes['logicalType']].filter((one) => typeof one === 'string')
  switch (kind) {
    case 'int':
    case 'long':
      return names.filter((one) => Object.hasOwn(wholes, one)).map((one) => wholes[one]!)[0] ?? plain
    case 'bytes':
    case 'fixed':
      if (kind === 'fixed' && isUuid(shape)) return plain
      return names.some((one) => one === 'decimal' || one === 'org.apache.kafka.connect.data.Decimal') ? decimal(shape) : { is: 'bytes' }
    case 'record':
      return names[0] === 'io.debezium.data.VariableScaleDecimal' ? { is: 'scaled' } : plain
    default:
      return plain
  }
}

export const isUuid = (shape: Shape): boolean => shape.kind === 'fixed' && shape.size === 16 && shape.attributes['logicalType'] === 'uuid'

function decimal({ attributes }: Shape): SentType {
  const parameters = attributes['connect.parameters'] as { readonly scale?: unknown } | undefined
  const scale = Number(parameters?.scale ?? attributes['scale'] ?? 0)
  return Number.isInteger(scale) && Math.abs(scale) <= largestScale ? { is: 'decimal', scale } : { is: 'bytes' }
}
