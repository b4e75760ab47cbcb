/**
 * Messages of a fact as columns, and streams of them by chance: facts of a few keys come, change, move to another key and leave; dates
 * come.
 */
import type { Value } from '../feature-defs/values.ts'
import { featureColumn } from '../feature-defs/feature-columns.ts'
import type { FactSchema } from '../schemas/fact.ts'
import type { Field } from '../schemas/record.ts'
import { date, decimal, fact, flag, integer, table, text, timestamp } from '../feature-defs/language.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { textColumn } from '../feature-defs/values.ts'

/** NaN is null. */
export type FactValues = { readonly [field: string]: Value }
export type FactMessage = {
  readonly seq: number
  readonly known: bigint
  readonly key: string | null
  readonly before: FactValues | null
  readonly after: FactValues | null
  readonly tick: number | null
  readonly groupEnd: boolean
}

const columnOf = (field: Field, values: readonly Value[]): Column =>
  featureColumn(field, ['number', 'date', 'flag'].includes(field.kind) ? Float64Array.from(values as number[]) : [...values])

/** As a decoder of the fact's schema gives them. */
export function columnsOfFacts({ at, fields }: FactSchema, messages: readonly FactMessage[]): Columns {
  const flags = (values: readonly boolean[]): Column => ({ kind: 'flag', values: Uint8Array.from(values, Number) })
  const side = (name: 'before' | 'after'): (readonly [string, Column])[] => [
    [name, { kind: 'flag', values: Uint8Array.from(messages, (one) => (one[name] ? 1 : 0)) }],
    ...Object.entries(fields).map(
      ([own, field]) =>
        [
          `${name}.${own}`,
          columnOf(
            field,
            messages.map((one) => one[name]?.[own] ?? NaN),
          ),
        ] as const,
    ),
  ]
  const changeOf = ({ before, after, tick }: FactMessage) =>
    tick !== null ? 'tick' : before && after ? 'changed' : before ? 'removed' : 'added'
  return {
    count: messages.length,
    byName: new Map<string, Column>([
      ['_seq', { kind: 'int', values: Float64Array.from(messages, ({ seq }) => seq) }],
      ['known', { kind: 'long', values: BigInt64Array.from(messages, ({ known }) => known) }],
      ['change', textColumn(messages.map(changeOf))],
      ['key', textColumn(messages.map(({ key }) => key ?? NaN))],
      ...side('before'),
      ...side('after'),
      ['group_end', flags(messages.map(({ groupEnd }) => groupEnd))],
      [
        'tick',
        columnOf(
          fields[at]!,
          messages.map(({ tick }) => tick ?? NaN),
        ),
      ],
    ]),
  }
}

const lines = table(
  'lines',
  { key: 'line_id' },
  {
    line_id: text({ bytes: 20 }),
    account: text({ bytes: 20 }),
    item: integer(),
    issued: date(),
    moment: timestamp(),
    amount: decimal({ digits: 14, scale: 2 }),
    unpaid: flag(),
  },
)

const fields = {
  account: text({ bytes: 20 }),
  item: integer(),
  amount: decimal({ digits: 14, scale: 2 }),
  unpaid: flag(),
}

/** Sales that are dated by day, and such that are by the microsecond. */
export const saleByDay = fact('sale', { of: lines, at: 'issued' }, { ...fields, issued: date({ nullable: false }) })
export const saleByMoment = fact('sale_moment', { of: lines, at: 'moment' }, { ...fields, moment: timestamp({ nullable: false }) })

export const dayMicros = 86_400_000_000
const firstDay = 20_000

/** A generator of its own for each seed. */
export function chanceOf(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

export type MessagesByChance = {
  readonly fact: FactSchema
  readonly messages: number
  /** A move to another account is a fact that leaves and one that comes, as where partitions are by account. */
  readonly movesApart?: boolean
}

/** Every one of them is whole: groups end. */
export function messagesByChance(seed: number, { fact, messages: count, movesApart = false }: MessagesByChance): readonly FactMessage[] {
  const below = chanceOf(seed)
  const byDay = fact.fields[fact.at]!.kind === 'date'
  const standing = new Map<string, FactValues>()
  const messages: FactMessage[] = []
  let [seq, now] = [0, firstDay]
  const valuesOf = (): FactValues => {
    // Mostly of now or a little before; some of long ago, some of a time to come.
    const day = now + [0, 0, -1, -2, -below(50), below(40)][below(6)]!
    return {
      account: below(12) === 0 ? NaN : `a${below(5)}`,
      item: below(10) === 0 ? NaN : below(6),
      amount: below(8) === 0 ? NaN : below(100_000) - 20_000,
      unpaid: [0, 1, 1, NaN][below(4)]!,
      [fact.at]: byDay ? day : day * dayMicros + below(4) * 21_600_000_000,
    }
  }
  const add = (one: Pick<FactMessage, 'key' | 'before' | 'after' | 'tick'>, groupEnd: boolean) => {
    seq += 1 + (below(5) === 0 ? below(3) : 0)
    messages.push({ seq, known: BigInt(now) * 86_400_000_000_000n + BigInt(below(86_400)) * 1_000_000_000n, groupEnd, ...one })
  }
  while (messages.length < count) {
    if (below(4) === 0) now += below(3) === 0 ? below(20) : 1
    if (below(9) === 0) {
      // Some of them skip many days, and change many keys at once.
      if (below(3) === 0) now += below(40)
      const tick = below(5) === 0 ? now - below(3) : now
      add({ key: null, before: null, after: null, tick: byDay ? tick : tick * dayMicros + below(2) * 43_200_000_000 }, true)
      continue
    }
    const size = 1 + below(4)
    for (let i = 0; i < size; i++) {
      const isLast = i === size - 1
      const key = `l${below(40)}`
      const before = standing.get(key) ?? null
      if (before && below(3) === 0) {
        standing.delete(key)
        add({ key, before, after: null, tick: null }, isLast)
        continue
      }
      const after = before && below(2) === 0 ? { ...before, unpaid: 0 } : valuesOf()
      standing.set(key, after)
      const moves = before !== null && !Object.is(before['account'], after['account'])
      if (movesApart && moves) {
        add({ key, before, after: null, tick: null }, false)
        add({ key, before: null, after, tick: null }, isLast)
      } else add({ key, before, after, tick: null }, isLast)
    }
  }
  return messages
}
