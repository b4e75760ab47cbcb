/**
 * What is written into Redshift: whatever the texts, however much, and whatever goes wrong on the way (data-api.ts says what its emulator
 * cannot prove).
 */
import { ListStatementsCommand, RedshiftDataClient } from '@aws-sdk/client-redshift-data'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { numberLiteral, textLiteral } from '../../utilities/redshift/literals.ts'
import { writeToken } from '../../utilities/redshift/progress.ts'
import { checkReads } from '../../utilities/redshift/reading.ts'
import type { Warehouse } from '../../utilities/warehouse.ts'
import { columnsFrom, everything, layoutOf, plainRows, readRows, type Row } from '../contracts/loan-rows.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { noFaults } from './data-api-faults.ts'
import { redshiftStore } from './redshift-stores.ts'

let api: TestDataApi

beforeAll(async () => {
  api = await startDataApi()
  Object.assign(process.env, api.env)
})
afterAll(() => api.stop())
beforeEach(() => void Object.assign(api.faults, noFaults()))

async function arranged(more = {}, tuning = {}) {
  const store = redshiftStore(api)
  const opened = await store.open(more, tuning)
  await opened.warehouse.arrange(layoutOf(1, [1, 0]), [])
  return { store, ...opened }
}

const row = (seq: number, more: Partial<Row> = {}): Row => ({ _seq: seq, _version: 0, _modified_ts: BigInt(seq), ...more })

/** Pieces of what breaks statements that are put together from text. */
const pieces = [
  "'",
  "''",
  '"',
  '\\',
  "\\'",
  '\\\\',
  '\n',
  '\r\n',
  '\t',
  '$$',
  '$1',
  ':a',
  ':title',
  '?',
  ';--',
  '/*',
  '*/',
  "'); DROP TABLE loan_rows; --",
  '|',
  '~',
  '^',
  '#',
  '@',
  'NULL',
  '😀',
  'é',
  '日本',
  '\ud800',
  '\u2028',
  '\u0007',
  ' ',
  'x',
  '%s',
  '{}',
  'Ā',
]
const hostile = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''))
/** Half a surrogate pair is no character: in UTF-8 it is the replacement character. */
const asUtf8 = (text: string) => text.toWellFormed()

describe('a text in a statement', () => {
  it('comes back as it was, whether or not the warehouse takes a backslash for an escape', { timeout: 60_000 }, async () => {
    const plain = await startDataApi({ backslash: 'plain' })
    try {
      for (const server of [api, plain]) {
        Object.assign(process.env, server.env)
        const { warehouse } = await redshiftStore(server).open()
        await warehouse.arrange(layoutOf(0, [0]), [])
        await fc.assert(
          fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 30 }), async (texts) => {
            await warehouse.write('loan', columnsFrom(texts.map((title, i) => row(i, { title }))))
            const rows = await readRows(warehouse, 0, { first: 0, last: texts.length - 1 }, ['title'])
            expect(rows.map(({ title }) => title)).toEqual(texts.map(asUtf8))
          }),
          { numRuns: 12 },
        )
        await warehouse.close()
      }
    } finally {
      Object.assign(process.env, api.env)
      await plain.stop()
    }
  })

  it('holds no backslash, and no quotation mark that is not doubled', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const literal = textLiteral(text)
        expect(literal).not.toContain('\\')
        expect(literal.replace(/'(?:[^']|'')*'/g, '')).toMatch(/^(REPLACE\(, , CHR\(92\)\))?$/)
      }),
    )
  })

  it('is a number with every digit it needs', () => {
    expect([1, -2.5, 0.1, 1e21, 5e-324, 2 ** 53].map(numberLiteral)).toEqual([
      '1',
      '-2.5',
      '0.1',
      "'1e+21'::float8",
      "'5e-324'::float8",
      '9007199254740992',
    ])
  })
})

describe('a text that is too long for its column', () => {
  const long = `${'é'.repeat(31)}€`

  it('stops the write, named by set, row and column, and nothing of it is written', async () => {
    const { warehouse } = await arranged()
    await warehouse.write('loan', columnsFrom([row(1)]), { reader: 'r', next: 1 })
    const write = warehouse.write('loan', columnsFrom([row(2), row(3, { note: long })]), { reader: 'r', next: 3 })
    await expect(write).rejects.toThrow('note of loan at _seq 3 is 65 bytes long, and its column holds 64. Set "tooLong": "cut"')
    expect([await warehouse.extent('loan', 0), await warehouse.progress('r')]).toEqual([{ rows: 1, first: 1, last: 1 }, 1])
    await expect(warehouse.write('loan', columnsFrom([row(4, { title: 'a\0b' })]))).rejects.toThrow(
      'title of loan at _seq 4 has the character NUL',
    )
  })

  it('is cut at the end of a character where the config says so, and counted', async () => {
    const { warehouse, notes } = await arranged({ tooLong: 'cut' })
    await warehouse.write(
      'loan',
      columnsFrom([row(1, { note: long }), row(2, { note: 'a\0b' }), row(3, { note: 'kept' }), row(4, { note: `${'x'.repeat(61)}😀` })]),
    )
    expect((await readRows(warehouse, 0, everything, ['note'])).map(({ note }) => note)).toEqual([
      'é'.repeat(31),
      'ab',
      'kept',
      'x'.repeat(61),
    ])
    expect(notes).toEqual(['3 texts of note in loan did not fit, and were cut'])
  })
})

