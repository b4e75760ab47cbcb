/** Rows of sets with keys, over records and over facts, and what the newest of each key is: what the laws of `_latest` are written in. */
import fc from 'fast-check'
import { textColumn as columnOfTexts } from '../../feature-defs/values.ts'
import type { Column, Columns } from '../../utilities/values/columns.ts'
import { keyTexts } from '../../utilities/values/key-text.ts'
import type { Layout, SqlColumn, Warehouse } from '../../utilities/warehouse.ts'

/** A set's key, and whether it is over facts. */
export type Kind = { readonly per: readonly ('account' | 'item')[]; readonly facts: boolean }
export const kinds: readonly Kind[] = [true, false].flatMap((facts) => [
  { per: [], facts },
  { per: ['account'], facts },
  { per: ['account', 'item'], facts },
])

export type KeyedRow = {
  readonly account: string | null
  readonly item: number | null
  readonly day: number
  readonly version: number
  readonly seq: number
  readonly value: number
}

const record: readonly SqlColumn[] = [
  { name: 'account', type: { varchar: 40 } },
  { name: 'item', type: 'bigint' },
  { name: 'day', type: 'date' },
]
const features: readonly SqlColumn[] = [
  { name: 'one', type: 'double' },
  { name: 'two', type: 'double' },
]

export const setOf = ({ per, facts }: Kind) => `${facts ? 'facts' : 'records'}_by_${per.join('_') || 'nothing'}`

/** The last version is over another version of the fact. */
const factOf = (version: number) => (version < 2 ? 'sale' : 'sale_v1')

/** Versions 0 to 2: the later ones have a feature more. */
export const keyedLayout = ({ per, facts }: Kind, chain: readonly number[]): Layout => ({
  set: setOf({ per, facts }),
  record,
  features,
  leading: 1,
  per,
  at: 'day',
  ...(facts && { facts: [{ name: 'sale', columns: record }] }),
  versions: [0, 1, 2].map((version) => ({
    version,
    shows: [...record, ...features.slice(0, version === 0 ? 1 : 2)].map(({ name }) => name),
    ...(facts && { fact: factOf(version) }),
  })),
  chain,
})

const changes = ['added', 'changed', 'removed', 'tick'] as const
export const changeOf = ({ seq }: KeyedRow) => changes[seq % changes.length]!
const knownOf = ({ seq }: KeyedRow) => 1_700_000_000_000_000_000n + BigInt(seq)

export const textColumn = (texts: readonly (string | null)[]) => columnOfTexts(texts.map((text) => text ?? NaN))
export const numbers = (values: readonly (number | null)[]) => Float64Array.from(values, (value) => value ?? NaN)

export function keyedColumns({ per, facts }: Kind, rows: readonly KeyedRow[]): Columns {
  const byName = new Map<string, Column>([
    ['account', textColumn(rows.map(({ account }) => account))],
    ['item', { kind: 'integer', values: numbers(rows.map(({ item }) => item)) }],
    ['day', { kind: 'date', days: Int32Array.from(rows, ({ day }) => day) }],
    ['_seq', { kind: 'int', values: numbers(rows.map(({ seq }) => seq)) }],
    ['_version', { kind: 'int', values: numbers(rows.map(({ version }) => version)) }],
    ['_modified_ts', { kind: 'long', values: BigInt64Array.from(rows, () => 7n) }],
    ['one', { kind: 'number', values: numbers(rows.map(({ value }) => value)) }],
    ['two', { kind: 'number', values: numbers(rows.map(({ value, version }) => (version === 0 ? null : value + 0.5))) }],
  ])
  if (facts) {
    byName.set('_key', textColumn(keyTexts({ count: rows.length, byName }, per)))
    byName.set('_change', textColumn(rows.map(changeOf)))
    byName.set('_known_ts', { kind: 'long', values: BigInt64Array.from(rows, knownOf) })
  }
  return { count: rows.length, byName }
}

const accounts = ['A7', 'a,b', 'a\\', '', null, 'Zoë', "O'Neil"]
const items = [null, 1, 2]
const pickBy = <T>(from: readonly T[], n: number) => from[n % from.length]!

