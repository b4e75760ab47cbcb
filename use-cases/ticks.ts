/** Tells streams of facts, day by day or hour by hour as the clock goes on, that dates have come. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dateAt, everyDay, type Pace } from '../ingest/dates.ts'
import type { NeededFact } from '../ingest/needed.ts'
import { lastTick, loadPlace } from '../ingest/place.ts'
import { tick, type Ticked } from '../ingest/tick.ts'
import type { FactSchema } from '../schemas/fact.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Lease } from '../utilities/lease.ts'
import type { Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { factsNeeded } from './facts-needed.ts'

export type TicksPorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly warehouse: Warehouse
  readonly clock: Clock
  readonly lease: (name: string) => Promise<Lease>
}

export type TicksOptions = {
  /** By the name of the fact; every day in UTC where nothing is said. */
  readonly ticks: { readonly [fact: string]: Pace }
  readonly partitions: (fact: FactSchema) => number
  readonly signal: AbortSignal
  readonly report: (ticked: Ticked) => void
  /** Up to when all that a fact is made from has come, in milliseconds since 1970: a date that lies behind waits. */
  readonly passed?: (fact: FactSchema) => number
  /** Hears why dates that have come must wait, once. */
  readonly note: (text: string) => void
}

/** So often the clock is looked at. */
const lookMs = 5_000

export async function tickByTheClock(ports: TicksPorts, options: TicksOptions): Promise<void> {
  let said = ''
  while (!options.signal.aborted) {
    try {
      await tickOnce(ports, options)
    } catch (error) {
      // A load on another machine has taken the border over, or what is missing is put back: it is tried again.
      if (!(error instanceof Problem)) throw error
      if (error.what !== said) options.note(`ticks wait: ${(said = error.what)}`)
    }
    await sleep(lookMs, undefined, { signal: options.signal }).catch(() => undefined)
  }
}

/** Whoever loads has the border to itself: what is due then waits. */
export async function tickOnce(ports: TicksPorts, { partitions, report, ...options }: TicksOptions): Promise<void> {
  const due = await dueNow(ports, options)
  if (due.length === 0) return
  const lease = await ports.lease('ingest').catch((error: unknown) => {
    if (error instanceof Problem) return undefined
    throw error
  })
  if (!lease) return
  try {
    // Once more: a load may have begun, or a date come, before the border was ours.
    for (const { facts, at } of await dueNow(ports, options))
      report(await tick(ports, { facts, at, partitions: partitions(facts[0]!.fact) }))
  } finally {
    await lease.close()
  }
}

type Due = { readonly facts: readonly NeededFact[]; readonly at: number }

/** The facts that have come, version by version, and were not told yet that the date has. */
async function dueNow(
  ports: TicksPorts,
  { ticks, passed = () => Infinity }: Pick<TicksOptions, 'ticks' | 'passed'>,
): Promise<readonly Due[]> {
  const { load, facts: places } = await loadPlace(ports.checkpoints)
  if (load || Object.keys(places).length === 0) return []
  const now = Number(ports.clock() / 1_000_000n)
  const needed = (await factsNeeded(ports, [])).filter(({ retired, stream }) => !retired && places[stream.name]?.begun)
  return [...Map.groupBy(needed, ({ fact }) => fact.name)].flatMap(([name, facts]) => {
    const { fact } = facts[0]!
    const at = dateAt(Math.min(now, passed(fact)), ticks[name] ?? everyDay, fact.fields[fact.at]!.kind as 'date' | 'timestamp')
    return at > (lastTick(places, name)?.at ?? -Infinity) ? [{ facts, at }] : []
  })
}
