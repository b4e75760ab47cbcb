/** `ingest`: what others send into topics becomes records and tables, and the facts that are made from them follow. */
import { partitionsFor, topicsOf } from '../config/config.ts'
import type { Config } from '../config/shape.ts'
import { definitionsOf, tablesIn } from '../config/definitions.ts'
import { wireSchemas, type Ports } from '../config/wire.ts'
import { ingestTopics, type IngestAsked, type SourceDone } from '../use-cases/ingest.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import type { Console } from './console.ts'
import { withPorts } from './stage.ts'
import { usage } from './words.ts'

export const run: CommandBody = async ({ options, config, console, signal }) => {
  const acceptSnapshot = named(options['acceptSnapshot'])
  const acceptGap = named(options['acceptGap'])
  const acceptLoss = named(options['acceptLoss'])
  const topics = topicsOf(config)
  const stranger = acceptSnapshot.find((name) => !Object.hasOwn(topics, name))
  if (stranger !== undefined)
    throw usage(
      `${stranger} comes from no topic`,
      `Those that do: ${Object.keys(topics).join(', ') || 'none; see "sources" in the config'}.`,
    )
  const all = [
    ...new Set(Object.values(topics).flatMap(({ topic, transactions }) => [topic, ...(transactions === undefined ? [] : [transactions])])),
  ]
  const unknown = acceptGap.find((topic) => !all.includes(topic))
  if (unknown !== undefined)
    throw usage(`no source comes from the topic ${unknown}`, `Those of the config: ${all.join(', ') || 'none; see "sources"'}.`)
  const ends = [...new Set(Object.values(topics).flatMap(({ transactions }) => transactions ?? []))]
  const other = acceptLoss.find((topic) => !ends.includes(topic))
  if (other !== undefined)
    throw usage(`${other} is no topic of transactions`, `Those of the config: ${ends.join(', ') || 'none; see "transactions"'}.`)
  await withPorts({ config, console }, ['topics'], async (ports) => {
    const done = await ingestAll(ports, config, console, {
      acceptSnapshot,
      acceptGap,
      acceptLoss,
      // What was asked for is done once, by whoever asks.
      follow: options['untilCaughtUp'] !== true && acceptSnapshot.length === 0 && acceptLoss.length === 0,
      signal,
      passed: () => {},
    })
    console.result(`${ingestedText(done)}${signal.aborted ? '\nstopped; the next start goes on from here' : ''}`, done)
  })
}

type Running = Pick<IngestAsked, 'acceptSnapshot' | 'acceptGap' | 'acceptLoss' | 'follow' | 'signal' | 'passed'>

/** Every topic that the definitions need, as the config has them. */
export async function ingestAll(ports: Ports, config: Config, console: Console, running: Running): Promise<readonly SourceDone[]> {
  const definitions = await definitionsOf(config)
  const progress = console.progress('ingest', { mostWaitMs: 1000 })
  const [tables, feed] = [await ports.openTables(), await ports.openFeed()]
  try {
    return await ingestTopics(
      { ...ports, tables, feed },
      {
        ...running,
        definitions: [...definitions.values()].flat(),
        defined: tablesIn(definitions),
        topics: topicsOf(config),
        schemasOf: wireSchemas(config, ports.registry, { note: console.note, signal: running.signal }),
        partitions: (of) => partitionsFor(config, of),
        holdMs: config.ingest.holdMs,
        report: ({ messages }) => progress(messages),
        note: console.note,
      },
    )
  } finally {
    await feed.close()
    tables.close()
  }
}

const named = (given: string | boolean | undefined): readonly string[] => (typeof given === 'string' ? given.split(',') : [])

export const ingestedText = (done: readonly SourceDone[]): string =>
  done
    .map(({ source, topic, messages, duplicates, dead, waits }) =>
      [
        `${source}: ${count(messages)} messages of ${topic}`,
        ...(duplicates > 0 ? [`${count(duplicates)} had come before`] : []),
        ...(dead > 0 ? [`${count(dead)} cannot be read, see its dead letters`] : []),
        ...(waits === null ? [] : [waits]),
      ].join(', '),
    )
    .join('\n')
