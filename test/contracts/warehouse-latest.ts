/**
 * The part of the warehouse contract about the newest row of each key, and about rows over facts, of which several may be of one number.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import { textsOf } from '../../utilities/values/cell-text.ts'
import { columnOf, type Column, type Columns } from '../../utilities/values/columns.ts'
import { keyTexts } from '../../utilities/values/key-text.ts'
import { Problem } from '../../utilities/values/problem.ts'
import type { Warehouse } from '../../utilities/warehouse.ts'
import {
  changeOf,
  keyedColumns,
  keyedLayout,
  keyOf,
  kinds,
  Model,
  numbers,
  rowOf,
  setOf,
  shownAs,
  shownIn,
  steps,
  textColumn,
  type KeyedRow,
  type Kind,
} from './keyed-rows.ts'
import type { Laws } from './laws.ts'
import { everything } from './loan-rows.ts'

const byAccount: Kind = { per: ['account'], facts: true }

/** Every row of them, of those keys whose newest row is behind `after`. */
async function newestIn(warehouse: Warehouse, kind: Kind, version: number, after: number): Promise<readonly string[]> {
  const found: string[] = []
  for await (const rows of warehouse.newest(setOf(kind), version, { per: kind.per, after })) {
    const keys = keyTexts(rows, kind.per)
    const seqs = columnOf(rows, '_seq', 'int').values
    const values = columnOf(rows, 'one', 'number').values
    for (let row = 0; row < rows.count; row++) found.push(`${seqs[row]}|${keys[row]}|${values[row]}`)
  }
  return [...new Set(found)].sort()
}

