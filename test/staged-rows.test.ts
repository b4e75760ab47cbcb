/** Rows that are staged: they are found over those that stand, tell when they became known, and cost nothing of those that stand. */
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import type { Joined, StoredTable, Tables } from '../utilities/tables.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { columnsOf, rowsOf, type PlainRow } from './plain-columns.ts'

const whole = { kind: 'integer' } as const
const words = { kind: 'text' } as const
const lands: StoredTable = { name: 'lands', key: ['code'], fields: { code: words, name: words } }
const towns: StoredTable = { name: 'towns', key: ['id'], fields: { id: whole, land: words } }
/** The keys of wide decimals are texts there. */
const people: StoredTable = {
  name: 'people',
  key: ['id', 'word'],
  fields: { note: words, word: words, town: whole, id: { kind: 'decimal', digits: 30, scale: 0 }, born: { kind: 'date' } },
}
const all = [lands, towns, people]
const joined: Joined = {
  of: people,
  join: { town: { table: towns, on: ['town'], optional: true }, land: { table: lands, on: ['town.land'], optional: true } },
  wanted: ['id', 'word', 'land.name'],
}

function fresh(): Tables {
  const tables = openSqliteTables(':memory:')
  onTestFinished(() => tables.close())
  tables.renew(all)
  tables.settle({ commit: 0, token: '' })
  return tables
}

const columns = (table: StoredTable, rows: readonly PlainRow[], own: { readonly [name: string]: readonly number[] } = {}): Columns => {
  const { count, byName } = columnsOf(table.fields, rows)
  const longs = Object.entries(own).map(([name, values]): [string, Column] => [
    name,
    { kind: 'long', values: BigInt64Array.from(values, (value) => 1_790_000_000_000_000_000n + BigInt(value)) },
  ])
  return { count, byName: new Map([...byName, ...longs]) }
}
const known = (tables: Tables, listed: 'affected' | 'ordered', to: number) =>
  Array.from(tables.known(listed, 0, to), (moment) => (moment === 0n ? 0 : Number(moment - 1_790_000_000_000_000_000n)))

const person = (id: number, word: string, more: PlainRow = {}): PlainRow => ({ id, word, town: 1, note: null, born: null, ...more })
const keyOf = ({ id, word }: PlainRow) => `${String(id)} ${String(word)}`

