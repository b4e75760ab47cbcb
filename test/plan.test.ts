/** What `plan` says before anything happens, and what counts as a change of a definitions file. */
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import { v0, v1 } from '../examples/loans/loan-risk.ts'
import { featureChanges } from '../versions/changes.ts'
import { done, freshFolder, json, tidemark, warehouseOf } from './cli-run.ts'
import { copyOf, dumpOf, expectRefused, generated, limitMs, loansUntil2009, only, withDefinitions } from './loan-folders.ts'

let base: string

beforeAll(async () => {
  base = await loansUntil2009(await generated(20_000))
}, limitMs)

describe('plan', () => {
  it(
    'shows each feature before and after, and what becomes of its state in every mode',
    async () => {
      const ma50 = { feature: 'ma50', change: 'unchanged', before: { op: 'mean', of: 'risk_score', last: 50, round: 3 } }
      const ma100 = { feature: 'ma100', change: 'added', before: null, after: { op: 'mean', of: 'risk_score', last: 100, round: 3 } }
      const [rows] = only(base, 'SELECT count(*) FROM loan_risk')
      const states = {
        '': ['replayed from history', 'replayed from history', rows, rows],
        '--shadow': ['replayed from history', 'replayed from history', rows, rows],
        '--forward-only': ['inherited', 'replayed from history', rows, 0],
        '--cold': ['inherited', 'starts empty', 0, 0],
      }
      for (const [mode, [first, second, replayedRecords, writtenRows]] of Object.entries(states)) {
        const {
          plans: [plan],
        } = await json(base, `plan loan_risk@1 ${mode}`)
        expect(plan).toMatchObject({
          changes: true,
          promoted: 0,
          incompatible: [],
          replayedRecords,
          writtenRows,
          features: [
            { ...ma50, state: first },
            { ...ma100, state: second },
          ],
        })
      }
    },
    limitMs,
  )

  it('makes nothing where there is nothing', async () => {
    const folder = freshFolder()
    expect(await done(folder, 'plan loan_risk@0')).toMatch(/^ma50 +added/m)
    expect(readdirSync(folder)).toEqual([])
  })

  it(
    'tells redefined and removed features with both definitions',
    async () => {
      expect(featureChanges(v1.definition, v0.definition)).toMatchObject([
        { feature: 'ma50', change: 'unchanged' },
        { feature: 'ma100', change: 'removed', after: null },
      ])
      const folder = copyOf(base)
      await done(folder, 'apply loan_risk@1 --cold --yes')
      const text = await done(folder, 'plan')
      expect(text).toMatch(/^Plan for loan_risk@2 \(--backfill; SQL users see loan_risk@1 now\)$/m)
      expect(text).toMatch(
        /^ma50 +redefined +mean\('risk_score', \{ last: 50, round: 3 \}\) +ema\('risk_score', \{ span: 50, round: 3 \}\) +replayed from history$/m,
      )
      expect(text).toMatch(/^ma100 +unchanged +mean/m)
      expect(text).toMatch(/^Schema: compatible with the versions before\.$/m)
      expect(text).toMatch(/^Plan for loan_risk_2007@0$/m)
    },
    limitMs,
  )

  it(
    'says when there is nothing to do, and with --exit-code 3 when there is',
    async () => {
      expect(await tidemark(base, 'plan loan_risk@0 --exit-code')).toMatchObject({
        code: 0,
        out: 'loan_risk@0 is applied: nothing to do\n',
      })
      expect(await tidemark(base, 'apply loan_risk@0 --yes')).toMatchObject({ code: 0, out: 'loan_risk@0 is applied: nothing to do\n' })
      expect((await tidemark(base, 'plan loan_risk@1')).code).toBe(0)
      expect((await tidemark(base, 'plan loan_risk@1 --exit-code')).code).toBe(3)
    },
    limitMs,
  )

  it(
    'estimates time and bytes by what this store has measured itself',
    async () => {
      const [small, large] = [copyOf(base), freshFolder()]
      expect((await json(small, 'plan loan_risk@1')).plans[0]).toMatchObject({ seconds: null, bytes: expect.any(Number) })
      const rows = 52_000
      const from = await generated(rows)
      const startedMs = performance.now()
      await done(large, `backfill --years 2007-2012 --file ${from}`)
      const tookSeconds = (performance.now() - startedMs) / 1000
      const {
        plans: [plan],
      } = await json(large, 'plan loan_risk@1')
      expect(plan).toMatchObject({ replayedRecords: rows, writtenRows: rows })
      // The backfill read the same records and wrote the same rows: it took no longer than the whole command.
      expect(plan.seconds).toBeGreaterThan(0)
      expect(plan.seconds).toBeLessThan(tookSeconds)
      expect(plan.bytes / readFileSync(warehouseOf(large)).length).toBeCloseTo(1, 1)
      expect(await done(large, 'plan loan_risk@1')).toMatch(
        /^History: 52 000 records are replayed and as many rows written; about [\d.]+ m?s, about \d+ MB\.$/m,
      )
    },
    limitMs,
  )

  it(
    "names the views that change, other people's views on them, and who is pinned to what",
    async () => {
      const folder = copyOf(base)
      const db = new DatabaseSync(warehouseOf(folder))
      db.exec(
        'CREATE VIEW board AS SELECT ma50 FROM loan_risk; CREATE VIEW audit AS SELECT ma50 FROM loan_risk_v0; ' +
          'CREATE VIEW other AS SELECT 1 AS one',
      )
      db.close()
      const {
        plans: [plan],
      } = await json(folder, 'plan loan_risk@1')
      expect(plan).toMatchObject({
        views: ['loan_risk', 'loan_risk_latest', 'loan_risk_v1', 'loan_risk_v1_latest'],
        dependents: [{ view: 'board', uses: ['loan_risk'] }],
        pinned: [{ view: 'loan_risk_v0', by: ['audit'] }],
      })
      const text = await done(folder, 'plan loan_risk@1')
      for (const line of [
        'Views made anew: loan_risk, loan_risk_latest, loan_risk_v1, loan_risk_v1_latest',
        'Depends on them: board (uses loan_risk)',
        'Stays as it is: loan_risk_v0, used by audit',
      ])
        expect(text.split('\n')).toContain(line)
      await done(folder, 'apply loan_risk@1 --yes')
      for (const view of ['board', 'audit'])
        expect(only(folder, `SELECT count(*) FROM ${view}`)).toEqual(only(folder, 'SELECT count(*) FROM loan_risk'))
    },
    limitMs,
  )

  it(
    'changes nothing',
    async () => {
      const before = dumpOf(base)
      for (const words of ['', 'loan_risk@1', 'loan_risk@1 --cold', 'loan_risk@1 --shadow --json', 'loan_risk@0'])
        await done(base, `plan ${words}`)
      expect(dumpOf(base)).toEqual(before)
    },
    limitMs,
  )

  it.each(['', '--shadow', '--cold'])(
    'prints exactly the statements that apply %s runs',
    async (mode) => {
      const [folder, byHand] = [copyOf(base), copyOf(base)]
      const {
        plans: [plan],
      } = await json(folder, `plan loan_risk@1 ${mode}`)
      const text = await done(folder, `plan loan_risk@1 ${mode}`)
      const db = new DatabaseSync(warehouseOf(byHand))
      for (const statement of plan.ddl) {
        expect(text.replaceAll('\n  ', '\n')).toContain(`${statement};`)
        db.exec(statement)
      }
      db.close()
      const schema = dumpOf(folder)['warehouse']
      await done(folder, `apply loan_risk@1 ${mode} --yes`)
      expect(dumpOf(folder)['warehouse']).toEqual(dumpOf(byHand)['warehouse'])
      expect(dumpOf(folder)['warehouse']).not.toEqual(schema)
    },
    limitMs,
  )
})

