/** `reset`: deletes the records of a topic that all of its readers have taken, or goes on with a topic as it is. */
import { deadTopic, inflowTopic, outflowTopic } from '../streams/inflow.ts'
import { resetTopic, type Reset, type ResetDue } from '../use-cases/reset.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
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
  const topic = args[0]!
  const before = wholeNumber(options, 'before')
  if (![inflowTopic, outflowTopic, deadTopic].includes(topic)) {
    throw usage(`${topic} is no topic that reset knows the readers of`, `Name ${inflowTopic}, ${outflowTopic} or ${deadTopic}.`)
  }
  if (options['asItIs'] === true) {
    if (topic === deadTopic) throw usage(`nobody goes on from a place in ${deadTopic}`, `Name ${inflowTopic} or ${outflowTopic}.`)
    if (before !== undefined || options['partition'] !== undefined) {
      throw usage('--as-it-is takes a topic as a whole, and deletes nothing', 'Leave out --before and --partition.')
    }
    return withAnyTopics({ config, console }, ['reset'], (ports) => resetAsItIs(ports, topic, config.log.partitions, console))
  }
  const partition = wholeNumber(options, 'partition')
  return withPorts({ config, console }, ['reset'], async (ports) => {
    const reset = await resetTopic(ports, {
      topic,
      before,
      partition,
      agree: (due) => {
        if (topic === inflowTopic) console.note(leaves)
        return console.confirm(`Delete ${whatGoes(due)}?`)
      },
    })
    console.result(resetText(reset, before), resetJson(reset))
  })
}

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
