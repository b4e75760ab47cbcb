/**
 * The facts that a load changes, made into messages, some at a time: streams of a fact that go on side by side, one that begins by itself;
 * and the letters that tell of rows which make none.
 */
import { deadLetters } from '../streams/dead-letters.ts'
import type { Dead } from '../streams/dead.ts'
import { columnOf } from '../utilities/values/columns.ts'
import type { Append, Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Tables } from '../utilities/tables.ts'
import { factMaker, type FactChanges, type Unfit } from './facts-of.ts'
import { endGroups, factMessages, tickMessages, type Written } from './messages.ts'
import type { NeededFact } from './needed.ts'
import type { Ordered } from './order-here.ts'
import { orderFacts } from './order.ts'
import { lastNumber, lastTick, newFact, type FactPlace, type FactTotals, type IngestPlace, type LoadUnderWay } from './place.ts'

export type WritableFact = NeededFact & { readonly written: Written }

type Ports = { readonly log: Log; readonly registry: Registry; readonly tables: Tables }

/** What a commit has of a stream. */
type MadeOf = {
  readonly one: WritableFact
  readonly seq: number
  readonly messages: number
  readonly totals: FactTotals
  readonly tick?: FactPlace['tick']
}

export type MadeFacts = {
  readonly count: number
  readonly appends: readonly Append[]
  readonly streams: readonly MadeOf[]
  readonly fact: number
  readonly place: number
}

/** Streams of a fact that go on are written side by side, since a change has one number in all of them; one that begins, by itself. */
function passesOf(facts: readonly WritableFact[], places: IngestPlace['facts']): readonly (readonly WritableFact[])[] {
  const isBegun = ({ stream }: WritableFact) => places[stream.name]?.begun ?? false
  return [...Map.groupBy(facts, ({ fact }) => fact.name).values()].flatMap((versions) => {
    const begun = versions.filter(isBegun)
    return [...(begun.length > 0 ? [begun] : []), ...versions.filter((one) => !isBegun(one)).map((one) => [one])]
  })
}

type ToWrite = {
  readonly load: LoadUnderWay
  readonly places: IngestPlace['facts']
  readonly facts: readonly WritableFact[]
  readonly atOnce: number
}

export function factsToWrite(ports: Ports, { load, places, facts, atOnce }: ToWrite) {
  // As columns they take many times what their messages do.
  const placesAtOnce = Math.ceil(atOnce / 8)
  const { tables, registry, log } = ports
  const passes = passesOf(facts, places)
  let [fact, place] = [load.fact, load.place]
  let current: { readonly ordered: Ordered; readonly before: boolean } | undefined
  const listed = async (pass: readonly WritableFact[]) => {
    const versions = pass.map((one) => ({ fact: one.fact, maker: factMaker(one.fact, tables) }))
    const before = places[pass[0]!.stream.name]?.begun ?? false
    return { before, ordered: await orderFacts(tables, versions, { before }) }
  }
  return {
    passes: passes.length,
    async next(before: IngestPlace['facts'], wanted: number): Promise<MadeFacts> {
      const ticks: Append[] = []
      const appends: Append[] = []
      const dead: Append[] = []
      const streams: MadeOf[] = []
      let [count, now] = [0, before]
      const add = (one: MadeOf) => {
        streams.push(one)
        now = placesAfter(now, [one])
      }
      while (count < wanted && fact < passes.length) {
        const pass = passes[fact]!
        current ??= await listed(pass)
        const { ordered, before: wasThere } = current
        const to = Math.min(ordered.count, place + Math.min(placesAtOnce, wanted - count))
        const { name } = pass[0]!.fact
        const tick = place === 0 && !wasThere ? tickFirst(now, pass[0]!) : undefined
        if (tick) {
          ticks.push(...tick.appends)
          add(tick.made)
        }
        const found = to > place ? ordered.changes(place, to) : []
        const made = factMessages(pass.map(({ written }) => written))(
          found.map(({ changes }) => changes),
          { seq: lastNumber(now, name), known: knownAt(ordered, wasThere, place, to, BigInt(load.known)) },
        )
        const seqOf = ({ stream }: WritableFact) => (now[stream.name] ?? newFact).seq
        for (const [i, { changes, unfit }] of found.entries()) {
          const [one, { appends: own, count: messages, last }] = [pass[i]!, made[i]!]
          for (const append of own) appends.push(append)
          if (unfit.length > 0) dead.push(await letters({ registry, log }, one, unfit))
          add({ one, seq: messages > 0 ? last : seqOf(one), messages, totals: totalsOf({ changes, unfit }) })
        }
        if (to === place) for (const one of pass) add({ one, seq: seqOf(one), messages: 0, totals: noFacts })
        count += to - place
        place = to
        if (place >= ordered.count) [fact, place, current] = [fact + 1, 0, undefined]
      }
      endGroups(appends)
      // A tick is a group of its own, in front of the facts of its stream.
      return { count, appends: [...ticks, ...appends, ...dead], streams, fact, place }
    },
  }
}