export function latestLaws(law: Laws['law'], at: () => { readonly warehouse: Warehouse }, runs: number): void {
  for (const kind of kinds) {
    const set = setOf(kind)
    law(
      `the newest row of each key, and each row once, are shown, whatever is written, removed, promoted and rolled back: ${set}`,
      async () => {
        const { warehouse } = at()
        await fc.assert(
          fc.asyncProperty(steps, async (all) => {
            await warehouse.arrange(keyedLayout(kind, [0]), [])
            for (const version of [0, 1, 2]) await warehouse.remove(set, version, everything)
            const model = new Model(kind)
            let chain: readonly number[] = [0]
            for (const [value, step] of all.entries()) {
              if (step.do === 'write') {
                const made = step.rows.map(([seq, key]) => rowOf(kind, step.version, seq, key, value))
                const rows = [...new Map(made.map((row) => [`${row.seq} ${kind.facts ? keyOf(kind, row) : ''}`, row])).values()]
                for (const row of rows) model.put(row)
                await warehouse.write(set, keyedColumns(kind, rows))
              } else if (step.do === 'remove') {
                model.remove(step.version, step.first, step.last)
                await warehouse.remove(set, step.version, step)
              } else if (step.do === 'arrange') {
                chain = step.chain
                await warehouse.arrange(keyedLayout(kind, chain), [])
              } else await warehouse.renew(set)
            }
            for (const version of [0, 1, 2])
              expect(await shownIn(warehouse, `${set}_v${version}_latest`)).toEqual(shownAs(kind, model.latest([version]), version > 0))
            for (const version of [0, 1, 2])
              for (const after of [0, 3]) {
                const newest = model.latest([version]).filter(({ seq }) => seq > after)
                const keys = keyTexts(keyedColumns(kind, newest), kind.per)
                const expected = newest.map(({ seq, value }, i) => `${seq}|${keys[i]}|${value}`).sort()
                expect(await newestIn(warehouse, kind, version, after)).toEqual(expected)
              }
            expect(await shownIn(warehouse, `${set}_latest`)).toEqual(shownAs(kind, model.latest(chain), chain[0] !== 0))
            const { rows } = await warehouse.query(`SELECT _version, _seq, one FROM ${set}`)
            expect(rows.map((row) => row.join('|')).sort()).toEqual(model.shown(chain))
          }),
          { numRuns: runs },
        )
      },
    )
  }

  law('a text that is null and one that is empty are one key of one field, shown as its newest row has it', async () => {
    const { warehouse } = at()
    for (const kind of [byAccount, { per: ['account'], facts: false } as const]) {
      const set = setOf(kind)
      await warehouse.arrange(keyedLayout(kind, [0]), [])
      const row = (seq: number, account: string | null): KeyedRow => ({ account, item: null, day: 1, version: 0, seq, value: seq })
      const shown = async () => (await warehouse.query(`SELECT account, one FROM ${set}_latest`)).rows
      await warehouse.write(set, keyedColumns(kind, [row(1, null), row(2, '')]))
      expect(await shown()).toEqual([['', 2]])
      await warehouse.write(set, keyedColumns(kind, [row(3, null)]))
      expect(await shown()).toEqual([[null, 3]])
      await warehouse.remove(set, 0, { first: 3, last: 3 })
      expect(await shown()).toEqual([['', 2]])
    }
  })

  law('what happened is known in nanoseconds, to the microsecond of a timestamp, where 64 bits hold it', async () => {
    const { warehouse } = at()
    const kind: Kind = { per: ['account'], facts: false }
    const layout = keyedLayout(kind, [0])
    const record = [...layout.record.slice(0, 2), { name: 'moment', type: 'timestamp' } as const]
    const versions = layout.versions.map(({ version }) => ({ version, shows: ['account', 'item', 'moment', 'one'] }))
    await warehouse.arrange({ ...layout, set: 'moments', record, at: 'moment', versions }, [])
    const micros = [0, 1, -1, 1_204_286_096_500_000, -2_208_988_799_999_999, -62_135_596_800_000_000, 9_214_646_400_000_000]
    const rows = keyedColumns(
      kind,
      micros.map((_, i) => ({ account: `${i}`, item: null, day: 0, version: 0, seq: i + 1, value: i })),
    )
    const moment = {
      kind: 'timestamp',
      values: numbers(micros.map((one) => (Number.isSafeInteger(one) ? one : Number(one)))),
      wide: new Map(micros.flatMap((one, i) => (Number.isSafeInteger(one) ? [] : [[i, BigInt(one)] as const]))),
    } as const
    const byName = new Map([...rows.byName].filter(([name]) => name !== 'day' && name !== 'two'))
    await warehouse.write('moments', { count: rows.count, byName: byName.set('moment', moment) })
    const { rows: found } = await warehouse.query('SELECT _known_ts FROM moments_latest ORDER BY _seq')
    const fits = (one: number) => one >= -9_214_560_000_000_000 && one < 9_214_646_400_000_000
    expect(found.map(([one]) => (one === null ? null : BigInt(one as number)))).toEqual(
      micros.map((one) => (fits(one) ? BigInt(one) * 1000n : null)),
    )
  })

  law('rows over facts come in order of _seq and key, all of one _seq in one part, complete and once', async () => {
    const { warehouse } = at()
    const set = setOf(byAccount)
    await warehouse.arrange(keyedLayout(byAccount, [0]), [])
    const row = (seq: number, key: number): KeyedRow => ({ account: `k${key}`, item: 1, day: 1, version: 0, seq, value: key })
    const rows = [
      ...Array.from({ length: 9_000 }, (_, i) => row(1 + Math.floor(i / 3), i % 3)),
      // A tick changes many keys.
      ...Array.from({ length: 12_000 }, (_, i) => row(3_001, i)),
      ...Array.from({ length: 4_001 }, (_, i) => row(3_002 + Math.floor(i / 2), i % 2)),
    ]
    for (let from = 0; from < rows.length; from += 5_000)
      await warehouse.write(set, keyedColumns(byAccount, rows.slice(from, from + 5_000)))
    await warehouse.write(set, keyedColumns(byAccount, rows.slice(8_990, 9_010)))
    expect(await warehouse.extent(set, 0)).toEqual({ rows: rows.length, first: 1, last: 5_002 })
    const found: string[] = []
    let before = 0
    for await (const part of warehouse.rows(set, 0, everything, ['_seq', '_key', 'account', '_change', '_known_ts', 'one'])) {
      const seqs = columnOf(part, '_seq', 'int').values
      expect(seqs[0]).toBeGreaterThan(before)
      before = seqs.at(-1)!
      found.push(...described(part))
    }
    const text = ({ seq, account, value }: KeyedRow) => `${seq} ${account} ${account} ${changeOf({ seq } as KeyedRow)} ${value}`
    expect([...found].sort()).toEqual(rows.map(text).sort())
    expect(found.map((one) => Number(one.split(' ')[0]))).toEqual(rows.map(({ seq }) => seq).sort((a, b) => a - b))
    await warehouse.remove(set, 0, { first: 3_000, last: 3_001 })
    expect(await warehouse.extent(set, 0)).toEqual({ rows: rows.length - 12_003, first: 1, last: 5_002 })
    const between = []
    for await (const part of warehouse.rows(set, 0, { first: 2_999, last: 3_002 }, ['_seq', '_key'])) between.push(...described(part))
    expect(between.map((one) => one.slice(0, 7))).toEqual(['2999 k0', '2999 k1', '2999 k2', '3002 k0', '3002 k1'])
  })

  law('views of rows over facts show what became of the fact last of all, and neither key nor when it was known', async () => {
    const { warehouse } = at()
    await warehouse.arrange(keyedLayout(byAccount, [1, 0]), [])
    const set = setOf(byAccount)
    const columnsIn = async (view: string) => (await warehouse.query(`SELECT * FROM ${view}`)).columns.join(', ')
    const shown = 'account, item, day, one, _modified_ts, _version, two, _seq, _change'
    expect(await columnsIn(set)).toBe(shown)
    expect(await columnsIn(`${set}_v1`)).toBe(shown)
    expect(await columnsIn(`${set}_v0`)).toBe('account, item, day, one, _modified_ts, _version, _seq, _change')
    expect(await columnsIn(`${set}_latest`)).toBe('account, one, two, _change, _known_ts, _modified_ts, _version, _seq')
    expect(await columnsIn(`${set}_v0_latest`)).toBe('account, one, _change, _known_ts, _modified_ts, _version, _seq')
    expect(await columnsIn('sale')).toBe('account, item, day, _seq, _known_ts')
  })

  law('several lots and the progress are written together or not at all', async () => {
    const { warehouse } = at()
    const kind: Kind = { per: ['account', 'item'], facts: true }
    await warehouse.arrange(keyedLayout(byAccount, [0]), [])
    await warehouse.arrange(keyedLayout(kind, [0]), [])
    const rows = [1, 2, 3].map((seq) => rowOf(kind, 0, seq, seq, seq))
    const lots = [byAccount, kind].map((one) => ({ set: setOf(one), rows: keyedColumns(one, rows) }))
    await warehouse.writeTogether(lots, { reader: 'r', next: 3 })
    expect([await warehouse.progress('r'), await warehouse.extent(setOf(byAccount), 0), await warehouse.extent(setOf(kind), 0)]).toEqual([
      3,
      { rows: 3, first: 1, last: 3 },
      { rows: 3, first: 1, last: 3 },
    ])
    const more = keyedColumns(kind, [rowOf(kind, 0, 4, 4, 4)])
    const stranger = { set: setOf(kind), rows: { count: 1, byName: new Map([...more.byName, ['unknown', more.byName.get('one')!]]) } }
    const good = { set: setOf(byAccount), rows: keyedColumns(byAccount, [rowOf(byAccount, 0, 4, 4, 4)]) }
    await expect(warehouse.writeTogether([good, stranger], { reader: 'r', next: 4 })).rejects.toThrow(Problem)
    expect([await warehouse.progress('r'), (await warehouse.extent(setOf(byAccount), 0))?.rows]).toEqual([3, 3])
    await warehouse.writeTogether([], { reader: 'r', next: 9 })
    expect(await warehouse.progress('r')).toBe(9)
  })
}

