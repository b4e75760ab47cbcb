/** Messages of a topic as tables: one for each stretch of messages with the same schema. */
import { shownBytes, type Decoded, type Message, type Undecoded } from '../use-cases/topic-messages.ts'
import { toJson, type Json } from '../utilities/values/json.ts'
import type { Cell } from '../utilities/sql/cells.ts'
import { table } from './console.ts'

const widest = 2 * shownBytes + 1

export function messagesText(messages: readonly Message[]): string {
  const keyOf = (one: Message) => `${one.partition} ${'reason' in one ? '' : one.schemaVersionId}`
  const stretches: Message[][] = []
  for (const one of messages) {
    const latest = stretches.at(-1)
    if (latest && keyOf(latest[0]!) === keyOf(one)) latest.push(one)
    else stretches.push([one])
  }
  return stretches
    .map((stretch) => {
      const { partition } = stretch[0]!
      const place = partition === 0 ? '' : `partition ${partition}, `
      return place + ('reason' in stretch[0]! ? unreadText(stretch as Undecoded[]) : readText(stretch as Decoded[]))
    })
    .join('\n\n')
}

function unreadText(messages: readonly Undecoded[]): string {
  const rows = messages.map(({ offset, reason, bytes, hex }) => [offset, reason, bytes, hex])
  return `not readable\n${table(['offset', 'reason', 'bytes', `the first ${shownBytes} in hex`], rows, { widest })}`
}

function readText(messages: readonly Decoded[]): string {
  const { subject, number, version, schemaVersionId, shown } = messages[0]!
  const rows = messages.map(({ offset, fields }): Cell[] => [offset, ...shown.map((name) => cell(fields[name] ?? null))])
  const title = `${subject}${version === null ? ` number ${number}` : `@${version}`} (schema version ${schemaVersionId})`
  return `${title}\n${table(['offset', ...shown], rows, { widest })}`
}

function cell(value: Json): Cell {
  return typeof value === 'object' && value !== null ? toJson(value).replace(/\n\s*/g, ' ') : value
}
