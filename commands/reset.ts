/** `reset`: deletes the records of a topic that all of its readers have taken, or goes on with a topic as it is. */
import { partitionsFor } from '../config/config.ts'
import type { Ports } from '../config/wire.ts'
import { allStreams } from '../streams/store.ts'
import { streamWith, type Stream } from '../streams/stream.ts'
import { resetTopic, type Reset, type ResetDue } from '../use-cases/reset.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody, Options } from './command.ts'
import { resetAsItIs } from './reset-as-it-is.ts'
import { withAnyTopics, withPorts } from './stage.ts'
import { usage, wholeNumber } from './words.ts'

const leaves = [
  'Positions, rows and the state of every version stay as they are, and the stream goes on.',
  'But history is no longer complete: whatever must compute these records again will refuse (apply with --backfill, --shadow or' +
    ' --forward-only; rollback and promote where',
  'rows must be filled; verify), and a new feature set cannot begin with them. apply --cold needs no history.',
].join('\n')

export const run: CommandBody = async ({ args, options, config, console }) => {
  const before = wholeNumber(options, 'before')
  const partition = wholeNumber(options, 'partition')
  if (options['asItIs'] === true) {
    if (before !== undefined || partition !== undefined) {
      throw usage('--as-it-is takes a topic as a whole, and deletes nothing', 'Leave out --before and --partition.')
    }
    return withAnyTopics({ config, console }, ['reset'], async (ports) => {
      const { stream, topic } = await topicNamed(ports, args[0]!, options)
      const { inflow, outflow, dead } = stream
      if (topic === dead) throw usage(`nobody goes on from a place in ${dead}`, `Name ${inflow} or ${outflow}.`)
      return resetAsItIs(ports, { stream, topic, partitions: partitionsFor(config, stream) }, console)
    })
  }
  return withPorts({ config, console }, ['reset'], async (ports) => {
    const { stream, topic } = await topicNamed(ports, args[0]!, options)
    const reset = await resetTopic(ports, {
      stream,
      topic,
      before,
      partition,
      agree: (due) => {
        if (topic === stream.inflow) console.note(leaves)
        return console.confirm(`Delete ${whatGoes(due)}?`)
      },
    })
    console.result(resetText(reset, before), resetJson(reset))
  })
}

const topicsOf = ({ inflow, outflow, dead }: Stream) => [inflow, outflow, dead]
/** What each of them is called where there is one stream, or where a record is named. */
const kinds = ['inflow', 'outflow', 'inflow.dead']

/** A topic by its own name, or by its kind, of the record that is named or the only one. */
async function topicNamed(ports: Ports, word: string, { record }: Options): Promise<{ readonly stream: Stream; readonly topic: string }> {
  const there = await allStreams(ports)
  const streams = record === undefined ? there : there.filter(({ name }) => name === record)
  const names = there.map(({ name }) => name)
  if (streams.length === 0 && record !== undefined) throw usage(`there is no stream of ${String(record)}`, named(names))
  const own = streams.find((stream) => topicsOf(stream).includes(word))
  if (own) return { stream: own, topic: word }
  const kind = kinds.indexOf(word)
  if (kind !== -1 && streams.length > 1) throw usage(`there is more than one ${word}`, `Say whose with --record: ${names.join(', ')}.`)
  const [only = streamWith('inflow')] = streams
  if (kind !== -1) return { stream: only, topic: topicsOf(only)[kind]! }
  throw usage(
    `${word} is no topic that reset knows the readers of`,
    `Name ${either(streams.length > 0 ? streams.flatMap(topicsOf) : kinds)}.`,
  )
}

const named = (names: readonly string[]) =>
  names.length > 0 ? `There are those of ${names.join(', ')}.` : 'Nothing is produced or applied yet.'
const either = (names: readonly string[]) => `${names.slice(0, -1).join(', ')} or ${names.at(-1)!}`

function resetText(reset: Reset, asked: number | undefined): string {
  const { topic, ended, cuts } = reset
  if (ended === 'declined') return 'nothing was changed'
  if (ended === 'deleted') return `deleted ${whatGoes(reset)}`
  const why = cuts.map(({ first, next, limit }) => {
    if (first === next) return `${topic} holds no record`
    if (limit.offset <= first) return `${limit.reader} has taken none of what ${topic} holds`
    return `the records before offset ${asked} are gone already`
  })
  return `nothing to delete: ${[...new Set(why)].join('; ') || `there is no topic ${topic}`}`
}

function whatGoes({ topic, offsets, gapless, several, cuts }: ResetDue): string {
  const ranges = cuts
    .filter(({ first, before }) => before > first)
    .map(({ partition, first, before }) => `${several ? `partition ${partition}, ` : ''}offsets ${first} to ${before - 1}`)
  // Where some offsets are marks of the log's own, nobody knows how many records lie between two of them.
  const records = gapless ? `${count(offsets)} ${offsets === 1 ? 'record' : 'records'}` : 'the records'
  return `${records} of ${topic} (${ranges.join('; ')})`
}

function resetJson({ topic, ended, offsets, gapless, cuts }: Reset) {
  const gone = ended === 'deleted'
  const partitions = cuts.map(({ partition, first, before, limit }) => ({ partition, first: gone ? before : first, limit: limit.offset }))
  return { topic, deleted: gone ? (gapless ? offsets : null) : 0, partitions }
}
