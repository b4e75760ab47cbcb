/** What is lost or changed behind Tidemark's back: told as what it is, never vouched for, and made again; there is always a way out. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import { registerInflow } from '../streams/inflow.ts'
import { streamOf } from '../streams/stream.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { encodeObject } from '../schemas/avro/generic.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { frameHeader } from '../schemas/wire.ts'
import { apply } from '../versions/apply.ts'
import { doctorFinds, done, freshFolder, json, tidemark, warehouseOf } from './cli-run.ts'
import { chain, copyOf, cutShort, expectRefused, generated, limitMs, only, unwatched, valuesIn, withPorts } from './loan-folders.ts'

let file: string
let base: string
beforeAll(async () => {
  file = await generated(3000, 9)
  base = freshFolder()
  await done(base, 'apply loan_risk@0 --yes')
  await done(base, `backfill --years 2007-2008 --file ${file}`)
  await done(base, `produce --years 2009-2010 --file ${file}`)
  await done(base, 'up --until-caught-up')
  await done(base, 'apply loan_risk@1 --yes')
  await done(base, `produce --years 2011 --file ${file}`)
  await done(base, 'up --until-caught-up')
}, limitMs)

const lose = (folder: string, name: string) => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, '.tidemark', `${name}.db${suffix}`), { force: true })
  expect(existsSync(join(folder, '.tidemark', `${name}.db`))).toBe(false)
}

const inWarehouse = (folder: string, sql: string) => {
  const db = new DatabaseSync(warehouseOf(folder))
  db.exec(sql)
  db.close()
}

/** What a command says that ends with 1 when it finds something. */
const found = async (folder: string, words: string) => JSON.parse((await tidemark(folder, `${words} --json`)).out)

describe('a warehouse', () => {
  it(
    'that was lost is told by every command, and made again with every row',
    async () => {
      const folder = copyOf(base)
      const before = ['loan_risk', 'loan_risk_v0', 'loan_risk_v1'].map((view) => valuesIn(folder, view))
      lose(folder, 'warehouse')
      const lost = 'the warehouse knows nothing of versions of loan_risk that were applied'
      for (const words of [
        'apply loan_risk@1 --yes',
        'apply loan_risk@2 --yes',
        'promote loan_risk@0 --yes',
        'rollback loan_risk --yes',
        'retire loan_risk@0 --yes',
      ]) {
        const { code, err } = await tidemark(folder, words)
        expect({ words, code, err }).toMatchObject({
          code: 1,
          err: expect.stringContaining(`${lost}. Put the warehouse back, or have it made again from history: tidemark repair loan_risk`),
        })
      }
      expect((await json(folder, 'versions')).unfinished).toEqual([`loan_risk: ${lost}. Run: tidemark repair loan_risk`])
      expect((await doctorFinds(folder))['unfinished work']).toMatchObject({ state: 'problem' })
      await done(folder, 'repair loan_risk')
      await done(folder, 'up --until-caught-up')
      expect(['loan_risk', 'loan_risk_v0', 'loan_risk_v1'].map((view) => valuesIn(folder, view))).toEqual(before)
      for (const version of [0, 1]) expect(await tidemark(folder, `verify loan_risk@${version}`)).toMatchObject({ code: 0 })
      expect((await json(folder, 'versions')).unfinished).toEqual([])
    },
    limitMs,
  )

  it(
    'that was lost after outflow was cut is made again from history alone, and the sink goes on behind it',
    async () => {
      const folder = copyOf(base)
      const before = valuesIn(folder, 'loan_risk')
      await done(folder, 'reset outflow --yes')
      lose(folder, 'warehouse')
      await done(folder, 'repair')
      expect(valuesIn(folder, 'loan_risk')).toEqual(before)
      await done(folder, `produce --years 2012 --file ${file}`)
      await done(folder, 'up --until-caught-up')
      expect(await tidemark(folder, 'verify loan_risk@1')).toMatchObject({ code: 0 })
    },
    limitMs,
  )

  it(
    'whose rows do not add up is no store that doctor calls well; verify names them, repair mends them and nothing else',
    async () => {
      const folder = copyOf(base)
      const before = valuesIn(folder, 'loan_risk')
      expect((await doctorFinds(folder))['rows']).toMatchObject({ state: 'ok' })
      inWarehouse(
        folder,
        `DELETE FROM loan_risk_rows WHERE _version = 1 AND _seq BETWEEN 100 AND 199;
      UPDATE loan_risk_rows SET ma50 = ma50 + 1 WHERE _version = 1 AND _seq = 300;
      INSERT INTO loan_risk_rows (amount_requested, application_date, _modified_ts, _version, _seq)
        VALUES (1, '2011-01-01', 0, 1, 1000000)`,
      )
      const rows = before.length
      expect((await doctorFinds(folder))['rows']).toMatchObject({
        state: 'problem',
        found: `loan_risk@1 has ${grouped(rows - 99)} rows of ${grouped(rows)}`,
        todo: 'See which: tidemark verify loan_risk@1; bring them back: tidemark repair loan_risk',
      })
      const { differences, first } = await found(folder, 'verify loan_risk@1')
      expect(differences).toBe(102)
      expect(first[0]).toEqual({ seq: 100, column: 'row', expected: 'a row', found: 'no row' })
      expect(await done(folder, 'repair loan_risk')).toMatch(/@1: [\d ]+ records compared, 101 rows written, 1 removed$/)
      expect(valuesIn(folder, 'loan_risk')).toEqual(before)
      expect(await done(folder, 'repair loan_risk')).toMatch(/@1: [\d ]+ records compared, 0 rows written, 0 removed$/)
    },
    limitMs,
  )
})