const described = (part: Columns): string[] => {
  const texts = [...part.byName].filter(([name]) => name !== '_known_ts').map(([, column]) => textsOf(column))
  return Array.from({ length: part.count }, (_, row) => texts.map((textAt) => textAt(row)).join(' '))
}

/** A change of a fact by its key; without a value it leaves. */
type Change = { readonly key: string; readonly seq: number; readonly value: number | null }

const changesOf = (changes: readonly Change[]): Columns => ({
  count: changes.length,
  byName: new Map<string, Column>([
    ['_key', textColumn(changes.map(({ key }) => key))],
    ['_stands', { kind: 'flag', values: Uint8Array.from(changes, ({ value }) => Number(value !== null)) }],
    ['_seq', { kind: 'int', values: numbers(changes.map(({ seq }) => seq)) }],
    ['_known_ts', { kind: 'long', values: BigInt64Array.from(changes, ({ seq }) => 1_700_000_000_000_000_000n + BigInt(seq)) }],
    ['account', textColumn(changes.map(({ value }) => (value === null ? null : `account ${value % 3}`)))],
    ['item', { kind: 'integer', values: numbers(changes.map(({ value }) => value)) }],
    ['day', { kind: 'date', days: Int32Array.from(changes, ({ value }) => value ?? -0x80000000) }],
  ]),
})

type Told = { readonly key: string; readonly value: number | null; readonly reader: number }

/** What two readers are told, and what stands at last: a fact that moves to the other one leaves where it stood first. */
function streamsOf(all: readonly Told[], next: () => number): readonly [readonly (readonly Change[])[], ReadonlyMap<string, Change>] {
  const told: Change[][] = [[], []]
  const stands = new Map<string, Change & { readonly reader: number }>()
  for (const { key, value, reader } of all) {
    const before = stands.get(key)
    if (before && (value === null || before.reader !== reader)) told[before.reader]!.push({ key, seq: next(), value: null })
    stands.delete(key)
    if (value === null) continue
    const change = { key, seq: next(), value, reader }
    told[reader]!.push(change)
    stands.set(key, change)
  }
  return [told, stands]
}