describe('many rows without staging', () => {
  it('go in by parts, the progress with the last: what a failure leaves is written again onto itself', async () => {
    const { store, warehouse, notes } = await arranged()
    const session = await api.session()
    await session.run(
      `CREATE FUNCTION ${store.schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this one''; END'`,
    )
    await session.run(
      `CREATE TRIGGER refuse BEFORE INSERT ON ${store.schema}.loan_rows FOR EACH ROW WHEN (NEW._seq = 16000) EXECUTE FUNCTION ` +
        `${store.schema}.refuse()`,
    )
    const rows = Array.from({ length: 16_000 }, (_, i) => row(i + 1, { title: `title ${i}`.padEnd(230), ma50: i }))
    await expect(warehouse.write('loan', columnsFrom(rows), { reader: 'r', next: 16_000 })).rejects.toThrow(
      'Redshift refused: not this one. Look at',
    )
    const left = await warehouse.extent('loan', 0)
    expect(left!.rows).toBeGreaterThan(5_000)
    expect(left!.rows).toBeLessThan(16_000)
    expect(await warehouse.progress('r')).toBeUndefined()
    await session.run(`DROP TRIGGER refuse ON ${store.schema}.loan_rows`)
    await session.end()
    await warehouse.write('loan', columnsFrom(rows), { reader: 'r', next: 16_000 })
    expect([await warehouse.extent('loan', 0), await warehouse.progress('r')]).toEqual([{ rows: 16_000, first: 1, last: 16_000 }, 16_000])
    expect(notes).toEqual(['rows go into Redshift by INSERT, which is slow for many: name a bucket under "staging" in the config file'])
  })

  it('of one key are one row, the last', async () => {
    const { warehouse } = await arranged()
    await warehouse.write('loan', columnsFrom([row(1, { title: 'first' }), row(2), row(1, { title: 'last' })]))
    expect(await readRows(warehouse, 0, everything, ['_seq', 'title'])).toEqual([
      { _seq: 1, title: 'last' },
      { _seq: 2, title: null },
    ])
  })
})

