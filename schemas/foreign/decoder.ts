/** Makes of messages of others what they say, for one table or record. */
import type { Messages } from '../../utilities/feed.ts'
import { avroReader } from './avro.ts'
import type { Changes } from './changes.ts'
import { debeziumDecode } from './debezium.ts'
import { fieldsOf, type ForeignField } from './fields.ts'
import { gathering } from './gather.ts'
import { notesOf } from './notes.ts'
import { plainDecode } from './plain.ts'
import type { ForeignSchemas } from './schemas.ts'
import { prepareAvro } from './sent-message.ts'
import type { ForeignSource } from './source.ts'

/** Each call goes on from what was learnt of the source in those before. */
export function foreignDecoder(source: ForeignSource, schemas: ForeignSchemas | undefined): (messages: Messages) => Promise<Changes> {
  const { name, key, format } = source
  const fields = fieldsOf(source)
  const keyFields = (key ?? []).map((own) => fields.find((field) => field.own === own)!)
  const keyPlaces = fields.map((field) => keyFields.indexOf(field))
  const notes = notesOf(name)
  const avro = avroReader(source, schemas)
  const decode = (format === 'debezium' ? debeziumDecode : plainDecode)({ source, fields, keyFields, avro, notes })
  const lacks = ({ name: column, own }: ForeignField) =>
    format === 'debezium' || format === 'avro'
      ? `the source does not send ${column} (any more): ${own} is null from now on. Take it out of the definition, or bring it back`
      : `a message has no ${column}: ${own} is null there, and in all others that lack it`

  return async (messages) => {
    await prepareAvro(avro, messages)
    for (;;) {
      for (const { learnt } of fields) learnt.guessed = false
      const into = gathering({ fields, keyFields, keyPlaces, notes, lacks }, messages.count)
      for (let message = 0; message < messages.count; message++) decode(messages, message, into)
      // What was taken for a number turned out to be base64, as a later message has shown: all of it is read again, with that known.
      if (!fields.some(({ learnt }) => learnt.guessed && learnt.decimals === 'base64')) return into.changes(notes.told())
    }
  }
}