export function factLaws(law: Laws['law'], at: () => { readonly warehouse: Warehouse }, runs: number): void {
  law('the facts that stand are those of the newest change of each key, in whatever order two readers tell of them', async () => {
    const { warehouse } = at()
    await warehouse.arrange(keyedLayout(byAccount, [0]), [])
    const key = fc.constantFrom('1', '2,A-7', '3\\,x', "o'", 'Zoë')
    const change = fc.record({ key, value: fc.option(fc.nat({ max: 1000 })), reader: fc.nat({ max: 1 }) })
    let seq = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 40 }), fc.array(fc.nat({ max: 3 }), { maxLength: 12 }), async (all, cuts) => {
        const [told, stands] = streamsOf(all, () => ++seq)
        const waiting = [...told]
        for (const [i, cut] of [...cuts, ...told.flat().flatMap(() => [2, 2])].entries()) {
          const due = waiting[i % 2]!.slice(0, cut)
          waiting[i % 2] = waiting[i % 2]!.slice(cut)
          const last = [...new Map(due.map((one) => [one.key, one])).values()]
          await warehouse.writeFacts('sale', [changesOf(last)], { reader: `sink/sale/${i % 2}`, next: i })
          // The same again changes nothing.
          if (i % 3 === 0) await warehouse.writeFacts('sale', [changesOf(last)], { reader: `sink/sale/${i % 2}`, next: i })
        }
        expect(waiting.flat()).toEqual([])
        const found: string[] = []
        for await (const part of warehouse.facts('sale')) {
          const [keys, items, seqs] = ['_key', 'item', '_seq'].map((name) => textsOf(part.byName.get(name)!))
          for (let row = 0; row < part.count; row++) found.push(`${keys!(row)} ${items!(row)} ${seqs!(row)}`)
        }
        expect(found.sort()).toEqual([...stands.values()].map(({ key, value, seq }) => `${key} ${value} ${seq}`).sort())
        const view = await warehouse.query('SELECT item, _seq FROM sale ORDER BY _seq')
        expect(view.rows).toEqual([...stands.values()].sort((a, b) => a.seq - b.seq).map(({ value, seq }) => [value, seq]))
        await warehouse.writeFacts('sale', [changesOf([...stands.values()].map(({ key }) => ({ key, seq: ++seq, value: null })))])
      }),
      { numRuns: runs },
    )
  })

  law('many facts come back complete, once and in order of their keys; a table that is not there is a Problem', async () => {
    const { warehouse } = at()
    const all = Array.from({ length: 21_000 }, (_, i): Change => ({ key: `k${i * 7}`, seq: i + 1, value: i }))
    await expect(warehouse.writeFacts('sale', [changesOf(all)])).rejects.toThrow('tidemark apply')
    await warehouse.arrange(keyedLayout(byAccount, [0]), [])
    await warehouse.writeFacts('sale', [changesOf(all)], { reader: 'r', next: 1 })
    await warehouse.writeFacts('sale', [changesOf([{ key: 'k14', seq: 30_000, value: null }])], { reader: 'r', next: 2 })
    expect(await warehouse.progress('r')).toBe(2)
    const keys: string[] = []
    for await (const part of warehouse.facts('sale')) {
      const keyAt = textsOf(columnOf(part, '_key', 'text'))
      for (let row = 0; row < part.count; row++) keys.push(keyAt(row)!)
    }
    expect(keys).toEqual(
      all
        .map(({ key }) => key)
        .filter((key) => key !== 'k14')
        .sort(),
    )
  })

  law('facts of several versions stand beside each other, and leave with their view when none needs them', async () => {
    const { warehouse } = at()
    const one = keyedLayout(byAccount, [0])
    const { columns } = one.facts![0]!
    const both = { ...one, facts: [...one.facts!, { name: 'sale_v1', columns: [...columns, { name: 'price', type: 'double' } as const] }] }
    const later = { ...one, facts: both.facts.slice(1), gone: ['sale'] }
    const count = async (name: string) => Number((await warehouse.query(`SELECT count(*) FROM ${name}`)).rows[0]![0])
    await warehouse.arrange(both, [])
    expect(await warehouse.plan(both)).toEqual({ statements: [], views: [] })
    await warehouse.writeFacts('sale', [changesOf([{ key: 'a', seq: 1, value: 1 }])])
    await warehouse.writeFacts('sale_v1', [changesOf(['a', 'b'].map((key, i) => ({ key, seq: i + 1, value: 1 })))])
    expect([await count('sale'), await count('sale_v1')]).toEqual([1, 2])
    expect((await warehouse.plan(later)).views).toEqual(['sale'])
    await warehouse.arrange(later, [])
    expect(await warehouse.plan(later)).toEqual({ statements: [], views: [] })
    await expect(count('sale')).rejects.toThrow()
    await expect(warehouse.writeFacts('sale', [changesOf([{ key: 'a', seq: 2, value: 1 }])])).rejects.toThrow('tidemark apply')
    expect(await count('sale_v1')).toBe(2)
  })
}