describe('trouble that passes', () => {
  it('neither doubles a row nor loses one, and is said once', { timeout: 120_000 }, async () => {
    const kinds = ['throttle', 'loseRequests', 'loseReplies', 'internalErrors', 'tooManyActive', 'conflicts'] as const
    const trouble = fc.record({ kind: fc.constantFrom(...kinds), times: fc.integer({ min: 1, max: 4 }) })
    const steps = fc.array(fc.record({ rows: fc.integer({ min: 1, max: 40 }), trouble: fc.array(trouble, { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 5,
    })
    const { warehouse: made, store } = await arranged()
    await made.close()
    let next = 0
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { warehouse, notes } = await store.open({}, { limits: { shortMs: 5_000, firstMs: 5_000 } })
        const before = next
        for (const { rows, trouble } of all) {
          for (const { kind, times } of trouble) api.faults[kind] += times
          await warehouse.write('loan', columnsFrom(plainRows(1, next + 1, next + rows)), { reader: 'r', next: next + rows })
          next += rows
        }
        Object.assign(api.faults, noFaults())
        const session = await api.session()
        const [counted] = (await session.run(`SELECT count(*), count(DISTINCT _seq), max(_seq) FROM ${store.schema}.loan_rows`)).rows
        expect(counted).toEqual([next, next, next].map(String))
        expect(await warehouse.progress('r')).toBe(next)
        expect(await readRows(warehouse, 1, { first: before + 1, last: next })).toEqual(plainRows(1, before + 1, next))
        await session.end()
        await warehouse.close()
        for (const [i, text] of notes.entries())
          expect(text).toMatch(i % 2 === 0 ? /^Redshift \(workgroup tidemark\): .+; trying again$/ : /: it works again$/)
        expect(notes.length % 2).toBe(0)
      }),
      { numRuns: 10 },
    )
  })

  it('leaves every row once, also when writers die in the middle and the next ones begin at once', { timeout: 120_000 }, async () => {
    const { warehouse: made, store } = await arranged()
    const step = fc.record({
      rows: fc.integer({ min: 1, max: 30 }),
      dies: fc.boolean(),
      trouble: fc.constantFrom(undefined, 'loseReplies', 'conflicts', 'loseRequests'),
    })
    let base = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
        const reader = `reader ${base}`
        const total = steps.reduce((sum, { rows }) => sum + rows, 0)
        const left: Promise<unknown>[] = []
        const turn = async (rows: number, dies: boolean) => {
          const { warehouse } = await store.open({}, { limits: { shortMs: 5_000, firstMs: 5_000 } })
          const from = (await warehouse.progress(reader)) ?? base
          const next = Math.min(base + total, from + rows)
          const write = warehouse
            .write('loan', columnsFrom(plainRows(1, from + 1, next)), { reader, next })
            .catch(() => {})
            .then(warehouse.close)
          left.push(write)
          if (!dies) await write
        }
        for (const { rows, dies, trouble } of steps) {
          if (trouble) api.faults[trouble]++
          await turn(rows, dies)
        }
        await Promise.all(left)
        Object.assign(api.faults, noFaults())
        // One that was slow to die may have set the progress back: what it makes the next one write again is there already.
        for (let turns = 0; (await made.progress(reader)) !== base + total; turns++) {
          expect(turns).toBeLessThan(20)
          await turn(30, false)
        }
        const { rows } = await made.query(`SELECT count(*), count(DISTINCT _seq) FROM loan_v1 WHERE _seq > ${base}`)
        expect(rows).toEqual([[total, total]])
        expect(await readRows(made, 1, { first: base + 1, last: base + total })).toEqual(plainRows(1, base + 1, base + total))
        base += total
      }),
      { numRuns: 8 },
    )
  })

  it('is waited for by a write as long as an outage lasts, and by a question only shortly, but for one that a write needs', async () => {
    const { warehouse, notes } = await arranged({}, { limits: { shortMs: 50 } })
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 5)), { reader: 'r', next: 5 })
    await api.down()
    let ended = 0
    const write = warehouse.write('loan', columnsFrom(plainRows(0, 6, 9)), { reader: 'r', next: 9 }).finally(() => ended++)
    const before = warehouse.versions('loan', new AbortController().signal).finally(() => ended++)
    try {
      while (notes.length === 0) await new Promise((soon) => setTimeout(soon, 5))
      await expect(warehouse.extent('loan', 0)).rejects.toThrow(
        /^Redshift \(workgroup tidemark\) does not answer in eu-west-1 \(.*ECONNREFUSED.*\)\. Check the network/,
      )
      expect(ended).toBe(0)
    } finally {
      await api.up()
    }
    await write
    expect(await before).toEqual(await warehouse.versions('loan'))
    expect([await warehouse.extent('loan', 0), await warehouse.progress('r')]).toEqual([{ rows: 9, first: 1, last: 9 }, 9])
    expect(notes).toEqual([expect.stringMatching(/ECONNREFUSED.*; trying again$/), 'Redshift (workgroup tidemark): it works again'])
  })

  it('ends with what to do when it does not pass', async () => {
    const { warehouse } = await arranged({}, { limits: { shortMs: 60, outageMs: 60 } })
    const write = () => warehouse.write('loan', columnsFrom(plainRows(0, 1, 5)), { reader: 'r', next: 5 })
    await warehouse.extent('loan', 0)
    api.faults.conflicts = 1e6
    await expect(write()).rejects.toThrow(/^other transactions of Redshift kept getting in the way \(.*1023/)
    Object.assign(api.faults, { conflicts: 0, tooManyActive: 1e6 })
    await expect(write()).rejects.toThrow(/^Redshift \(workgroup tidemark\) was too busy for long \(ActiveStatementsExceededException/)
    Object.assign(api.faults, noFaults(), { throttle: 1e6 })
    await expect(write()).rejects.toThrow(/too many requests/)
    Object.assign(api.faults, noFaults())
    expect([await warehouse.progress('r'), await warehouse.extent('loan', 0)]).toEqual([undefined, undefined])
  })

  it('is not waited for any longer when the writer is told to stop', async () => {
    const { warehouse } = await arranged()
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 5)), { reader: 'r', next: 5 })
    const stop = new AbortController()
    await api.down()
    try {
      const write = warehouse.write('loan', columnsFrom(plainRows(0, 6, 9)), { reader: 'r', next: 9 }, stop.signal)
      setTimeout(() => stop.abort(), 20)
      expect(await write.catch((error: unknown) => error)).toBe(stop.signal.reason)
    } finally {
      await api.up()
    }
    expect(await warehouse.progress('r')).toBe(5)
  })
})

