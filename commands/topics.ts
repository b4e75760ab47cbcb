/** `topics`: what the log holds, how a topic is made and set, and any message in it as a person can read it. */
import { messagesOf } from '../use-cases/topic-messages.ts'
import { createTopic, listTopics, type TopicPartition } from '../use-cases/topics.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { messagesText } from './message-text.ts'
import { withAnyTopics } from './stage.ts'
import { usage, wholeNumber } from './words.ts'

export const run: CommandBody = async ({ args: [name], options, config, console }) => {
  const asked = {
    last: wholeNumber(options, 'last', { least: 1 }),
    // Plain quotes would look like an import to the test that draws the import map.
    from: wholeNumber(options, `from`),
    partition: wholeNumber(options, 'partition'),
    partitions: wholeNumber(options, 'partitions', { least: 1 }),
  }
  const creates = options['create'] === true
  if (name === undefined && (Object.values(asked).some((one) => one !== undefined) || creates)) {
    throw usage('no topic is named', 'Name one, e.g. tidemark topics outflow --last 3.')
  }
  if (asked.partitions !== undefined && !creates) {
    throw usage('--partitions is for making a topic', 'Add --create, or use --partition N to look at one.')
  }
  return withAnyTopics(
    { config, console },
    [],
    async ({ log, registry }) => {
      if (name === undefined) {
        const listed = await listTopics(log)
        return console.result(listText(listed), listed)
      }
      if (creates) {
        const made = await createTopic(log, name, asked.partitions ?? 1)
        return console.result(madeText(made), made)
      }
      const { last: most = 10, from, partition } = asked
      const messages = await messagesOf({ log, registry }, { topic: name, partition, most, from })
      const none = `there is no message in ${name}${from === undefined ? '' : ` from offset ${from} on`}`
      console.result(
        messages.length === 0 ? none : messagesText(messages),
        messages.map((one) => ({ ...one, shown: undefined })),
      )
    },
    { readOnly: !creates },
  )
}

function listText(listed: readonly TopicPartition[]): string {
  if (listed.length === 0) return 'there is no topic yet: apply, produce and ingest make the ones they need'
  // Where offsets are not messages, nothing is called a number of messages.
  const counted = listed[0]!.messages === null ? 'offsets' : 'messages'
  const cells = listed.map(({ topic, partition, first, next, messages, bytes }) => [
    topic,
    partition,
    first,
    next,
    messages ?? next - first,
    bytes ?? '',
  ])
  return table(['topic', 'partition', 'first', 'next', counted, 'bytes'], cells)
}

function madeText({ topic, partitions, made }: { readonly topic: string; readonly partitions: number; readonly made: boolean }): string {
  const parts = `${partitions} partition${partitions === 1 ? '' : 's'}`
  return made ? `made ${topic} with ${parts}` : `${topic} was there already, with ${parts}, and is as it should be`
}
