/** The facts that a load changes, made into messages, some at a time; and the letters that tell of rows which make none. */
import { deadLetters } from '../streams/dead-letters.ts'
import type { Dead } from '../streams/dead.ts'
import { columnOf } from '../utilities/values/columns.ts'
import type { Append, Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Tables } from '../utilities/tables.ts'
import { factMaker, type FactChanges, type FactMaker, type Unfit } from './facts-of.ts'
import { endGroups, factMessages, type Written } from './messages.ts'
import type { NeededFact } from './needed.ts'
import { orderFacts } from './order.ts'
import { newFact, type FactTotals, type IngestPlace, type LoadUnderWay } from './place.ts'

export type WritableFact = NeededFact & { readonly written: Written }

type Ports = { readonly log: Log; readonly registry: Registry; readonly tables: Tables }

export type MadeFacts = {
  readonly count: number
  readonly appends: readonly Append[]
  readonly streams: readonly { readonly one: WritableFact; readonly seq: number; readonly messages: number; readonly totals: FactTotals }[]
  readonly fact: number
  readonly place: number
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
  let [fact, place] = [load.fact, load.place]
  let current: { readonly maker: FactMaker; readonly count: number; readonly before: boolean } | undefined
  const listed = async ({ fact: schema, stream }: WritableFact) => {
    const maker = factMaker(schema, tables)
    const before = places[stream.name]?.begun ?? false
    return { maker, before, count: await orderFacts(tables, schema, maker, { before }) }
  }
  return {
    async next(now: IngestPlace['facts'], wanted: number): Promise<MadeFacts> {
      const appends: Append[] = []
      const dead: Append[] = []
      const streams: MadeFacts['streams'][number][] = []
      const seqs = new Map<string, number>()
      const lastSeq = ({ stream }: WritableFact) => seqs.get(stream.name) ?? (now[stream.name] ?? newFact).seq
      let count = 0
      while (count < wanted && fact < facts.length) {
        const one = facts[fact]!
        current ??= await listed(one)
        const to = Math.min(current.count, place + Math.min(placesAtOnce, wanted - count))
        if (to > place) {
          const found = current.maker.changes('ordered', place, to, { before: current.before })
          const seq = lastSeq(one)
          const made = factMessages(one.written)(found.changes, { seq, known: BigInt(load.known) })
          seqs.set(one.stream.name, seq + made.count)
          for (const append of made.appends) appends.push(append)
          if (found.unfit.length > 0) dead.push(await letters({ registry, log }, one, found.unfit))
          streams.push({ one, seq: seq + made.count, messages: made.count, totals: totalsOf(found) })
          count += to - place
        } else streams.push({ one, seq: lastSeq(one), messages: 0, totals: noFacts })
        place = to
        if (place >= current.count) [fact, place, current] = [fact + 1, 0, undefined]
      }
      endGroups(appends)
      return { count, appends: [...appends, ...dead], streams, fact, place }
    },
  }
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
