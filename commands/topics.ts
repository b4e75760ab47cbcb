/** `topics`: what the log holds, how a topic is made and set, and any message in it as a person can read it. */
import type { Log, TopicState } from '../utilities/log/log.ts'
import { Problem } from '../utilities/problem.ts'
import type { Context, Options, Run } from './command.ts'
import { table } from './console.ts'
import { withAnyTopics } from './stage.ts'
import { messagesOf } from './topic-messages.ts'
import { wholeNumber } from './words.ts'

type Show = Pick<Context, 'console'>['console']

export const run: Run = async ({ args: [name], options, config, console }) => {
  const asked = {
    last: wholeNumber(options, 'last', { least: 1 }),
    // Plain quotes would look like an import to the test that draws the import map.
    from: wholeNumber(options, `from`),
    partition: wholeNumber(options, 'partition'),
    partitions: wholeNumber(options, 'partitions', { least: 1 }),
  }
  if (name === undefined && (Object.values(asked).some((one) => one !== undefined) || options['create'])) {
    throw new Problem('no topic is named', 'Name one, e.g. tidemark topics outflow --last 3.', { usage: true })
  }
  if (asked.partitions !== undefined && options['create'] !== true) throw new Problem('--partitions is for making a topic', 'Add --create, or use --partition N to look at one.', { usage: true })
  return withAnyTopics({ config, console }, [], async ({ log, registry }) => {
    if (options['create'] === true) return create(log, name!, asked.partitions ?? 1, console)
    const topics = await log.topics()
    if (name === undefined) return list(log, topics, console)
    const topic = topics.find((one) => one.topic === name)
    if (!topic) {
      const todo = topics.length > 0 ? `There are ${topics.map((one) => one.topic).join(', ')}.` : 'None is made yet: produce and apply make the ones they need.'
      throw new Problem(`there is no topic ${name}`, todo)
    }
    const partitions = partitionsOf(topic, options)
    if (asked.from !== undefined && partitions.length > 1) {
      throw new Problem(`${name} has ${partitions.length} partitions, each with offsets of its own`, `Add --partition N, from 0 to ${partitions.length - 1}.`, { usage: true })
    }
    const messages = await messagesOf({ log, registry }, { topic: name, partitions, most: asked.last ?? 10, from: asked.from })
    console.result(messages?.text ?? `there is no message in ${name}${asked.from === undefined ? '' : ` from offset ${asked.from} on`}`, messages?.json ?? [])
  }, { readOnly: options['create'] !== true })
}

/** Those of the topic, or the one that is asked for, each with its number. */
export function partitionsOf({ topic, partitions }: TopicState, options: Options) {
  const one = wholeNumber(options, 'partition')
  if (one !== undefined && one >= partitions.length) {
    throw new Problem(`${topic} has no partition ${one}`, partitions.length === 1 ? 'It has one, number 0.' : `It has ${partitions.length}, numbered from 0.`, { usage: true })
  }
  return partitions.map((ends, partition) => ({ partition, ...ends })).filter(({ partition }) => one === undefined || partition === one)
}

/** Where offsets are not messages, nothing is called a number of messages. */
function list(log: Log, topics: readonly TopicState[], console: Show): void {
  // Bytes are known of a topic as a whole.
  const rows = topics.flatMap(({ topic, partitions, bytes }) => partitions.map(({ first, next }, partition) => (
    { topic, partition, first, next, messages: log.gapless ? next - first : null, bytes: partition === 0 ? bytes : null })))
  const cells = rows.map(({ topic, partition, first, next, messages, bytes }) => [topic, partition, first, next, messages ?? next - first, bytes ?? ''])
  const text = table(['topic', 'partition', 'first', 'next', log.gapless ? 'messages' : 'offsets', 'bytes'], cells)
  console.result(rows.length === 0 ? 'there is no topic yet: produce and apply make the ones they need' : text, rows)
}

async function create(log: Log, topic: string, partitions: number, console: Show): Promise<void> {
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(topic)) throw new Problem(`${topic} is not a name for a topic`, 'Use letters, digits, dots, dashes and underscores.', { usage: true })
  const there = (await log.partitions(topic)) > 0
  await log.create(topic, partitions)
  const parts = `${partitions} partition${partitions === 1 ? '' : 's'}`
  console.result(there ? `${topic} was there already, with ${parts}, and is as it should be` : `made ${topic} with ${parts}`, { topic, partitions, made: !there })
}
