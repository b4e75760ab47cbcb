/**
 * What a store rests on beside its checkpoints: one registry, and topics as they were when they were first used. Both are kept in the
 * checkpoints and compared by whoever goes on from there: a place in one topic means nothing in another, and ids of one registry nothing in
 * another.
 */
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import { Fenced, type Log } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry, RegistryIdentity } from '../utilities/registry.ts'
import { fromBytes, loadPositions, ownersApplied, toBytes } from './position.ts'
import { heldBeyond, loadHeld } from './held.ts'
import { knownSets, streamedSets, streamsOf } from './known-versions.ts'
import { ownerOf, setOfOwner, streamWith, type Stream } from './stream.ts'

type Kept = { readonly log: Log; readonly checkpoints: Checkpoints }
type Registered = { readonly checkpoints: Checkpoints; readonly registry: Registry }

const storeName = 'store'
const topicsName = 'topics'

/** The sets that have a position. */
const setsOf = async (checkpoints: Checkpoints): Promise<readonly string[]> => [
  ...new Set((await ownersApplied(checkpoints)).map(setOfOwner)),
]

/** Refuses another registry than the store's own; true when it is known that this one is. */
export async function checkRegistry({ checkpoints, registry }: Registered): Promise<boolean> {
  const saved = (await checkpoints.load(storeName)).get('registry')
  const sets = await setsOf(checkpoints)
  if (!saved) {
    // A store of before: a registry that does not know its sets is not the one that they were applied with.
    const known = sets.length > 0 ? await knownSets(registry) : []
    const unknown = sets.filter((set) => !known.includes(set))
    if (unknown.length > 0) throw notOurs(`the registry that knows ${unknown.join(', ')}`, await registry.identity())
    return false
  }
  const [kept, now] = [fromBytes<RegistryIdentity>(saved), await registry.identity()]
  if (kept.id === now.id) return true
  // One that holds nothing belongs to nobody.
  if (sets.length === 0 && (await producedInto(checkpoints)).length === 0) return false
  throw kept.place === now.place ? lost(now) : notOurs(kept.place, now)
}

/** Whether this is a new registry in the place of the store's own, to which schemas can be put back. */
export async function hasLostRegistry({ checkpoints, registry }: Registered): Promise<boolean> {
  const saved = (await checkpoints.load(storeName)).get('registry')
  if (!saved || !registry.restore) return false
  const [kept, now] = [fromBytes<RegistryIdentity>(saved), await registry.identity()]
  return kept.id !== now.id && (kept.place === now.place || (await registry.subjects()).length === 0)
}

/** Once its schemas are put back, the new one is the store's. */
export const takeRegistry = ({ log, registry }: Kept & Registered): Promise<void> =>
  keepInStore(log, async () => [{ name: storeName, key: 'registry', value: toBytes(await registry.identity()) }])

/** The store belongs to this registry from now on, unless it belongs to another one, which is refused. */
export async function claimRegistry(ports: Kept & Registered): Promise<void> {
  if (await checkRegistry(ports)) return
  const claim = async () => ({ name: storeName, key: 'registry', value: toBytes(await ports.registry.identity()) })
  await keepInStore(ports.log, async () => ((await checkRegistry(ports)) ? [] : [await claim()]))
}

const notOurs = (whose: string, { place }: RegistryIdentity) =>
  new Problem(
    `this store belongs to ${whose}, and the config names ${place}: no record could be told by its schema`,
    'Use that registry (an embedded one lies in its data directory: --data-dir). Several machines share one in Glue.',
  )

const lost = ({ place }: RegistryIdentity) =>
  new Problem(
    `the registry ${place} is not the one that this store was made with: it was deleted or replaced, ` +
      'and without it no record can be told by its schema',
    'Put it back from a copy. Without one, a registry in a file is made again from the journal: tidemark repair; with another, ' +
      'start over with another topicPrefix or data directory.',
  )

/** The streams whose inflow holds anything. */
async function producedInto(checkpoints: Checkpoints): Promise<readonly Stream[]> {
  const streams = (await checkpoints.names('produced/')).map((name) => streamWith(name.slice('produced/'.length)))
  const held = await Promise.all(streams.map((stream) => loadHeld(checkpoints, stream)))
  return streams.filter((_, i) => held[i]!.length > 0)
}

