/** Which versions are computed: the promoted one and the shadows. */
import { loadPositions, running, type Position } from '../feature-defs/checkpoint.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import type { VersionPorts } from './growth.ts'
import { handover } from './handover.ts'

export const shadowsOf = async ({ warehouse }: Pick<VersionPorts, 'warehouse'>, set: string): Promise<ReadonlySet<number>> =>
  new Set((await warehouse.versions(set)).filter(({ state }) => state === 'shadow' || state === 'filling').map(({ version }) => version))

/** Every version but this one and the shadows stops after the last record taken. */
export const withEnded = (position: Position, version: number, shadows: ReadonlySet<number>): Position => ({
  ...position,
  runs: position.runs.map((run) => (run.until !== null || run.version === version || shadows.has(run.version) ? run : { ...run, until: position.seq })),
})

export async function endRuns(ports: VersionPorts, set: string, butVersion: number): Promise<void> {
  const shadows = await shadowsOf(ports, set)
  for (const partition of (await loadPositions(ports.checkpoints, set)).keys()) {
    await handover(ports, { set, partition, by: `the switch to ${set}@${butVersion}` }, async (position) => ({ position: withEnded(position, butVersion, shadows), save: [] }))
  }
}

/** Tells the registry, for people and other tools, what the checkpoint says. */
export async function labelLive(ports: Pick<VersionPorts, 'registry' | 'checkpoints'>, set: string): Promise<void> {
  for (const { id, live } of await staleLabels(ports, set)) await ports.registry.label(id, { live })
}

/** What the registry should say and does not: the last step of every command, so that none means that the last one came to its end. */
export async function staleLabels({ registry, checkpoints }: Pick<VersionPorts, 'registry' | 'checkpoints'>, set: string): Promise<readonly { readonly id: string; readonly live: 'yes' | 'no' }[]> {
  const live = new Set((await loadPositions(checkpoints, set)).flatMap(running).map(({ version }) => version))
  return (await knownVersions(registry, set)).flatMap(({ definition, registered }) => {
    const now = live.has(definition.version) ? 'yes' : 'no'
    return registered.labels['live'] === now ? [] : [{ id: registered.id, live: now } as const]
  })
}
