/** Which facts and events are made: those of which a version of a set is left that is not retired, and those that sets begin with. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { neededEvents, neededFacts, type NeededEvent, type NeededFact } from '../ingest/needed.ts'
import { knownSets } from '../streams/known-versions.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { loadState } from '../versions/keep.ts'

type Ports = Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>

/** By the definitions as the code has them, and by what was released. */
export async function factsNeeded(ports: Ports, definitions: readonly Definition[]): Promise<readonly NeededFact[]> {
  return neededFacts({ registry: ports.registry, definitions, isRetired: await retiredIn(ports) })
}

/** Whether a version of a set is retired. */
export async function retiredIn(ports: Ports): Promise<(of: Pick<Definition, 'set' | 'version'>) => boolean> {
  const states = new Map(
    await Promise.all((await knownSets(ports.registry)).map(async (set) => [set, await loadState(ports, set)] as const)),
  )
  return ({ set, version }) => states.get(set)?.versions[version]?.retired ?? false
}

/** The events that are made, by the same. */
export const eventsNeeded = async (ports: Ports, definitions: readonly Definition[]): Promise<readonly NeededEvent[]> =>
  neededEvents({ registry: ports.registry, definitions, isRetired: await retiredIn(ports) })
