/**
 * The rows of a set as they were at each label's moment: rows stream by once for a block of labels, in whatever order, and the best stay.
 */
import { columnOf, nullColumn, type Column } from '../utilities/values/columns.ts'
import { mixed } from '../utilities/values/mixed.ts'
import type { AskedSet, AskedVersion, Promotion } from './asked.ts'
import { keyName, type Block } from './block.ts'
import { keepAll, newKept, type Kept } from './kept.ts'
import { knownOf, type Keys } from './keys.ts'
import { keysOfRows } from './label-keys.ts'
import { bestOf, offer, slotFrom, slotsOf, type Slots } from './slots.ts'
import { offeredOf, timeColumns, type Rule } from './times.ts'
import { ownTexts } from '../utilities/values/own-texts.ts'
import { inOrder } from './in-order.ts'

/** What became of a label. */
export const outcomes = ['found', 'noSuchKey', 'beforeFirstLoad', 'beforeFirstRow', 'tooOld', 'beforePromotion'] as const
export type Outcome = (typeof outcomes)[number]

export interface Answers {
  /** The features of the labels from..end of the block. */
  feature(name: string, from: number, end: number): Column
  /** The version that each is of, and how old its row was, in seconds. */
  version(from: number, end: number): Column
  age(from: number, end: number): Column
  readonly counts: Readonly<Record<Outcome, number>>
}

export type AnswerOptions = {
  readonly rule: Rule
  /** In microseconds: older rows count as none. */
  readonly maxAge: number
  readonly signal: AbortSignal
  readonly report: (rows: number) => void
}

/** What was found among the rows of a version. */
export type Found = {
  readonly version: number
  /** The values of the rows that are answers; behind all other places there is one for nulls. */
  readonly kept: ReadonlyMap<string, Kept>
  readonly nulls: number
  /** Where the label's row is, -1 where there is none. */
  readonly placeOf: (label: number) => number
  /** In microseconds. */
  readonly timeOf: (place: number) => number
  /** Whether there is any row of the label's key. */
  readonly isMet: (label: number) => boolean
  /** The first moment that anything was known of facts. */
  readonly earliest: number
}

export async function answersOf(asked: AskedSet, block: Block, options: AnswerOptions): Promise<Answers> {
  const { keys, numbers } = block.keys.get(keyName(asked.per))!
  const served = asked.promotions && servedAt(asked.promotions, block.moments)
  const found: Found[] = []
  for (const one of asked.versions) {
    const own = served ? numbers.map((key, label) => (served[label] === one.version ? key : -1)) : numbers
    const slots = slotsOf(own, block.moments, keys.count)
    if (slots.moments.length > 0) found.push(await lookedThrough(asked, one, { slots, keys, numbers, moments: block.moments }, options))
  }
  return pointed(asked, block, { found, served, maxAge: options.maxAge })
}

/** The version that was promoted at each moment, -1 before the first. */
export function servedAt(promotions: readonly Promotion[], moments: Float64Array): Int32Array {
  return Int32Array.from(moments, (moment) => promotions.findLast(({ from }) => from <= moment)?.version ?? -1)
}

type Places = { readonly slots: Slots; readonly keys: Keys; readonly numbers: Int32Array; readonly moments: Float64Array }

async function lookedThrough(
  asked: AskedSet,
  { version, has, rows }: AskedVersion,
  places: Places,
  options: AnswerOptions,
): Promise<Found> {
  const { of, per, features } = asked
  const { rule, signal, report } = options
  const { slots, keys, numbers, moments } = places
  const kept = new Map(features.map(({ name, type }) => [name, newKept(type, slots.moments.length)]))
  const offered = new Map([...kept].filter(([name]) => has.includes(name)))
  const names = [...new Set([...per.map(({ name }) => name), ...timeColumns(of, rule), '_seq', ...offered.keys()])]
  const check = inOrder(of.facts, asked)
  let earliest = Infinity
  for await (const part of rows(names)) {
    signal.throwIfAborted()
    check(columnOf(part, '_seq', 'int').values)
    const one = offeredOf(of, rule, part, knownOf(keys, keysOfRows(part, per)), slots)
    earliest = Math.min(earliest, one.earliest)
    keepAll(offered, part, offer(slots, one))
    report(part.count)
  }
  const best = bestOf(slots)
  return {
    version,
    kept,
    nulls: slots.moments.length,
    placeOf: (label) => best[slotFrom(slots, numbers[label]!, moments[label]!)]!,
    timeOf: (place) => slots.best[2 * place]!,
    isMet: (label) => slots.met[numbers[label]!] === 1,
    earliest,
  }
}

type Pointing = {
  readonly found: readonly Found[]
  /** The version of each label, where that differs. */
  readonly served: Int32Array | undefined
  readonly maxAge: number
}

/** Which row of which version is each label's; the place behind all slots holds nulls. */
export function pointed(
  { version: asked, promotions, features }: AskedSet,
  { count, moments }: Block,
  { found, served, maxAge }: Pointing,
): Answers {
  const [which, places] = [new Uint8Array(count), new Int32Array(count)]
  const ages = new Float64Array(count).fill(NaN)
  const counts = Object.fromEntries(outcomes.map((one) => [one, 0])) as Record<Outcome, number>
  const byVersion = new Map(found.map(({ version }, i) => [version, i]))
  for (let label = 0; label < count; label++) {
    const version = served ? served[label]! : asked
    const i = byVersion.get(version)
    which[label] = i ?? 0
    places[label] = found[which[label]!]?.nulls ?? 0
    if (i === undefined) {
      counts[version < 0 ? 'beforePromotion' : 'noSuchKey']++
      continue
    }
    const { placeOf, timeOf, isMet, earliest } = found[i]!
    const moment = moments[label]!
    const place = placeOf(label)
    if (place < 0) {
      counts[moment < earliest && earliest < Infinity ? 'beforeFirstLoad' : isMet(label) ? 'beforeFirstRow' : 'noSuchKey']++
      continue
    }
    const age = moment - timeOf(place)
    if (age > maxAge) {
      counts.tooOld++
      continue
    }
    counts.found++
    places[label] = place
    ages[label] = age / 1_000_000
  }
  const versionOf = (label: number) => (ages[label] === ages[label] ? (promotions ? served![label]! : asked) : NaN)
  return {
    counts,
    feature(name, from, end) {
      if (found.length === 0) return nullColumn(features.find((one) => one.name === name)!.type, end - from)
      const columns = found.map(({ kept }) => kept.get(name)!.column())
      return ownTexts(mixed(columns, { which: which.subarray(from, end), rows: places.subarray(from, end) }))
    },
    version: (from, end) => ({ kind: 'int', values: Float64Array.from({ length: end - from }, (_, i) => versionOf(from + i)) }),
    age: (from, end) => ({ kind: 'number', values: ages.slice(from, end) }),
  }
}
