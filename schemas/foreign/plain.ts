/** Rows and events as plain objects, in JSON or in Avro: a row is put under its key, and one without a value is gone. */
import { printable } from '../../utilities/values/printable.ts'
import type { Messages } from '../../utilities/feed.ts'
import type { ForeignField } from './fields.ts'
import type { Gathering } from './gather.ts'
import { keyReader, typesByField } from './key.ts'
import type { Notes } from './notes.ts'
import { sentAs } from './scan.ts'
import type { AvroReader } from './sent.ts'
import { messageReader } from './sent-message.ts'
import { newShape, want } from './shape.ts'
import type { ForeignSource } from './source.ts'

export type Parts = {
  readonly source: ForeignSource
  readonly fields: readonly ForeignField[]
  readonly keyFields: readonly ForeignField[]
  readonly avro: AvroReader
  readonly notes: Notes
}

/** Says of one message after the other what it says. */
export type Decode = (messages: Messages, message: number, into: Gathering) => void

export function plainDecode({ source, fields, keyFields, avro, notes }: Parts): Decode {
  const isTable = source.key !== null
  const shape = newShape()
  const slots = fields.map(({ name }) => want(shape, shape.members, name))
  const typesOf = typesByField(fields)
  const value = messageReader(shape, { avro, unwraps: false })
  const key = keyReader(keyFields, avro, false)
  const takesFromKey = source.format === 'upsert-json'
  const { found } = value

  function lacksValue(messages: Messages, message: number, into: Gathering): void {
    if (!isTable) return into.dead(message, 'it is empty')
    const wrong = key.read(messages, message)
    if (wrong === undefined) into.gone(message, key)
    else into.dead(message, wrong)
  }

  return (messages, message, into) => {
    if (messages.values.starts[message]! < 0) return lacksValue(messages, message, into)
    const wrong = value.read(messages.values, message)
    if (wrong !== undefined) return into.dead(message, wrong)
    if (found.kinds[0] === sentAs.null) return lacksValue(messages, message, into)
    if (found.kinds[0] !== sentAs.object) return into.dead(message, 'it is not an object')
    const hasKey = takesFromKey && key.read(messages, message) === undefined
    into.put(message, { found, slots, types: typesOf(value.type) }, hasKey ? key : undefined)
    if (value.type && shape.members.strangers.length > 0) tellStrangers(notes, shape.members)
  }
}

const mostName = 100

/** Columns of the source that nobody reads are told once. */
export function tellStrangers(notes: Notes, members: { strangers: string[] }, isColumn: (name: string) => boolean = () => true): void {
  const columns = members.strangers.filter(isColumn)
  members.strangers = []
  for (const name of columns.map((one) => printable(one.slice(0, mostName))))
    notes.once(`stranger ${name}`, () => `the source sends ${name}, which is not read: add it to the definition, or leave it`)
}
