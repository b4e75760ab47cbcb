/** Makes a stream ready for messages of its fact: its schema, its topics, and what they are spread by. */
import { registerInflow } from '../streams/inflow.ts'
import { ensureTopics, keyToSpreadBy } from '../streams/routing.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
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
  const per = keyToSpreadBy(stream, partitions, pers, 'fact')
  const registered = await registerInflow(ports.registry, fact)
  await ensureTopics(ports, stream, partitions)
  return {
    one: { ...needed, written: { fact, id: registered.id, per, onePer: pers.length === 1 && per !== null, partitions } },
    registered,
  }
}