describe('verify', () => {
  it(
    'does not vouch for a record that was dropped as a duplicate and is none',
    async () => {
      const folder = freshFolder()
      await done(folder, 'apply loan_risk@0 --yes')
      await done(folder, `produce --years 2009 --file ${file}`)
      await done(folder, 'up --until-caught-up')
      expect(await tidemark(folder, 'verify loan_risk@0')).toMatchObject({ code: 0 })
      await withPorts(folder, async ({ log, registry }) => {
        const { id } = await registerInflow(registry, rejectedLoan)
        const loan = {
          seq: 1,
          amount_requested: 1000,
          application_date: 13_000,
          loan_title: null,
          risk_score: 600,
          debt_to_income_ratio: null,
          zip_code: null,
          state: null,
          employment_length: null,
          policy_code: null,
        }
        const bytes = Buffer.concat([frameHeader(id), encodeObject(inflowSchema(rejectedLoan), loan)])
        const writer = await log.writer('a foreign producer')
        await writer.commit({
          append: [{ topic: streamOf(rejectedLoan).inflow, partition: 0, batch: { bytes, ends: Uint32Array.of(bytes.length) } }],
        })
      })
      expect(await done(folder, 'up --until-caught-up')).toContain('1 duplicates skipped')
      expect((await found(folder, 'verify loan_risk@0')).first).toEqual([
        { seq: 1, column: 'record', expected: 'taken once', found: 'dropped as a duplicate' },
      ])
    },
    limitMs,
  )
})

const grouped = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ' ')

describe('a way out', () => {
  it(
    'of an apply that was killed and whose history is gone: begin it another way, or give it up and go on',
    async () => {
      const folder = copyOf(base)
      await cutShort(folder, 2, 'backfill')
      const own = copyOf(folder)
      await withPorts(folder, async (ports) => {
        const lost = {
          ...ports,
          openSource: () => {
            throw new Error('the file is gone')
          },
        }
        await expect(apply(lost, { chain, version: 2, mode: 'backfill', ...unwatched })).rejects.toThrow('gone')
        await apply(lost, { chain, version: 2, mode: 'cold', ...unwatched })
      })
      expect((await json(folder, 'versions')).unfinished).toEqual([])
      expect(await done(own, 'retire loan_risk@2 --yes')).toBe('loan_risk@2 is retired')
      expect(only(own, 'SELECT count(*) FROM loan_risk_rows WHERE _version = 2')).toEqual([0])
      expect((await json(own, 'versions')).unfinished).toEqual([])
      expect((await json(own, 'status')).sets[0]).toMatchObject({ promoted: 1, live: [1] })
    },
    limitMs,
  )

  it(
    'of a registry that was lost: its schemas come back under the ids that messages name',
    async () => {
      const folder = copyOf(base)
      const [first] = (await json(folder, 'versions')).versions
      lose(folder, 'registry')
      await done(folder, 'repair loan_risk')
      const after = await json(folder, 'versions')
      expect(after.versions[0].schemaVersionId).toBe(first.schemaVersionId)
      expect(after.unfinished).toEqual([])
      await done(folder, `produce --years 2012 --file ${file}`)
      await done(folder, 'up --until-caught-up')
      expect(await tidemark(folder, 'verify loan_risk@1')).toMatchObject({ code: 0 })
      await done(folder, 'apply loan_risk@2 --yes')
    },
    limitMs,
  )

  it(
    'of a log that was lost: said by repair, with what can still be done',
    async () => {
      const folder = copyOf(base)
      lose(folder, 'log')
      await expect(tidemark(folder, 'repair loan_risk')).resolves.toMatchObject({
        code: 1,
        err: expect.stringMatching(
          /nothing is known of loan_risk: its journal lies in the log, which has none\. Restore the log from a copy\..*start over in an empty data directory\./,
        ),
      })
    },
    limitMs,
  )
})