/** A record's key is the same whoever computes it; of a fact there may be several rows of one number, each with a key of its own. */
export const rowOf = ({ facts }: Kind, version: number, seq: number, key: number, value: number): KeyedRow => {
  const n = facts ? key : seq * 5 + 3
  return { account: pickBy(accounts, n), item: pickBy(items, Math.floor(n / 3)), day: 13_000 + (seq % 900), version, seq, value }
}

export type Step =
  | { readonly do: 'write'; readonly version: number; readonly rows: readonly (readonly [seq: number, key: number])[] }
  | { readonly do: 'remove'; readonly version: number; readonly first: number; readonly last: number }
  | { readonly do: 'arrange'; readonly chain: readonly number[] }
  | { readonly do: 'renew' }

const version = fc.nat({ max: 2 })
const seq = fc.integer({ min: 1, max: 40 })
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        version,
        rows: fc.array(fc.tuple(seq, fc.nat({ max: 20 })), { maxLength: 30 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), version, first: seq, last: seq }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('arrange' as const), chain: fc.constantFrom([0], [1, 0], [2, 1, 0], [1], [2, 0], [0, 1]) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const) }) },
  ),
  { minLength: 1, maxLength: 12 },
)

export const keyOf = ({ per }: Kind, row: KeyedRow): string =>
  per.length === 1 ? (row.account ?? '') : JSON.stringify(per.map((name) => row[name]))

/** The rows that the warehouse should have, by what tells them apart. */
export class Model {
  private readonly rows = new Map<string, KeyedRow>()
  private readonly kind: Kind
  constructor(kind: Kind) {
    this.kind = kind
  }
  put(row: KeyedRow): void {
    this.rows.set(JSON.stringify([row.version, row.seq, this.kind.facts ? keyOf(this.kind, row) : '']), row)
  }
  remove(version: number, first: number, last: number): void {
    for (const [id, row] of this.rows) if (row.version === version && row.seq >= first && row.seq <= last) this.rows.delete(id)
  }
  of(version: number): readonly KeyedRow[] {
    return [...this.rows.values()].filter((row) => row.version === version)
  }
  /** The newest row of each key, from the first version that has one. */
  latest(chain: readonly number[]): readonly KeyedRow[] {
    const found = new Map<string, KeyedRow>()
    for (const version of chain.toReversed()) {
      const newest = new Map<string, KeyedRow>()
      for (const row of this.of(version)) {
        const key = keyOf(this.kind, row)
        if ((newest.get(key)?.seq ?? 0) <= row.seq) newest.set(key, row)
      }
      for (const [key, row] of newest) found.set(key, row)
    }
    return [...found.values()]
  }
  /** The rows of each number from the first version that has one of it; of facts, what a newer version has met may be its own. */
  shown(chain: readonly number[]): string[] {
    const rows = chain.flatMap((version, i) => {
      const newer = chain.slice(0, i).map((one) => ({ one, seqs: this.of(one).map(({ seq }) => seq) }))
      return this.of(version).filter((row) =>
        newer.every(({ one, seqs }) => {
          const isBefore = seqs.every((seq) => row.seq < seq)
          if (!this.kind.facts) return !seqs.includes(row.seq)
          if (factOf(one) !== factOf(version)) return isBefore
          return !seqs.includes(row.seq) && (changeOf(row) !== 'tick' || isBefore)
        }),
      )
    })
    return rows.map(({ version, seq, value }) => [version, seq, value].join('|')).sort()
  }
}

const dayNs = 86_400_000_000_000n

/** As a view of the newest rows shows them. */
export const shownAs = ({ per, facts }: Kind, rows: readonly KeyedRow[], withTwo: boolean): string[] =>
  rows
    .map((row) =>
      [
        ...per.map((name) => row[name]),
        row.value,
        ...(withTwo ? [row.version === 0 ? null : row.value + 0.5] : []),
        facts ? changeOf(row) : 'added',
        facts ? knownOf(row) : BigInt(row.day) * dayNs,
        7,
        row.version,
        row.seq,
      ]
        .map(String)
        .join('|'),
    )
    .sort()

export async function shownIn(warehouse: Warehouse, view: string): Promise<string[]> {
  const { rows } = await warehouse.query(`SELECT * FROM ${view}`)
  return rows.map((row) => row.map(String).join('|')).sort()
}