describe('a definitions file of one’s own', () => {
  const text = `import { featureSet, mean, count, rejectedLoan } from 'tidemark'
const features = { m10: mean('risk_score', { last: 10, round: 2 }), n10: count('risk_score', { last: 10 }) }
export const v0 = featureSet({ name: 'risk', of: rejectedLoan }, features)
export const v1 = v0.add({ m20: mean('risk_score', { last: 20, round: 2 }), n20: count('state', { last: 20 }) })`
  let applied: string

  beforeAll(async () => {
    applied = freshFolder()
    const own = withDefinitions(applied, text)
    await done(applied, `apply risk@0 ${own} --yes`)
    await done(applied, `apply risk@1 ${own} --yes`)
  }, limitMs)

  it.each([
    { what: 'moved and renamed', path: 'somewhere/else/renamed.ts', as: text },
    { what: 'turned into JavaScript', path: 'features.mjs', as: text },
    {
      what: 'reformatted',
      path: 'features.ts',
      as: `// Ours.\n${text
        .replace(/, /g, ' ,\n    ')
        .replace(/last: (\d+)/g, 'last : 0$1 * 1')
        .replace(/: 0(\d)/g, ': $1')}\n/* The end. */`,
    },
    {
      what: 'with its features, their options and its versions in another order',
      path: 'features.ts',
      as: `import { featureSet, mean, count, rejectedLoan } from 'tidemark'
const features = { n10: count('risk_score', { last: 10 }), m10: mean('risk_score', { round: 2, last: 10 }) }
const first = featureSet({ of: rejectedLoan, name: 'risk' }, features)
export const later = first.add({ n20: count('state', { last: 20 }), m20: mean('risk_score', { round: 2, last: 20 }) })
export const earlier = first`,
    },
  ])(
    'is not changed when it is $what',
    async ({ path, as }) => {
      const folder = copyOf(applied)
      const own = withDefinitions(folder, as, path)
      const before = dumpOf(folder)
      expect(await tidemark(folder, `plan ${own} --exit-code`)).toMatchObject({ code: 0, out: 'risk@1 is applied: nothing to do\n' })
      expect(await done(folder, `apply risk@1 ${own} --yes`)).toBe('risk@1 is applied: nothing to do')
      expect(dumpOf(folder)).toEqual(before)
    },
    limitMs,
  )

  it.each([
    {
      what: 'window',
      from: 'last: 10, round: 2',
      to: 'last: 11, round: 2',
      says: `m10 was mean('risk_score', { last: 10, round: 2 }) and is now mean('risk_score', { last: 11, round: 2 })`,
    },
    {
      what: 'rounding',
      from: 'last: 10, round: 2',
      to: 'last: 10',
      says: `m10 was mean('risk_score', { last: 10, round: 2 }) and is now mean('risk_score', { last: 10 })`,
    },
    {
      what: 'name',
      from: 'm10:',
      to: 'mean10:',
      says:
        `mean10 was not there and is now mean('risk_score', { last: 10, round: 2 }); m10 was mean('risk_score', { last: 10, round: ` +
        '2 }) and is now gone',
    },
    { what: 'key', from: `of: rejectedLoan }`, to: `of: rejectedLoan, per: 'state' }`, says: 'it was per nothing and is now per state' },
    {
      what: 'record',
      from: 'of: rejectedLoan }',
      to: `of: { ...rejectedLoan, fields: { ...rejectedLoan.fields, zip_code: { kind: 'number', csv: 'Zip Code', nullable: true } } } }`,
      says: 'field zip_code was a nullable text and is now a nullable number',
    },
  ])(
    'is refused when the $what of a released version was edited',
    async ({ from, to, says }) => {
      const folder = copyOf(applied)
      const own = withDefinitions(folder, text.replace(from, to))
      for (const words of ['plan', 'apply risk@1 --yes']) {
        await expectRefused(
          folder,
          `${words} ${own}`,
          `risk@0 is released and was edited: ${says}. Put version 0 back as it was, and add the next version with v0.add({ … }) ` +
            'or v0.replace({ … }).',
        )
      }
    },
    limitMs,
  )

  it(
    'is refused when a released version is gone from it',
    async () => {
      const folder = copyOf(applied)
      const own = withDefinitions(folder, text.replace(/export const v1.*/, ''))
      await expectRefused(
        folder,
        `plan ${own}`,
        'risk@1 is released, but the definitions have no version 1 of risk. Put it back: released versions stay in the file.',
      )
    },
    limitMs,
  )
})