/** When the change at each place of the list became known: of a load of files, all at once. */
function knownAt(ordered: Ordered, wasThere: boolean, from: number, to: number, load: bigint): (place: number) => bigint {
  // What stands became known with what came last.
  if (!wasThere || to <= from) return () => load
  const known = ordered.known(from, to)
  return (place) => known[place - from] || load
}

/** A version's stream that begins when dates have come already begins with the last of them. */
function tickFirst(
  now: IngestPlace['facts'],
  one: WritableFact,
): { readonly appends: readonly Append[]; readonly made: MadeOf } | undefined {
  const tick = lastTick(now, one.fact.name)
  if (!tick || tick.at === now[one.stream.name]?.tick?.at) return undefined
  const seq = lastNumber(now, one.fact.name)
  const appends = tickMessages(one.written, { seq, at: tick.at })
  return { appends, made: { one, seq: seq + 1, messages: appends.length, totals: noFacts, tick } }
}

export function placesAfter(places: IngestPlace['facts'], made: readonly MadeOf[]): IngestPlace['facts'] {
  const after = { ...places }
  for (const { one, seq, messages, tick } of made) {
    const before = after[one.stream.name] ?? newFact
    after[one.stream.name] = { ...before, seq, messages: before.messages + messages, tick: tick ?? before.tick }
  }
  return after
}

export const noFacts: FactTotals = { added: 0, changed: 0, removed: 0, unfit: 0 }

export function totalsOf({ changes, unfit }: FactChanges): FactTotals {
  const was = columnOf(changes, 'before', 'flag').values
  const is = columnOf(changes, 'after', 'flag').values
  let [added, changed, removed] = [0, 0, 0]
  for (let row = 0; row < was.length; row++) {
    if (was[row] === 0) added++
    else if (is[row] === 0) removed++
    else changed++
  }
  return { added, changed, removed, unfit: unfit.length }
}

export const sumOf = (a: FactTotals, b: FactTotals): FactTotals => ({
  added: a.added + b.added,
  changed: a.changed + b.changed,
  removed: a.removed + b.removed,
  unfit: a.unfit + b.unfit,
})

/** Rows that make no fact, by their keys. */
async function letters({ registry, log }: Pick<Ports, 'registry' | 'log'>, { fact, stream }: WritableFact, unfit: readonly Unfit[]) {
  const write = await deadLetters(registry, stream, await log.largestMessage(stream.dead))
  const dead = unfit.map(({ key, column, reason }, index): Dead => {
    const why = `${column}: ${reason}, so that there is no ${fact.name} of ${key} of ${fact.fact.of.name}`
    return { index, offset: -1, reason: why, bytes: Buffer.from(key) }
  })
  return write(dead, 0)
}
