/**
 * What becomes of layers of state: copied while nobody waits, where they are too many or are to go, and removed when nobody reads them any
 * more.
 */
import { dueEntries, saveDues } from '../streams/dues.ts'
import { loadPosition, type Position, type Run } from '../streams/position.ts'
import {
  isSameLayer,
  layersOf,
  layersThere,
  lookupBeneath,
  saveState,
  stateEntries,
  type Beneath,
  type Layer,
  type SetPartition,
} from '../streams/state.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Log, Writer } from '../utilities/log.ts'
import { forgetPlace } from './filled.ts'
import { handover } from './handover.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints }

/** Where versions of a set have their state, and under which name their place. */
export type OwnPartition = SetPartition & { readonly owner: string }

/** The first look at a key asks every layer, and every commit names them. */
const mostBeneath = 3

/** Whether a run reads the layer without writing it. */
export const isBeneath = ({ runs }: Position, layer: Layer): boolean =>
  runs.some(({ beneath = [] }) => beneath.some((one) => isSameLayer(one, layer)))

/** One that nothing was ever written to. */
export async function nextLayer({ checkpoints }: Pick<Ports, 'checkpoints'>, at: OwnPartition, version: number): Promise<number> {
  const { runs } = await loadPosition(checkpoints, at.owner, at.partition)
  const named = runs.map(layersOf).flatMap(({ beneath, ...own }) => [own, ...beneath])
  return (
    1 +
    Math.max(-1, ...[...named, ...(await layersThere(checkpoints, at))].filter((one) => one.version === version).map(({ layer }) => layer))
  )
}

/** Before another layer is laid upon those of these versions. */
export const thinned = (ports: Ports, at: OwnPartition, versions: readonly number[], signal: AbortSignal): Promise<void> =>
  gathered(ports, at, signal, ({ version, beneath = [] }) => versions.includes(version) && beneath.length >= mostBeneath)

/** Removes the state of a version; others that go on from it get what they still read in a layer of their own first. */
export async function letGo(ports: Ports, at: OwnPartition, version: number, signal: AbortSignal): Promise<void> {
  const { checkpoints } = ports
  const { runs } = await loadPosition(checkpoints, at.owner, at.partition)
  if (runs.some((run) => run.version === version && run.beneath)) await named(ports, at, version, undefined)
  await gathered(ports, at, signal, (run) => run.version !== version && (run.beneath ?? []).some((one) => one.version === version))
  const layers = (await layersThere(checkpoints, at)).filter((one) => one.version === version)
  const place = await forgetPlace(checkpoints, { definition: { set: at.set, version }, partition: at.partition })
  if (layers.length === 0 && place.length === 0) return
  const writer = await ports.log.writer(writerName(at))
  try {
    if (place.length > 0) await writer.commit({ save: place })
    for (const layer of layers) await removed(ports, writer, at, layer)
  } finally {
    await writer.close()
  }
}

const writerName = ({ owner, partition }: OwnPartition) => `layers/${owner}/${partition}`

/** The layers beneath a run become one of its own. What lies beneath does not change, so the stream waits only for the run to name it. */
async function gathered(ports: Ports, at: OwnPartition, signal: AbortSignal, isDue: (run: Run) => boolean): Promise<void> {
  const { runs } = await loadPosition(ports.checkpoints, at.owner, at.partition)
  const due = runs.filter(isDue)
  if (due.length === 0) return
  const writer = await ports.log.writer(writerName(at))
  try {
    for (const run of due) {
      await named(ports, at, run.version, [await copied(ports, writer, at, run, signal)])
      const own = (run.beneath ?? []).filter((one) => one.version === run.version)
      const after = await loadPosition(ports.checkpoints, at.owner, at.partition)
      for (const layer of own) if (!isBeneath(after, layer)) await removed(ports, writer, at, layer)
    }
  } finally {
    await writer.close()
  }
}

/** What lies beneath a version's run from now on. */
const named = (ports: Ports, at: OwnPartition, version: number, beneath: readonly Beneath[] | undefined): Promise<void> =>
  handover(ports, { ...at, by: `the state of ${at.set}@${version}` }, async (position) => {
    const runs = position.runs.map(({ beneath: before, ...run }) => {
      const now = run.version === version ? beneath : before
      return now ? { ...run, beneath: now } : run
    })
    return { position: { ...position, runs }, save: [] }
  })

async function copied(
  { checkpoints, ...ports }: Ports,
  writer: Writer,
  at: OwnPartition,
  { version, beneath = [] }: Run,
  signal: AbortSignal,
): Promise<Beneath> {
  const features = [...new Set(beneath.flatMap((one) => one.features.map(([feature]) => feature)))].map(
    (feature) => [feature, feature] as const,
  )
  const to = { version, layer: await nextLayer({ checkpoints, ...ports }, at, version), features }
  const found = await lookupBeneath(checkpoints, at, beneath)
  for (const layer of beneath) {
    for await (const entries of stateEntries(checkpoints, at, layer)) {
      signal.throwIfAborted()
      await writer.commit({ save: saveState(at, to, new Map(entries.map(([key]) => [key, found.get(key) ?? null]))) })
    }
    for await (const dues of dueEntries(checkpoints, at, layer)) await writer.commit({ save: saveDues(at, to, dues) })
  }
  return to
}

async function removed({ checkpoints }: Ports, writer: Writer, at: OwnPartition, layer: Layer): Promise<void> {
  // The states last: by them it is known that there is a layer to remove.
  for await (const dues of dueEntries(checkpoints, at, layer)) {
    const gone = dues.map((one) => ({ ...one, isDue: false }))
    await writer.commit({ save: saveDues(at, layer, gone) })
  }
  for await (const entries of stateEntries(checkpoints, at, layer)) {
    const save: Save[] = saveState(at, layer, new Map(entries.map(([key]) => [key, null])))
    await writer.commit({ save })
  }
}