describe('rows that are staged', () => {
  it('are found over those that stand, the last that is staged of each key, in the order of the keys that are asked for', () => {
    const tables = fresh()
    const key = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom('', 'a', 'é'))
    const step = fc.oneof(
      fc.record({ what: fc.constant('put' as const), keys: fc.array(key, { maxLength: 30 }), note: fc.string() }),
      fc.record({ what: fc.constant('gone' as const), keys: fc.array(key, { maxLength: 5 }), note: fc.constant('') }),
      fc.record({ what: fc.constantFrom('settle' as const, 'discard' as const), keys: fc.constant([]), note: fc.constant('') }),
    )
    let [stood, is] = [new Map<string, PlainRow>(), new Map<string, PlainRow>()]
    const every = Array.from({ length: 5 }, (_, id) => ['', 'a', 'é'].map((word): [number, string] => [id, word])).flat()
    const life = fc.property(fc.array(step, { maxLength: 8 }), fc.array(key, { maxLength: 25 }), (steps, asked) => {
      for (const { what, keys, note } of steps) {
        const rows = keys.map(([id, word], i) => person(id, word, { note: `${note}${i}` }))
        if (what === 'put') tables.stage('people', columns(people, rows))
        if (what === 'gone') tables.stageGone('people', columns(people, rows))
        if (what === 'settle') tables.settle({ commit: 1, token: '' })
        if (what === 'discard') tables.discard()
        if (what === 'put') for (const row of rows) is.set(keyOf(row), row)
        if (what === 'gone') for (const row of rows) is.delete(keyOf(row))
        if (what === 'settle') stood = new Map(is)
        if (what === 'discard') is = new Map(stood)
        for (const ask of [asked, every]) {
          const found = ask.flatMap(([id, word], i) => (is.has(`${id} ${word}`) ? [{ _seq: i, ...is.get(`${id} ${word}`) }] : []))
          const askedRows = ask.map(([id, word]) => person(id, word))
          expect(rowsOf(tables.find('people', columns(people, askedRows)))).toEqual(found)
        }
        const changes = [...tables.changes('people', 0)].flatMap(rowsOf)
        expect(changes.map((change) => [change['before'], change['after']])).toEqual(
          changes.map((change) => [stood.has(keyOf(change)), is.has(keyOf(change))]),
        )
        expect(changes.every(({ before, after }) => before === true || after === true)).toBe(true)
        expect(changes).toHaveLength(tables.staged('people'))
        expect(tables.count('people')).toBe(stood.size)
      }
    })
    fc.assert(life, { numRuns: 150 })
  })

  it('tell when they became known, the newest for whatever they may change', () => {
    const tables = fresh()
    tables.stage(
      'lands',
      columns(
        lands,
        ['x', 'y'].map((code) => ({ code, name: code })),
      ),
    )
    tables.stage(
      'towns',
      columns(
        towns,
        [1, 2].map((id) => ({ id, land: id === 1 ? 'x' : 'y' })),
      ),
    )
    const born = [5, 3, 1]
    tables.stage(
      'people',
      columns(
        people,
        [1, 2, 3].map((id) => person(id, 'a', { town: id, born: born[id - 1]! })),
        { _known: [70, 80, 90] },
      ),
    )
    expect(tables.orderBy(joined, 'born')).toBe(3)
    expect(known(tables, 'ordered', 3)).toEqual([90, 80, 70])
    tables.settle({ commit: 1, token: '' })
    expect(tables.list(joined, { all: true })).toBe(3)
    expect(known(tables, 'affected', 3)).toEqual([0, 0, 0])

    tables.stage('lands', columns(lands, [{ code: 'y', name: 'other' }], { _known: [20] }))
    tables.stageGone('towns', columns(towns, [{ id: 1, land: null }], { _known: [10] }))
    tables.stage('people', columns(people, [person(1, 'a', { note: 'new' }), person(4, 'b', { town: 2 })], { _known: [30, 15] }))
    // Nobody says when this one became known.
    tables.stage('people', columns(people, [person(3, 'a', { note: 'new', town: 3 })]))
    expect(tables.list(joined, { all: false })).toBe(4)
    expect(rowsOf(tables.rows(joined, 'after', 'affected', 0, 4)).map(({ id, 'land.name': name }) => [id, name])).toEqual(
      [
        ['1', null],
        ['2', 'other'],
        ['3', null],
        ['4', 'other'],
      ].map(([id, name]) => [Number(id), name]),
    )
    // The last one is there since 15, and the name of the land that he refers to is it since 20.
    expect(known(tables, 'affected', 4)).toEqual([30, 20, 0, 20])
    expect(known(tables, 'affected', 2)).toEqual([30, 20])
    const at: Column = { kind: 'date', days: Int32Array.of(9, 8, 7) }
    const numbers = (values: readonly number[]): Column => ({ kind: 'int', values: Float64Array.from(values) })
    tables.order({
      count: 3,
      byName: new Map([
        ['_seq', numbers([0, 1, 3])],
        ['rank', numbers([1, 1, 0])],
        ['at', at],
      ]),
    })
    expect(tables.ordered(joined)).toBe(3)
    expect(known(tables, 'ordered', 3)).toEqual([20, 20, 30])
    // Every row is there: those that refer to what is staged still tell of it.
    expect(tables.list(joined, { all: true })).toBe(4)
    expect(known(tables, 'affected', 4)).toEqual([30, 20, 0, 20])
    expect(tables.orderBy(joined, 'born')).toBe(4)
    expect(known(tables, 'ordered', 4)).toEqual([30, 0, 20, 20])
  })

  it('cost nothing of the rows that stand, which are found by their keys and by indexes alone', () => {
    const tables = fresh()
    const ids = Array.from({ length: 50 }, (_, id) => id)
    const stage = (some: readonly number[], note: string) => {
      tables.stage(
        'lands',
        columns(
          lands,
          some.map((id) => ({ code: `${id}`, name: note })),
        ),
      )
      tables.stage(
        'towns',
        columns(
          towns,
          some.map((id) => ({ id, land: `${id}` })),
        ),
      )
      tables.stage(
        'people',
        columns(
          people,
          some.map((id) => person(id, 'a', { town: id, note })),
        ),
      )
    }
    stage(ids, 'first')
    tables.settle({ commit: 1, token: '' })
    const scans = new Set<string>()
    const prepare = DatabaseSync.prototype.prepare
    const spy = vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, sql: string) {
      const plan = prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`).all()
      // The first row says whether there are any.
      for (const { detail } of plan) if (!sql.endsWith('LIMIT 1') && String(detail).startsWith('SCAN')) scans.add(String(detail))
      return prepare.call(this, sql)
    })
    onTestFinished(() => spy.mockRestore())
    stage([3, 60], 'second')
    tables.stageGone('people', columns(people, [person(5, 'a'), person(61, 'a')]))
    tables.stageGone('towns', columns(towns, [{ id: 7, land: null }]))
    tables.find('people', columns(people, [person(3, 'a'), person(5, 'a')]))
    for (const { name } of all) expect([...tables.changes(name, 0)]).toHaveLength(1)
    expect(tables.list(joined, { all: false })).toBe(4)
    tables.known('affected', 0, 4)
    expect(tables.rows(joined, 'before', 'affected', 0, 4).count).toBe(3)
    expect(tables.rows(joined, 'after', 'affected', 0, 4).count).toBe(3)
    tables.settle({ commit: 2, token: '' })
    expect(tables.count('people')).toBe(50)
    const small = [
      's',
      'a',
      'l',
      'found',
      '2-ROW VALUES CLAUSE',
      'temp.sqlite_schema',
      'town>',
      'land>',
      ...all.map(({ name }) => `staged ${name}`),
    ].map((name) => `SCAN ${name}`)
    expect(scans.size).toBeGreaterThan(5)
    // To count the rows is to look at all of them.
    expect([...scans].filter((scan) => !small.includes(scan))).toEqual([expect.stringMatching(/^SCAN rows people USING COVERING INDEX/)])
  })
})