/** Every stream that a set is computed over, or that somebody has produced into, by name: the one without a suffix first. */
export async function allStreams({ checkpoints, registry }: Registered): Promise<readonly Stream[]> {
  const streams = [...streamsOf(await streamedSets(registry)), ...(await producedInto(checkpoints))]
  return [...new Map(streams.map((stream) => [stream.name, stream])).values()].sort((a, b) => (a.suffix < b.suffix ? -1 : 1))
}

/** Refuses when a topic that the store goes on from is gone, or is another one under the same name. */
export async function checkTopics(ports: Kept & Registered): Promise<void> {
  const saved = await ports.checkpoints.load(topicsName)
  for (const { topic, kept, now } of await topicsNamed(ports, [...saved.keys()])) {
    if (kept === undefined || now === '' || now === kept) continue
    const anew = now === undefined ? '' : ', and the one of that name was made since'
    const stream = streamWith(topic)
    const loss = topic === stream.inflow ? await lossOf(ports, stream) : ''
    const left = now === undefined ? 'a new one' : 'what it holds now'
    throw new Problem(
      `the topic ${topic} that this store goes on from was deleted${anew}${loss}`,
      `Put it back from a copy, or go on with ${left}: tidemark reset ${topic} --as-it-is, which says what is lost.`,
    )
  }
}

/** Keeps which topics these streams have, where that is not known yet. */
export async function keepTopics(ports: Kept, streams: readonly Stream[]): Promise<void> {
  const topics = streams.flatMap(({ inflow, outflow }) => [inflow, outflow])
  const unkept = async () =>
    (await topicsNamed(ports, topics)).flatMap(({ topic, kept, now }) => (kept === undefined && now ? [keptTopic(topic, now)] : []))
  if ((await unkept()).length > 0) await keepInStore(ports.log, unkept)
}

export const keptTopic = (topic: string, id: string): Save => ({ name: topicsName, key: topic, value: toBytes(id) })

/** As it was kept, and as it is: see `Log.topicId`. */
export type StoreTopic = { readonly topic: string; readonly kept: string | undefined; readonly now: string | undefined }

export async function topicsNamed({ log, checkpoints }: Kept, topics: readonly string[]): Promise<readonly StoreTopic[]> {
  const saved = await checkpoints.load(topicsName)
  return Promise.all(
    topics.map(async (topic) => {
      const bytes = saved.get(topic)
      return { topic, kept: (bytes && fromBytes<string>(bytes)) || undefined, now: await log.topicId(topic) }
    }),
  )
}

/** What was produced and not taken, by set, in words that go on with what was said. */
async function lossOf({ checkpoints, registry }: Registered, stream: Stream): Promise<string> {
  const held = await loadHeld(checkpoints, stream)
  const applied = await ownersApplied(checkpoints)
  const sets = (await streamedSets(registry, stream)).filter((one) => applied.includes(ownerOf(one)))
  const losses = await Promise.all(
    sets.map(async ({ set, record }) => {
      const positions = await loadPositions(checkpoints, ownerOf({ set, record }))
      const { rows, first, last, atMost } = heldBeyond(held, Math.min(...positions.map(({ seq }) => seq)))
      const most = atMost || positions.length > 1 ? 'up to ' : ''
      return rows === 0 ? [] : [`${most}${rows} records of it (_seq ${first} to ${last}) had not been taken by ${set}`]
    }),
  )
  return losses
    .flat()
    .map((loss) => `: ${loss}`)
    .join('')
}

/** Others may keep something at the same moment: then it is looked at again. */
export async function keepInStore(log: Log, saves: () => Promise<readonly Save[]>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const writer = await log.writer(storeName)
    try {
      const save = await saves()
      if (save.length > 0) await writer.commit({ save })
      return
    } catch (error) {
      if (!(error instanceof Fenced) || attempt === 20) throw error
    } finally {
      await writer.close()
    }
  }
}
