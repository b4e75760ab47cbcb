/**
 * Tells whoever follows outflow alone what the journal says and the warehouse has: rows that came there by another way, then the versions
 * that are shown, in one commit in every partition of every outflow of the set. Told already is nothing to do.
 */
import { isDeepStrictEqual } from 'node:util'
import { registerShown, shownMessage, type Shown } from '../streams/for-services.ts'
import { unkept } from '../streams/kept-schemas.ts'
import { knownVersions, streamsOf } from '../streams/known-versions.ts'
import { hasUntold, tellNewest } from '../streams/tell-newest.ts'
import { loadShown, saveShown, type ShownTold } from '../streams/told.ts'
import type { VersionPorts } from './bring.ts'
import { isComplete, isComputed, shownIn, type SetState } from './journal.ts'
import type { Journal } from './keep.ts'

type Ports = Pick<VersionPorts, 'log' | 'registry' | 'checkpoints' | 'warehouse'>

/** Rows first: a version is shown once all of its keys are there. */
export async function tellServices(ports: Ports, journal: Journal, signal: AbortSignal): Promise<void> {
  await tellNewest(ports, { set: journal.state.set, isTold: hasRows(journal.state), signal })
  const places = await placesOf(ports, journal.state.set)
  const shown = shownOf(journal.state, places)
  if (isTold(shown, places, await loadShown(ports.checkpoints, shown.set))) return
  const registered = await registerShown(ports.registry)
  const batch = shownMessage(registered.id, shown)
  const append = places.flatMap(({ topic, ends }) => ends.map((_, partition) => ({ topic, partition, batch })))
  const at = places.map(({ topic, id, ends }) => ({ topic, id, offsets: ends.map(({ next }) => next) }))
  await journal.commit({ append, save: [saveShown({ ...shown, at }), ...(await unkept(ports, [registered]))] })
}

/** Whether anything is left to be told, by a store of before or by a command that was cut short. */
export async function hasToTell(ports: Omit<Ports, 'warehouse'>, state: SetState): Promise<boolean> {
  if (await hasUntold(ports, { set: state.set, isTold: hasRows(state) })) return true
  const places = await placesOf(ports, state.set)
  return !isTold(shownOf(state, places), places, await loadShown(ports.checkpoints, state.set))
}

const hasRows =
  ({ versions }: SetState) =>
  (version: number): boolean => {
    const own = versions[version]
    return own !== undefined && !own.retired && isComputed(own)
  }

type Place = { readonly topic: string; readonly id: string; readonly ends: readonly { readonly first: number; readonly next: number }[] }

/** The outflows of the set that are there. */
async function placesOf({ log, registry }: Pick<Ports, 'log' | 'registry'>, set: string): Promise<readonly Place[]> {
  const streamed = (await knownVersions(registry, set)).flatMap(({ definition }) => (definition.batchOnly ? [] : [definition]))
  const topics = await log.topics()
  const places = streamsOf(streamed).map(async ({ outflow: topic }) => ({
    topic,
    id: (await log.topicId(topic)) ?? '',
    ends: topics.find((one) => one.topic === topic)?.partitions ?? [],
  }))
  return (await Promise.all(places)).filter(({ ends }) => ends.length > 0)
}

function shownOf(state: SetState, places: readonly Place[]): Shown {
  const { set, events, versions, begun } = state
  return {
    set,
    events,
    change: begun === null ? 'settled' : begun.kind === 'planned' ? 'filled' : begun.kind,
    version: begun?.version ?? -1,
    chain: shownIn(state),
    complete: versions.filter((one) => !one.retired && isComplete(one)).map(({ version }) => version),
    retired: versions.filter(({ retired }) => retired).map(({ version }) => version),
    topics: places.map(({ topic, ends }) => ({ topic, partitions: ends.length })),
  }
}

/** It says the same, and is there to be read. */
function isTold(shown: Shown, places: readonly Place[], told: ShownTold | undefined): boolean {
  // Nobody can ask for a set of which nothing is there.
  if (places.length === 0 || (!told && shown.complete.length === 0 && shown.retired.length === 0)) return true
  const said = ({ chain, complete, retired, topics }: Shown) => ({ chain, complete, retired, topics })
  if (!told || !isDeepStrictEqual(said(shown), said(told))) return false
  return places.every(({ topic, id, ends }) => {
    const at = told.at.find((one) => one.topic === topic)
    return at?.id === id && ends.every(({ first }, partition) => first <= at.offsets[partition]!)
  })
}