describe('the name of a write', () => {
  const before = { next: 5, at: '2026-11-21 12:00:00.123456' }
  const progress = { reader: 'sink/outflow/0', next: 9 }

  it('is the same for the same write, and another as soon as anything differs', () => {
    const token = writeToken(before, progress, 'loan', 'content')
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    expect(writeToken({ ...before }, { ...progress }, 'loan', 'content')).toBe(token)
    const others = [
      writeToken({ ...before, next: 4 }, progress, 'loan', 'content'),
      writeToken({ ...before, at: '2026-11-21 12:00:00.123457' }, progress, 'loan', 'content'),
      writeToken(before, { ...progress, next: 8 }, 'loan', 'content'),
      writeToken(before, { ...progress, reader: 'other' }, 'loan', 'content'),
      writeToken(before, progress, 'other', 'content'),
      writeToken(before, progress, 'loan', 'other'),
    ]
    expect(new Set([token, ...others]).size).toBe(others.length + 1)
    expect(writeToken(undefined, progress, 'loan', 'content')).toBeUndefined()
  })

  it('lets a process find what the one before it had begun when it died, so that it runs once', async () => {
    const { warehouse, store } = await arranged()
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 2)), { reader: 'r', next: 2 })
    const client = new RedshiftDataClient({ region: api.region })
    const batches = async () =>
      (await client.send(new ListStatementsCommand({ Status: 'ALL' }))).Statements!.filter(({ QueryStrings = [] }) =>
        QueryStrings.some((text) => text.startsWith('DELETE') && text.includes(`"${store.schema}"."loan_rows"`)),
      )
    const count = (await batches()).length
    const { warehouse: next } = await store.open()
    await Promise.all([next.progress('r'), next.extent('loan', 0)])
    api.faults.queueMs = 300
    const dead = warehouse.write('loan', columnsFrom(plainRows(0, 3, 4)), { reader: 'r', next: 4 })
    while ((await batches()).length === count) await new Promise((soon) => setTimeout(soon, 5))
    await next.write('loan', columnsFrom(plainRows(0, 3, 4)), { reader: 'r', next: 4 })
    await dead
    expect((await batches()).length).toBe(count + 1)
    expect(await warehouse.extent('loan', 0)).toEqual({ rows: 4, first: 1, last: 4 })
    client.destroy()
  })

  it('does not stand for an old failure: what was refused once is tried anew', async () => {
    const { warehouse, store } = await arranged()
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 2)), { reader: 'r', next: 2 })
    const [{ warehouse: one }, { warehouse: other }] = await Promise.all([store.open(), store.open()])
    for (const each of [one, other]) await Promise.all([each.progress('r'), each.extent('loan', 0)])
    const write = (by: Warehouse) => by.write('loan', columnsFrom(plainRows(0, 3, 4)), { reader: 'r', next: 4 })
    api.faults.failures = { count: 2, text: 'permission denied for relation loan_rows' }
    await expect(write(one)).rejects.toThrow('Redshift does not let this user do that')
    await write(other)
    expect(await warehouse.progress('r')).toBe(4)
  })
})

describe('a statement that is to be read only', () => {
  it('is answered with what Redshift says where it cannot be read', async () => {
    const { warehouse } = await arranged()
    await expect(warehouse.query('SELECT nothing FROM loan')).rejects.toThrow(
      /^Redshift refused: column "nothing" does not exist\. Correct the statement\.$/,
    )
  })

  it('is cancelled within a moment when nobody wants its rows any more', async () => {
    const { warehouse } = await arranged()
    const stop = new AbortController()
    const endless = 'WITH RECURSIVE n (i) AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n'
    const parts = warehouse.queryParts(endless, stop.signal)[Symbol.asyncIterator]()
    const first = parts.next()
    while (api.running().length === 0) await new Promise((soon) => setTimeout(soon, 5))
    stop.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    while (api.running().length > 0) await new Promise((soon) => setTimeout(soon, 5))
  })

  it('is looked at before it is sent', () => {
    const reads = [
      'SELECT 1',
      ' with a as (select 1) select * from a;',
      `SELECT ';' , "into" FROM x -- ; delete`,
      '/* ; */ SELECT 1',
      'EXPLAIN SELECT 1',
      "SELECT '\\\\d+'",
    ]
    const writes = [
      '',
      '-- x',
      'DELETE FROM x',
      'SELECT 1; SELECT 2',
      'SELECT * INTO y FROM x',
      'WITH a AS (SELECT 1) INSERT INTO x SELECT * FROM a',
      `SELECT '\\'; DROP TABLE x; --'`,
      'BEGIN',
      "SELECT 'a' /* ' */; DROP TABLE x --'",
      `UNLOAD ('SELECT 1') TO 's3://x/y'`,
      'SELECT pg_terminate_backend(17)',
      'SELECT "pg_cancel_backend" (17)',
      "SELECT set_config('x', 'y', false)",
    ]
    for (const sql of reads) expect(() => checkReads(sql), sql).not.toThrow()
    for (const sql of writes) expect(() => checkReads(sql), sql).toThrow('only one statement that reads is run here')
  })
})