describe('what a decision was made for', () => {
  it(
    'is looked at again: records that came in since are filled, and a shadow of nothing stays a shadow',
    async () => {
      const folder = freshFolder()
      await done(folder, 'apply loan_risk@0 --yes')
      expect(await done(folder, 'apply loan_risk@1 --shadow --yes')).toMatch(/is computed in the shadow/)
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ promoted: 0 })
      const empty = freshFolder()
      await done(empty, 'apply loan_risk@0 --yes')
      // Planned over nothing, and carried out when records have come in.
      await begunOver(empty)
      await done(empty, `produce --years 2007-2009 --file ${file}`)
      await done(empty, 'up --until-caught-up')
      await done(empty, 'apply loan_risk@1 --yes')
      expect(await tidemark(empty, 'verify loan_risk@1')).toMatchObject({ code: 0 })
      expect(only(empty, 'SELECT count(*) = max(_seq), min(_version) FROM loan_risk')).toEqual([1, 1])
    },
    limitMs,
  )

  it(
    'is refused when the versions have changed while somebody was asked',
    async () => {
      const folder = copyOf(base)
      await withPorts(folder, async (ports) => {
        const { plan } = await import('../versions/plan.ts')
        const { seen, mode } = await plan(ports, { chain, version: 2, mode: 'shadow', partitions: 1 })
        await done(folder, 'rollback loan_risk --yes')
        await expect(apply(ports, { chain, version: 2, mode, seen, ...unwatched })).rejects.toThrow(
          'the versions of loan_risk have changed while you were asked',
        )
      })
    },
    limitMs,
  )
})

/** Killed after it was planned, before anything else. */
const begunOver = (folder: string) =>
  withPorts(folder, async (ports) => {
    const { log } = ports
    const writer: typeof log.writer = async (name) => (name.startsWith('compute/') ? Promise.reject(new Error('killed')) : log.writer(name))
    await expect(apply({ ...ports, log: { ...log, writer } }, { chain, version: 1, mode: 'backfill', ...unwatched })).rejects.toThrow(
      'killed',
    )
  })

describe('retire', () => {
  it(
    'is refused while rows of the version are on their way to a view that will show them',
    async () => {
      const folder = freshFolder()
      await done(folder, 'apply loan_risk@0 --yes')
      await done(folder, `produce --years 2007-2009 --file ${file}`)
      await done(folder, 'consume --until-caught-up')
      await done(folder, 'apply loan_risk@1 --cold --yes')
      const records = (await json(folder, 'status')).sets[0].position
      await expectRefused(
        folder,
        'retire loan_risk@0 --yes',
        `${records} rows of loan_risk@0 are on their way to the warehouse, and loan_risk may show them. Let the sink write them: ` +
          'tidemark sink --until-caught-up; then run this again.',
      )
      await done(folder, 'sink --until-caught-up')
      expect(only(folder, 'SELECT count(*) FROM loan_risk')).toEqual([records])
      await expectRefused(folder, 'retire loan_risk@0 --yes', /^tidemark: loan_risk still shows \d+ rows of loan_risk@0/)
    },
    limitMs,
  )
})
