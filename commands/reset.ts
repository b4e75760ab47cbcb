/** `reset`: deletes the records of a topic that all of its readers have taken, or goes on with a topic as it is. */
import type { Ports } from '../config/wire.ts'
import { loadPosition } from '../feature-defs/checkpoint.ts'
import { deadTopic, inflowTopic, outflowTopic, sinkReader } from '../feature-defs/inflow.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import type { Lease } from '../utilities/lease.ts'
import type { TopicState } from '../utilities/log/log.ts'
import { Problem } from '../utilities/problem.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import type { Options, Run } from './command.ts'
import { count } from './console.ts'
import { resetAsItIs } from './reset-as-it-is.ts'
import { withAnyTopics, withPorts } from './stage.ts'
import { partitionsOf } from './topics.ts'
import { wholeNumber } from './words.ts'

/** Up to where everybody has read, and who is the last of them. */
type Limit = { readonly offset: number; readonly reader: string }

const leaves = [
  'Positions, rows and the state of every version stay as they are, and the stream goes on.',
  'But history is no longer complete: whatever must compute these records again will refuse (apply with --backfill, --shadow or --forward-only; rollback and promote where',
  'rows must be filled; verify), and a new feature set cannot begin with them. apply --cold needs no history.',
].join('\n')

export const run: Run = async ({ args, options, config, console }) => {
  const topic = args[0]!
  const asked = wholeNumber(options, 'before')
  if (![inflowTopic, outflowTopic, deadTopic].includes(topic)) throw new Problem(`${topic} is no topic that reset knows the readers of`, `Name ${inflowTopic}, ${outflowTopic} or ${deadTopic}.`, { usage: true })
  if (options['asItIs'] === true) {
    if (topic === deadTopic) {
      throw new Problem(`nobody goes on from a place in ${deadTopic}`, `Name ${inflowTopic} or ${outflowTopic}.`, { usage: true })
    }
    if (asked !== undefined || options['partition'] !== undefined) {
      throw new Problem('--as-it-is takes a topic as a whole, and deletes nothing', 'Leave out --before and --partition.', { usage: true })
    }
    return withAnyTopics({ config, console }, ['reset'], (ports) => resetAsItIs(ports, topic, config.log.partitions, console))
  }
  return withPorts({ config, console }, ['reset'], (ports) => withSetsAtRest(ports, topic, async () => {
    const state = (await ports.log.topics()).find((one) => one.topic === topic)
    const due = state ? await cutsOf(ports, state, asked, options) : []
    const offsets = due.reduce((sum, { first, before }) => sum + before - first, 0)
    // Where some offsets are marks of the log's own, nobody knows how many records lie between two of them.
    const { gapless } = ports.log
    const done = (deleted: boolean) => (
      { topic, deleted: deleted ? (gapless ? offsets : null) : 0, partitions: due.map(({ partition, first, before, limit }) => ({ partition, first: deleted ? before : first, limit: limit.offset })) })
    if (offsets === 0) {
      const why = due.map(({ first, next, limit }) => {
        if (first === next) return `${topic} holds no record`
        return limit.offset <= first ? `${limit.reader} has taken none of what ${topic} holds` : `the records before offset ${asked} are gone already`
      })
      return console.result(`nothing to delete: ${[...new Set(why)].join('; ') || `there is no topic ${topic}`}`, done(false))
    }
    if (topic === inflowTopic) console.note(leaves)
    const cuts = due.filter(({ first, before }) => before > first)
    const ranges = cuts.map(({ partition, first, before }) => `${state!.partitions.length > 1 ? `partition ${partition}, ` : ''}offsets ${first} to ${before - 1}`)
    const what = `${gapless ? `${count(offsets)} ${offsets === 1 ? 'record' : 'records'}` : 'the records'} of ${topic} (${ranges.join('; ')})`
    if (!(await console.confirm(`Delete ${what}?`))) return console.result('nothing was changed', done(false))
    for (const { partition, before } of cuts) await ports.log.truncate(topic, partition, before)
    console.result(`deleted ${what}`, done(true))
  }))
}

/** Before which offset each partition is cut; refuses to go beyond what has been taken. */
async function cutsOf(ports: Ports, state: TopicState, asked: number | undefined, options: Options) {
  const { topic } = state
  const partitions = partitionsOf(state, options)
  if (asked !== undefined && partitions.length > 1) {
    throw new Problem(`${topic} has ${partitions.length} partitions, each with offsets of its own`, 'Leave out --before, or add --partition N.', { usage: true })
  }
  return Promise.all(partitions.map(async ({ partition, first, next }) => {
    const limit = await limitOf(ports, topic, partition, next)
    if (asked !== undefined && asked > limit.offset) {
      throw new Problem(`${limit.reader} has taken ${topic} only up to offset ${limit.offset}, and --before is ${asked}`, `Use --before ${limit.offset} at most.`)
    }
    return { partition, first, next, limit, before: Math.max(first, Math.min(asked ?? limit.offset, next)) }
  }))
}

async function limitOf({ warehouse, registry, checkpoints }: Ports, topic: string, partition: number, next: number): Promise<Limit> {
  if (topic === deadTopic) return { offset: next, reader: deadTopic }
  if (topic === outflowTopic) return { offset: Math.min(next, (await warehouse.progress(sinkReader(partition))) ?? 0), reader: 'the sink' }
  const limits: Limit[] = []
  for (const set of await knownSets(registry)) {
    if ((await knownVersions(registry, set)).at(-1)!.definition.batchOnly) continue
    limits.push({ offset: Math.min(next, (await loadPosition(checkpoints, set, partition)).offset), reader: set })
  }
  return limits.sort((a, b) => a.offset - b.offset)[0] ?? { offset: 0, reader: 'no feature set is applied, so nobody' }
}

/** While records of inflow go, no version may be in the middle of replaying them, nor have to take that up again. */
async function withSetsAtRest(ports: Ports, topic: string, work: () => Promise<void>): Promise<void> {
  if (topic !== inflowTopic) return work()
  const held: Lease[] = []
  try {
    for (const set of await knownSets(ports.registry)) {
      held.push(await ports.lease(`apply-${set}`))
      const [line] = await unfinishedIn(ports, set)
      if (line !== undefined) throw new Problem('records of inflow may be needed to finish what was begun', line)
    }
    await work()
  } finally {
    for (const lease of held) await lease.close()
  }
}
