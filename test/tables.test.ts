/** Tables on disk: values of every kind come back as they were, files are compared with what stands, and joins look rows up. */
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Problem } from '../utilities/values/problem.ts'
import { openSqlite } from '../utilities/sqlite/database.ts'
import { referringSql } from '../utilities/sqlite/tables/joins.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import type { Joined, StoredTable, Tables } from '../utilities/tables.ts'
import { newDirectory } from './contracts/processes.ts'
import { columnsOf, rowsOf, type Plain, type PlainRow } from './plain-columns.ts'

const everyKind: StoredTable = {
  name: 'every_kind',
  key: ['id', 'word'],
  fields: {
    id: { kind: 'integer' },
    word: { kind: 'text' },
    number: { kind: 'number' },
    money: { kind: 'decimal', digits: 12, scale: 2 },
    most: { kind: 'decimal', digits: 18, scale: 4 },
    huge: { kind: 'decimal', digits: 38, scale: 10 },
    day: { kind: 'date' },
    moment: { kind: 'timestamp' },
    flag: { kind: 'flag' },
    'Of the Source': { kind: 'text' },
  },
}

const whole = (digits: bigint) => fc.bigInt(-(10n ** digits) + 1n, 10n ** digits - 1n).map(narrow)
const narrow = (value: bigint): Plain => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
const row = fc.record({
  id: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(narrow),
  word: fc.string({ unit: 'grapheme', maxLength: 5 }),
  number: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value || 0)),
  money: fc.option(whole(12n)),
  most: fc.option(whole(18n)),
  huge: fc.option(whole(38n)),
  day: fc.option(fc.integer({ min: -719_162, max: 2_932_896 })),
  moment: fc.option(fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n).map(narrow)),
  flag: fc.option(fc.boolean()),
  'Of the Source': fc.option(fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.toWellFormed())),
}) as fc.Arbitrary<PlainRow>

const keyOf = ({ key }: StoredTable, one: PlainRow) => key.map((name) => `${typeof one[name]} ${String(one[name])}`).join('|')
const byKey = (table: StoredTable, rows: readonly PlainRow[]) => new Map(rows.map((one) => [keyOf(table, one), one]))
const alone = (table: StoredTable): Joined => ({ of: table, join: {}, wanted: Object.keys(table.fields) })
const standing = (tables: Tables, table: StoredTable) =>
  byKey(
    table,
    [...tables.standing(alone(table))].flatMap(rowsOf).map(({ _seq: _, ...one }) => one),
  )

function fresh(...all: readonly StoredTable[]): Tables {
  const tables = openSqliteTables(':memory:')
  onTestFinished(() => tables.close())
  tables.shape(all, () => false)
  tables.renew(all)
  tables.settle({ commit: 0, token: '' })
  return tables
}

