/**
 * Training sets as somebody would work them out who has never heard of slots: sets of several kinds, rows and labels by chance, and for
 * each label a look at every row there is.
 */
import { featureSet, last, mean, sum } from '../feature-defs/language.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { fact } from '../schemas/fact.ts'
import { date, decimal, integer, number, record, text, timestamp } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { textsFrom } from '../utilities/sql/cells.ts'
import { keyTexts } from '../utilities/values/key-text.ts'
import { noDay, type Column, type Columns } from '../utilities/values/columns.ts'
import { keyFields } from '../feature-defs/keys.ts'
import { randomFrom } from './seeded.ts'

const visit = record('visit', 'at', {
  account: text({ bytes: 20 }),
  item: integer(),
  at: timestamp({ nullable: false }),
  amount: number(),
  price: decimal({ digits: 30, scale: 2 }),
})
const day = record('day_visit', 'at', {
  account: text({ bytes: 20 }),
  at: date({ nullable: false }),
  amount: number(),
  price: decimal({ digits: 30, scale: 2 }),
})
const bills = table(
  'bills',
  { key: 'bill' },
  { bill: integer(), account: text({ bytes: 20 }), due: date(), amount: number(), price: decimal({ digits: 30, scale: 2 }) },
)
const bill = fact(
  'bill_line',
  { of: bills, at: 'due', join: {} },
  {
    bill: integer(),
    account: text({ bytes: 20 }),
    due: date({ nullable: false }),
    amount: number(),
    price: decimal({ digits: 30, scale: 2 }),
  },
)

const features = {
  one: mean('amount', { all: true, round: 3 }),
  name: last('account', { all: true }),
  exact: sum('price', { all: true }),
} as const
const both = featureSet({ name: 'both', of: visit, per: ['account', 'item'] }, features)
const timed = featureSet({ name: 'timed', of: visit, per: 'account' }, features)
const dated = featureSet({ name: 'dated', of: day, per: 'account' }, features)
const whole = featureSet({ name: 'whole', of: day }, features)
const owed = featureSet({ name: 'owed', of: bill, per: 'account' }, features)

/** Each with a second version, which has a feature more. */
export const sets: readonly (readonly [Definition, Definition])[] = [both, timed, dated, whole, owed].map((first) => {
  const next = (first as typeof both).add({ two: mean('amount', { last: 2, round: 3 }) })
  return [first.definition, next.definition]
})

export const featureNames = (version: number): readonly string[] => ['one', 'name', 'exact', ...(version === 0 ? [] : ['two'])]

export type ModelRow = {
  readonly account: string | null
  readonly item: number | null
  /** Microseconds; a whole day where the set has dates. */
  readonly at: number
  readonly seq: number
  readonly version: number
  readonly modifiedNs: bigint
  readonly knownNs: bigint
  readonly one: number | null
  readonly two: number | null
  readonly name: string | null
  readonly exact: bigint | null
}
export type ModelLabel = { readonly account: string | null; readonly item: number | null; readonly time: number }
export type ModelRule = {
  readonly known: boolean
  readonly asServed: boolean
  readonly before: boolean
  readonly maxAge: number
  readonly promotions: readonly { readonly version: number; readonly from: number }[]
}

const dayMicros = 86_400_000_000
/** Few moments, so that many things happen at the same one. */
const firstDay = 19_000
const accounts = ['A', 'Zoë', 'a,b', '', null, 'x\\', 'long-enough-a-name-1'] as const

export function chanceFor(seed: number, [definition]: readonly [Definition, Definition]) {
  const random = randomFrom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!
  const isDate = definition.record.fields[definition.record.at]!.kind === 'date'
  const isFact = definition.record.fact !== undefined
  const moment = () => (firstDay + below(12)) * dayMicros + pick([0, 0, 1, 43_200_000_000, 86_399_999_999])
  const rows: ModelRow[] = []
  const count = below(60)
  for (const version of [0, 1]) {
    let known = (firstDay - 1) * dayMicros
    for (let i = 0; i < count; i++) {
      const at = isDate ? (firstDay + below(12)) * dayMicros : moment()
      // Mostly later than the one before, as they come in.
      known = random() < 0.8 ? known + below(dayMicros) : moment()
      rows.push({
        account: pick(accounts),
        item: pick([null, 1, 2, 9_007_199_254]),
        at,
        seq: isFact ? i - (i % 3) : i * 2,
        version,
        modifiedNs: BigInt(moment()) * 1000n + BigInt(below(3)),
        knownNs: BigInt(known) * 1000n + (random() < 0.5 ? 0n : BigInt(below(999))),
        one: pick([null, i, i / 8, -i]),
        two: version === 0 ? null : pick([null, i + 0.5]),
        name: pick([null, 'short', 'a much longer text than the others', 'ß'.repeat(i)]),
        exact: pick([null, BigInt(i), 123_456_789_012_345_678_901n + BigInt(i)]),
      })
    }
  }
  // Of one number several rows are told apart by their key, and there is one for each.
  const seen = new Set<string>()
  const kept = rows.filter((row) => {
    const id = JSON.stringify([row.version, row.seq, isFact ? (row.account ?? '') : ''])
    return !seen.has(id) && seen.add(id)
  })
  const labels = Array.from({ length: below(80) }, (): ModelLabel => ({
    // In a CSV nothing is null.
    account: pick([...accounts, 'never']) || null,
    item: pick([null, 1, 2, 3]),
    time: moment() + pick([0, 0, -20 * dayMicros, 20 * dayMicros, 1]),
  }))
  const rule: ModelRule = {
    known: random() < 0.5,
    asServed: random() < 0.4,
    before: random() < 0.4,
    maxAge: random() < 0.3 ? below(5) * dayMicros : Infinity,
    promotions: [0, 1, 0].slice(0, 1 + below(3)).map((version, i) => ({ version, from: (firstDay + 2 + 3 * i) * dayMicros })),
  }
  return { rows: kept, labels, rule, random }
}

