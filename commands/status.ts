/** `status`: what is where. */
import { loadPosition, running } from '../feature-defs/checkpoint.ts'
import { loadHeld } from '../feature-defs/held.ts'
import { deadTopic, inflowTopic, outflowTopic } from '../feature-defs/inflow.ts'
import { knownSets, knownVersions } from '../feature-defs/known-versions.ts'
import { sinkReader } from '../sink/sink.ts'
import { promotedOf } from '../versions/layout.ts'
import type { Run } from './command.ts'
import { count, table, type Cell, type Json } from './console.ts'
import { withPorts } from './stage.ts'

export const run: Run = async ({ config, console }) =>
  withPorts({ config, console }, [], async ({ log, registry, checkpoints, warehouse }) => {
    const topics = await log.topics()
    const end = (topic: string) => topics.find((one) => one.topic === topic)?.partitions[0]?.next ?? 0
    const sunk = (await warehouse.progress(sinkReader(0))) ?? 0
    const sets: Cell[][] = []
    const values: Json[] = []
    for (const set of await knownSets(registry)) {
      const position = await loadPosition(checkpoints, set, 0)
      const promoted = promotedOf(await warehouse.versions(set))?.version ?? null
      const live = running(position).map(({ version }) => version)
      const batchOnly = (await knownVersions(registry, set)).at(-1)!.definition.batchOnly
      const lag = batchOnly ? null : Math.max(0, end(inflowTopic) - position.offset)
      sets.push([set, promoted === null ? null : `@${promoted}`, live.map((version) => `@${version}`).join(' '), position.seq, lag, position.duplicates, position.dead, position.hold ? position.hold.kind : ''])
      values.push({ set, promoted, live, position: position.seq, offset: position.offset, lag, duplicates: position.duplicates, dead: position.dead, hold: (position.hold ?? null) as unknown as Json, history: position.history as unknown as Json, runs: position.runs as unknown as Json })
    }
    const held = await loadHeld(checkpoints)
    const lines = [
      sets.length === 0 ? 'No feature set is applied yet: tidemark apply loan_risk@0' : table(['feature set', 'promoted', 'live', 'last record', 'lag', 'duplicates', 'dead', 'held by'], sets),
      '',
      table(['topic', 'messages', 'bytes', 'read by'], topics.map(({ topic, partitions, bytes }) => [
        topic,
        partitions.reduce((sum, { first, next }) => sum + next - first, 0),
        bytes,
        topic === outflowTopic ? `sink, lag ${count(Math.max(0, end(outflowTopic) - sunk))}` : topic === deadTopic ? 'nobody: look at them with tidemark topics' : 'consume',
      ])),
      ...held.map(({ identity, ranges }) => `inflow holds rows ${ranges.map(([first, last]) => `${first}–${last}`).join(', ')} of ${identity.name}`),
    ]
    console.result(lines.join('\n'), {
      dataDir: config.dataDir,
      sets: values,
      topics: topics as unknown as Json,
      sink: { next: sunk, lag: Math.max(0, end(outflowTopic) - sunk) },
      inflow: held as unknown as Json,
    })
  })