describe('tables on disk', { timeout: 120_000 }, () => {
  it('become what files say: rows of every kind are new, changed, unchanged or left, and of those with one key the first counts', () => {
    const tables = fresh(everyKind)
    let stood: ReadonlyMap<string, PlainRow> = new Map()
    let commit = 0
    const life = fc.property(
      fc.array(row, { maxLength: 30 }),
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rows, partial, kept) => {
        const old = [...stood.values()].filter((_, i) => (i * 7) % 10 < kept * 10)
        const file = [...old, ...rows.map((one, i) => (i % 3 === 0 && old[i] ? { ...one, id: old[i].id!, word: old[i].word! } : one))]
        const first = new Map<string, PlainRow>()
        for (const one of file) if (!first.has(keyOf(everyKind, one))) first.set(keyOf(everyKind, one), one)
        const all = file.map((one, i) => ({ ...one, i }))
        for (let from = 0; from < all.length; from += 7) {
          const some = columnsOf(everyKind.fields, all.slice(from, from + 7))
          const numbers = { kind: 'int', values: Float64Array.from({ length: some.count }, (_, i) => from + i + 1) } as const
          tables.receive('every_kind', { ...some, byName: new Map([...some.byName, ['_seq', numbers]]) })
        }
        const is = new Map([...(partial ? stood : []), ...first])
        const isSame = (key: string) => JSON.stringify(shown(stood.get(key))) === JSON.stringify(shown(is.get(key)))
        expect(tables.compare('every_kind', { partial })).toEqual({
          added: [...first.keys()].filter((key) => !stood.has(key)).length,
          changed: [...first.keys()].filter((key) => stood.has(key) && !isSame(key)).length,
          unchanged: [...first.keys()].filter((key) => stood.has(key) && isSame(key)).length,
          gone: [...stood.keys()].filter((key) => !is.has(key)).length,
          repeated: file.length - first.size,
        })
        expect([...tables.repeated('every_kind')].reduce((sum, { count }) => sum + count, 0)).toBe(file.length - first.size)
        for (const change of [...tables.changes('every_kind', 0)].flatMap(rowsOf)) {
          const side = (name: 'before' | 'after') =>
            change[name] ? Object.fromEntries(Object.keys(everyKind.fields).map((own) => [own, change[`${name}.${own}`]])) : undefined
          expect(side('before')).toEqual(stood.get(keyOf(everyKind, change)))
          expect(side('after')).toEqual(is.get(keyOf(everyKind, change)))
        }
        const staged = tables.staged('every_kind')
        expect([...tables.changes('every_kind', staged > 2 ? 2 : 0)].flatMap(rowsOf)).toHaveLength(staged > 2 ? staged - 2 : staged)
        tables.settle({ commit: ++commit, token: `${commit}` })
        expect(tables.mark()).toEqual({ commit, token: `${commit}` })
        expect(standing(tables, everyKind)).toEqual(is)
        expect(tables.count('every_kind')).toBe(is.size)
        stood = is
      },
    )
    fc.assert(life, { numRuns: 60 })
  })

  it('find the rows that refer to those that change, by way of other tables, and never by looking at all', () => {
    const { dir, remove } = newDirectory()
    onTestFinished(remove)
    const path = join(dir, 'tables.db')
    const tables = openSqliteTables(path)
    onTestFinished(() => tables.close())
    // Keys that lie as texts in one table, and as integers in the other.
    const lands: StoredTable = {
      name: 'lands',
      key: ['code'],
      fields: { code: { kind: 'decimal', digits: 20, scale: 0 }, name: { kind: 'text' } },
    }
    const towns: StoredTable = {
      name: 'towns',
      key: ['id'],
      fields: { id: { kind: 'integer' }, land: { kind: 'decimal', digits: 5, scale: 0 } },
    }
    const people: StoredTable = { name: 'people', key: ['id'], fields: { id: { kind: 'integer' }, town: { kind: 'integer' } } }
    const joined: Joined = {
      of: people,
      join: { town: { table: towns, on: ['town'], optional: false }, land: { table: lands, on: ['town.land'], optional: true } },
      wanted: ['id', 'land.name'],
    }
    tables.renew([lands, towns, people])
    const fill = (table: StoredTable, rows: readonly PlainRow[]) => tables.fill(table.name, columnsOf(table.fields, rows))
    fill(
      lands,
      [1, 2].map((code) => ({ code, name: `land ${code}` })),
    )
    fill(
      towns,
      [1, 2, 3].map((id) => ({ id, land: id === 3 ? 9 : id })),
    )
    fill(
      people,
      [1, 2, 3, 4].map((id) => ({ id, town: id })),
    )
    tables.settle({ commit: 1, token: '' })
    const names = (state: 'before' | 'after', count: number) =>
      rowsOf(tables.rows(joined, state, 'affected', 0, count)).map((one) => [one['id'], one['land.name']])

    tables.stage(
      'lands',
      columnsOf(lands.fields, [
        { code: 2, name: 'renamed' },
        { code: 9, name: 'new' },
      ]),
    )
    expect(tables.list(joined, { all: false })).toBe(2)
    expect(names('before', 2)).toEqual([
      [2, 'land 2'],
      [3, null],
    ])
    expect(names('after', 2)).toEqual([
      [2, 'renamed'],
      [3, 'new'],
    ])
    const db = openSqlite(path, { readOnly: true })
    onTestFinished(() => db.close())
    for (const name of ['town', 'land']) {
      const plan = db
        .prepare(`EXPLAIN QUERY PLAN ${referringSql(joined, name).sql}`)
        .all()
        .map(({ detail }) => String(detail))
      // The rows that are staged are all looked at, and only they.
      expect(plan.filter((line) => !line.startsWith('SEARCH'))).toEqual([expect.stringMatching(/^SCAN (town|land)>/)])
    }
    tables.settle({ commit: 2, token: '' })

    tables.stageGone('towns', columnsOf(towns.fields, [{ id: 1, land: null }]))
    expect(tables.list(joined, { all: false })).toBe(1)
    expect([names('before', 1), names('after', 1)]).toEqual([[[1, 'land 1']], []])
    tables.discard()
    expect(tables.list(joined, { all: false })).toBe(0)
    expect([...tables.standing(joined)].flatMap(rowsOf).map((one) => [one['id'], one['land.name']])).toEqual([
      [1, 'land 1'],
      [2, 'renamed'],
      [3, 'new'],
    ])
  })

  it('know what they are as of, and forget it where a table has other columns, or one is missing that must be filled', () => {
    const one: StoredTable = { name: 'one', key: ['id'], fields: { id: { kind: 'integer' } } }
    const two: StoredTable = { name: 'two', key: ['id'], fields: { id: { kind: 'integer' } } }
    const wider: StoredTable = { ...one, fields: { ...one.fields, more: { kind: 'text' } } }
    const tables = fresh(one)
    tables.settle({ commit: 3, token: 'c' })
    tables.shape([one, two], () => false)
    expect(tables.mark()).toEqual({ commit: 3, token: 'c' })
    tables.stage('one', columnsOf(one.fields, [{ id: 1 }]))
    tables.seal({ commit: 4, token: 'd' })
    expect(tables.sealed()).toEqual({ commit: 4, token: 'd' })
    tables.settle({ commit: 4, token: 'd' })
    expect([tables.count('one'), tables.sealed()]).toEqual([1, undefined])
    tables.shape([wider, two], () => false)
    expect([tables.mark(), tables.count('one')]).toEqual([undefined, 0])
    tables.settle({ commit: 5, token: 'e' })
    tables.shape([wider, { ...two, name: 'three' }], (name) => name === 'three')
    expect(tables.mark()).toBeUndefined()
    expect(() => tables.shape([{ ...one, fields: { ...one.fields, ID: { kind: 'text' } } }], () => false)).toThrow(Problem)
  })
})

const shown = (one: PlainRow | undefined) => one && Object.entries(one).map(([name, value]) => [name, String(value)])
