/** `serve`: keeps what services read, beside whatever else is at work, and says how far it has come. */
import { openServing, type ServingNews, type ServingPorts } from '../serving/open.ts'
import type { Serving } from '../serving/serving.ts'
import { knownSets } from '../streams/known-versions.ts'
import { loadShown } from '../streams/told.ts'
import { Held, type Lease } from '../utilities/lease.ts'
import type { Served } from '../utilities/served.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { loadState, openJournal } from '../versions/keep.ts'
import { project } from '../versions/project.ts'
import { hasToTell, tellServices } from '../versions/tell-services.ts'

type Ports = VersionPorts &
  Omit<ServingPorts, 'served'> & {
    readonly openServed: () => Promise<Served>
    readonly lease: (name: string) => Promise<Lease>
  }

export type ServeOptions = { readonly report?: (news: ServingNews) => void; readonly note: (text: string) => void }

/** One process at a time keeps the store. It can be read from the start; `isCaughtUp` tells when it has what there was then. */
export async function serveRows(ports: Ports, { report = () => {}, note }: ServeOptions): Promise<Serving> {
  const lease = await ports.lease('serve')
  try {
    const served = await ports.openServed()
    const before = (signal: AbortSignal) => tellWhatIsLeft(ports, note, signal)
    const serving = openServing({ ...ports, served }, { before, report, note })
    return { ...serving, close: () => serving.close().finally(() => lease.close()) }
  } catch (error) {
    await lease.close()
    throw error
  }
}

/** Of stores from before outflow told it, and where outflow lost what it had told: the one time that the warehouse may be asked. */
async function tellWhatIsLeft(ports: Ports, note: (text: string) => void, signal: AbortSignal): Promise<void> {
  for (const set of await knownSets(ports.registry)) {
    const state = await loadState(ports, set)
    // A command that is at work, or was cut short, tells it when it comes to its end.
    const isBegun = state.begun !== null && (await loadShown(ports.checkpoints, set)) !== undefined
    if (state.versions.length === 0 || isBegun || !(await hasToTell(ports, state))) continue
    const lease = await ports.lease(`apply-${set}`).catch((error: unknown) => {
      if (!(error instanceof Held)) throw error
      note(`${set}: ${error.what}, so that what outflow lacks of it is told when serving begins next`)
    })
    if (!lease) continue
    const journal = await openJournal(ports, set)
    try {
      await project(ports, journal.state)
      await tellServices(ports, journal, signal)
    } finally {
      await journal.close()
      await lease.close()
    }
  }
}

export type Readiness = {
  readonly isReady: boolean
  /** Partitions that are behind, with so many offsets to go. */
  readonly behind: readonly { readonly topic: string; readonly partition: number; readonly offsets: number }[]
}

export const readinessOf = (serving: Serving): Readiness => ({
  isReady: serving.isCaughtUp(),
  behind: serving.places().flatMap(({ topic, partition, next, end }) => (end > next ? [{ topic, partition, offsets: end - next }] : [])),
})
