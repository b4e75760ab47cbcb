/** Makes a stream ready for messages of its fact: its schema, its topics, and what they are spread by. */
import { registerInflow } from '../streams/inflow.ts'
import { ensureTopics, keyOrOne } from '../streams/routing.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { NeededFact } from './needed.ts'
import type { WritableFact } from './facts-to-write.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry }

/** With so many partitions if its topics have to be made. */
export async function writableFact(
  ports: Ports,
  needed: NeededFact,
  wanted: number,
): Promise<{ readonly one: WritableFact; readonly registered: Registered }> {
  const { fact, stream, pers } = needed
  const partitions = (await ports.log.partitions(stream.inflow)) || wanted
  const [per = null] = pers
  if (partitions > 1 && (pers.length > 1 || per === null)) throw unspreadable(needed, partitions)
  const registered = await registerInflow(ports.registry, fact)
  await ensureTopics(ports, stream, partitions)
  return {
    one: { ...needed, written: { fact, id: registered.id, per, onePer: pers.length === 1 && per !== null, partitions } },
    registered,
  }
}

const unspreadable = ({ stream, pers }: NeededFact, partitions: number) =>
  pers.length > 1
    ? new Problem(
        `${stream.inflow} has ${partitions} partitions, and the sets over it have several keys`,
        'Use an inflow of one partition: log.partitions 1, with another topicPrefix or data directory.',
      )
    : new Problem(
        `${stream.inflow} has ${partitions} partitions, and no key says which of them a fact belongs to`,
        `Give the set ${keyOrOne}`,
      )