/** As the warehouse takes them. */
export function columnsOfRows({ record, per }: Definition, rows: readonly ModelRow[], version: number): Columns {
  const isDate = record.fields[record.at]!.kind === 'date'
  const numbers = (value: (row: ModelRow) => number | null) => Float64Array.from(rows, (row) => value(row) ?? NaN)
  const decimals: Column = {
    kind: 'decimal',
    scale: 2,
    values: numbers(({ exact }) => (exact === null ? null : Number(exact))),
    wide: new Map(rows.flatMap(({ exact }, i) => (exact !== null && exact > 9e15 ? [[i, exact]] : []))),
  }
  const byName = new Map<string, Column>([
    ['account', textsFrom(rows.map(({ account }) => account))],
    [
      record.at,
      isDate
        ? { kind: 'date', days: Int32Array.from(rows, ({ at }) => at / dayMicros || noDay) }
        : { kind: 'timestamp', values: numbers(({ at }) => at) },
    ],
    ...('item' in record.fields ? [['item', { kind: 'integer', values: numbers(({ item }) => item) }] as const] : []),
    ...(record.fact ? [['bill', { kind: 'integer', values: numbers(({ seq }) => seq) }] as const] : []),
    ['one', { kind: 'number', values: numbers(({ one }) => one) }],
    ['name', textsFrom(rows.map(({ name }) => name))],
    ['exact', decimals],
    ...(version === 0 ? [] : [['two', { kind: 'number', values: numbers(({ two }) => two) }] as const]),
    ['_seq', { kind: 'int', values: numbers(({ seq }) => seq) }],
    ['_version', { kind: 'int', values: numbers(() => version) }],
    ['_modified_ts', { kind: 'long', values: BigInt64Array.from(rows, ({ modifiedNs }) => modifiedNs) }],
  ])
  if (record.fact) {
    byName.set('_key', textsFrom(keyTexts({ count: rows.length, byName }, keyFields(per))))
    byName.set('_change', textsFrom(rows.map(() => 'changed')))
    byName.set('_known_ts', { kind: 'long', values: BigInt64Array.from(rows, ({ knownNs }) => knownNs) })
  }
  return { count: rows.length, byName }
}

export type Answer = { readonly outcome: string; readonly row: ModelRow | null; readonly age: number | null }

const keyIn = ({ per }: Definition, one: { readonly account: string | null; readonly item: number | null }) =>
  JSON.stringify(
    keyFields(per).map((name) => (name === 'account' ? (keyFields(per).length === 1 ? (one.account ?? '') : one.account) : one.item)),
  )

/** In nanoseconds. A row over facts cannot be known before those of its key and version that it rests on. */
export function timeOf(definition: Definition, rows: readonly ModelRow[], row: ModelRow): bigint {
  if (definition.record.fact === undefined) return BigInt(row.at) * 1000n
  const before = rows.filter(
    (one) => one.seq <= row.seq && one.version === row.version && keyIn(definition, one) === keyIn(definition, row),
  )
  return before.reduce((most, { knownNs }) => (knownNs > most ? knownNs : most), row.knownNs)
}

/** By a look at every row. */
export function answerFor(definition: Definition, all: readonly ModelRow[], label: ModelLabel, rule: ModelRule): Answer {
  const none = (outcome: string): Answer => ({ outcome, row: null, age: null })
  const served = rule.promotions.findLast(({ from }) => from <= label.time)
  if (rule.asServed && !served) return none('beforePromotion')
  const rows = all.filter(({ version }) => version === (rule.asServed ? served!.version : definition.version))
  const isFact = definition.record.fact !== undefined
  const mine = rows.filter((row) => keyIn(definition, row) === keyIn(definition, label))
  const ns = BigInt(label.time) * 1000n
  const timeNs = (row: ModelRow) => timeOf(definition, mine, row)
  // In whole microseconds, the next one where there is a rest: that is what ages are counted in.
  const micros = (time: bigint) => (time + 999n) / 1000n
  const fitting = mine.filter((row) => {
    const time = micros(timeNs(row)) * 1000n
    return (rule.before ? time < ns : time <= ns) && (!rule.asServed || row.modifiedNs <= ns)
  })
  const [best] = fitting.toSorted((a, b) => Number(micros(timeNs(b)) - micros(timeNs(a))) || b.seq - a.seq)
  if (!best) {
    const first = rows.map(({ knownNs }) => micros(knownNs)).toSorted((a, b) => Number(a - b))[0]
    if (isFact && first !== undefined && BigInt(label.time) < first) return none('beforeFirstLoad')
    return none(mine.length > 0 ? 'beforeFirstRow' : 'noSuchKey')
  }
  const age = label.time - Number(micros(timeNs(best)))
  return age > rule.maxAge ? none('tooOld') : { outcome: 'found', row: best, age: age / 1e6 }
}
