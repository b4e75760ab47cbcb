/** `reset TOPIC --group NAME`: sets where a consumer group that keeps its place with Kafka goes on reading. */
import type { Log } from '../utilities/log/log.ts'
import { Problem } from '../utilities/problem.ts'
import type { Options } from './command.ts'
import type { Console } from './console.ts'

const ours = [
  "Tidemark's own consumer goes on from its checkpoint, and the sink from what the warehouse holds: what Kafka shows of their groups is for other",
  'tools only, and moving it moves neither.',
].join('\n')

export async function resetGroup(log: Log, topic: string, options: Options, console: Console): Promise<void> {
  const group = String(options['group'])
  if (options['before'] !== undefined || options['partition'] !== undefined) {
    throw new Problem('--group moves a group in the whole topic, and deletes nothing', 'Leave out --before and --partition.', { usage: true })
  }
  const { server } = log
  if (!server) throw new Problem('the embedded log has no consumer groups', 'Only groups of Kafka can be moved.', { usage: true })
  const state = (await log.topics()).find((one) => one.topic === topic)
  if (!state) throw new Problem(`there is no topic ${topic}`, 'See which there are: tidemark topics')
  const groups = await server.groups(topic)
  const found = groups.find((one) => one.group === group)
  if (!found) {
    const others = groups.length > 0 ? `Those that do are ${groups.map((one) => one.group).join(', ')}.` : 'None does.'
    throw new Problem(`no consumer group ${group} keeps its place in ${topic}`, others)
  }
  const offsets = wanted(state.partitions, String(options['to'] ?? 'start'), topic)
  const moves = offsets.map((to, partition) => ({ partition, from: found.offsets[partition] ?? null, to }))
  const result = (moved: boolean) => ({ topic, group, moved, partitions: moves })
  if (moves.every(({ from, to }) => from === to)) return console.result(`nothing to do: ${group} is there already`, result(false))
  console.note(ours)
  const words = moves.filter(({ from, to }) => from !== to).map(({ partition, from, to }) => `partition ${partition} from ${from ?? 'none'} to ${to}`).join('; ')
  if (!(await console.confirm(`Move the group ${group} in ${topic} (${words})?`))) return console.result('nothing was changed', result(false))
  await server.moveGroup(group, topic, offsets)
  console.result(`moved the group ${group} in ${topic} (${words})`, result(true))
}

function wanted(partitions: readonly { readonly first: number; readonly next: number }[], where: string, topic: string): number[] {
  if (where === 'start') return partitions.map(({ first }) => first)
  if (where === 'end') return partitions.map(({ next }) => next)
  const offset = /^\d+$/.test(where) ? Number(where) : NaN
  if (!Number.isSafeInteger(offset)) throw new Problem(`--to ${where} is no place in a topic`, 'Use start, end or an offset.', { usage: true })
  if (partitions.length > 1) throw new Problem(`${topic} has ${partitions.length} partitions, each with offsets of its own`, 'Use --to start or --to end.', { usage: true })
  const { first, next } = partitions[0]!
  if (offset < first || offset > next) throw new Problem(`${topic} holds offsets ${first} to ${next - 1}`, `Use --to with one from ${first} to ${next}.`)
  return [offset]
}
