/** The life of versions through the command line: backfill, shadow, cut over, roll back, retire. */
import { beforeAll, describe, expect, it } from 'vitest'
import { loadPosition } from '../streams/position.ts'
import { rollback } from '../versions/promote.ts'
import { done, json, tidemark } from './cli-run.ts'
import {
  computedFresh,
  copyOf,
  dumpOf,
  expectRefused,
  expectVerified,
  generated,
  limitMs,
  loansUntil2009,
  only,
  rowsIn,
  valuesIn,
  withPorts,
} from './loan-folders.ts'

let file: string
let base: string

let fresh: { readonly [version: number]: string }

const ingest = async (folder: string, years: string) => {
  await done(folder, `produce --years ${years} --file ${file}`)
  await done(folder, 'up --until-caught-up')
}

beforeAll(async () => {
  file = await generated(20_000)
  base = await loansUntil2009(file)
  fresh = await computedFresh(async (folder) => {
    await done(folder, `backfill --years 2007-2008 --file ${file}`)
    await ingest(folder, '2009-2012')
  })
}, limitMs)

const stateOf = async (folder: string, version: number) => (await json(folder, 'versions loan_risk')).versions[version]

/** The rows of the fresh computation for all that this folder has ingested. */
function expectFresh(folder: string, version: number, view = `loan_risk_v${version}`) {
  const rows = valuesIn(folder, view)
  expect(rows.length).toBe(only(folder, 'SELECT max(_seq) FROM loan_risk_rows')[0])
  expect(rows).toEqual(valuesIn(fresh[version]!, `loan_risk_v${version}`).slice(0, rows.length))
}

describe('apply with a backfill', () => {
  it(
    'gives the new version the rows of a fresh computation for all history, and leaves the others to the last digit',
    async () => {
      const folder = copyOf(base)
      const v0Rows = rowsIn(folder, 'loan_risk_v0')
      expect(await done(folder, 'apply loan_risk@1 --yes')).toBe(
        `loan_risk@1 is what SQL users see; the stream switched to it after record ${v0Rows.length}`,
      )
      expectFresh(folder, 1)
      expectFresh(folder, 1, 'loan_risk')
      await ingest(folder, '2010')
      expectFresh(folder, 1)
      const v1Rows = rowsIn(folder, 'loan_risk_v1')
      await done(folder, 'apply loan_risk@2 --backfill --yes')
      expectFresh(folder, 2)
      await ingest(folder, '2011-2012')
      expectFresh(folder, 2)
      expectFresh(folder, 2, 'loan_risk')
      expect(rowsIn(folder, 'loan_risk_v0')).toEqual(v0Rows)
      expect(rowsIn(folder, 'loan_risk_v1')).toEqual(v1Rows)
      await expectVerified(folder, 0, 1, 2)
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ promoted: 2, live: [2] })
    },
    limitMs,
  )
})

describe('a shadow', () => {
  let folder: string
  beforeAll(async () => {
    folder = copyOf(base)
    await done(folder, 'apply loan_risk@1 --yes')
    await done(folder, 'apply loan_risk@2 --shadow --yes --why try')
    await ingest(folder, '2010')
  }, limitMs)

  it(
    'is computed beside the promoted version, for all history and for what comes, and not shown',
    async () => {
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ promoted: 1, live: expect.arrayContaining([1, 2]) })
      for (const version of [1, 2]) expectFresh(folder, version)
      expectFresh(folder, 1, 'loan_risk')
      await expectVerified(folder, 1, 2)
      expect(await stateOf(folder, 2)).toMatchObject({
        state: 'shadow',
        live: true,
        acts: [{ act: 'apply --shadow', why: 'try' }, { act: 'shadow complete' }],
      })
      expect(await tidemark(folder, 'plan loan_risk@2 --exit-code')).toMatchObject({ code: 0 })
    },
    limitMs,
  )

  it(
    'can be compared: what diff measures is what SQL measures',
    async () => {
      const found = await json(folder, 'diff loan_risk@1 loan_risk@2')
      for (const feature of ['ma50', 'ma100']) {
        const [rows, changed, mean, max] = only(
          folder,
          `
        SELECT count(*), sum(a.${feature} IS NOT b.${feature}), avg(abs(a.${feature} - b.${feature})), max(abs(a.${feature} - b.${feature}))
        FROM loan_risk_v1 a JOIN loan_risk_v2 b ON a._seq = b._seq`,
        ) as [number, number, number, number]
        const nth = (share: number) =>
          only(
            folder,
            `
        SELECT abs(a.${feature} - b.${feature}) AS d FROM loan_risk_v1 a JOIN loan_risk_v2 b ON a._seq = b._seq WHERE d IS NOT NULL
        ORDER BY d LIMIT 1 OFFSET (SELECT CAST(ceil(${share} * count(a.${feature} - b.${feature})) AS INTEGER) - 1
          FROM loan_risk_v1 a JOIN loan_risk_v2 b ON a._seq = b._seq)`,
          )[0]
        const value = found.values.find((one: { feature: string }) => one.feature === feature)
        expect(value).toMatchObject({
          rows,
          changed,
          max,
          quantiles: { p50: nth(0.5), p90: nth(0.9), p99: nth(0.99) },
          nullsBefore: 0,
          nullsAfter: 0,
        })
        expect(value.mean).toBeCloseTo(mean, 9)
        expect(value.changedPercent).toBeCloseTo((100 * changed) / rows, 9)
        expect(changed > 0).toBe(feature === 'ma50')
      }
      expect(found.features).toMatchObject([
        { feature: 'ma50', change: 'redefined' },
        { feature: 'ma100', change: 'unchanged' },
      ])
      expect(await done(folder, 'diff loan_risk@1 loan_risk@2')).toMatch(/^ma50 +redefined +mean\(.*\) +ema\(.*\)$/m)
    },
    limitMs,
  )

  it(
    'is promoted only within the limits given, and what was measured is kept',
    async () => {
      const copy = copyOf(folder)
      await expectRefused(
        copy,
        'promote loan_risk@2 --max-changed 20% --max-nulls 1% --yes',
        /^tidemark: loan_risk@2 differs from loan_risk@1 by more than allowed: ma50: \d\d\.\d\d % of [\d ]+ rows changed, .*\. Look closer with: tidemark diff loan_risk@1 loan_risk@2, or allow more\.$/,
      )
      const measured = /^ma50: \d\d\.\d\d % of [\d ]+ rows changed, 0\.00 % lost their value, at most by [\d.]+; ma100: 0\.00 % of/
      await done(copy, 'promote loan_risk@2 --max-changed 100% --max-nulls 1% --yes --why looked')
      expect((await stateOf(copy, 2)).acts.at(-1)).toMatchObject({
        act: 'promote',
        why: 'looked',
        measured: expect.stringMatching(measured),
      })
      expect(await done(copy, 'versions')).toMatch(/loan_risk@2 +promote +\S+ +looked; ma50: /)
      expectFresh(copy, 2, 'loan_risk')
      expect((await json(copy, 'status')).sets[0]).toMatchObject({ promoted: 2, live: [2] })
      expect(await done(copy, 'promote loan_risk@2 --yes')).toContain('nothing to do')
      await done(copy, 'promote loan_risk@1 --yes --why again')
      expect((await stateOf(copy, 1)).acts).toMatchObject([
        { act: 'apply --backfill' },
        { act: 'promote', why: null },
        { act: 'promote', why: 'again' },
      ])
    },
    limitMs,
  )
})

describe('rollback', () => {
  /** v2 shown since a while, so that v1 lacks the rows of 2010. */
  let folder: string
  beforeAll(async () => {
    folder = copyOf(base)
    await done(folder, 'apply loan_risk@1 --yes')
    await done(folder, 'apply loan_risk@2 --yes')
    await ingest(folder, '2010')
  }, limitMs)

  it(
    'shows the version before, fills the rows it lacks, and has it go on',
    async () => {
      const copy = copyOf(folder)
      const v2Rows = rowsIn(copy, 'loan_risk_v2')
      expect(await done(copy, 'rollback loan_risk --yes --why nervous')).toBe('SQL users see loan_risk@1 again')
      expectFresh(copy, 1)
      expectFresh(copy, 1, 'loan_risk')
      const { versions, unfinished } = await json(copy, 'versions')
      expect(unfinished).toEqual([])
      expect(versions[1].acts.at(-1)).toMatchObject({
        act: 'shown again: rollback of loan_risk@2',
        why: 'nervous',
        who: expect.stringMatching(/./),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      })
      expect(versions[2]).toMatchObject({ state: 'rolled back', live: false, acts: [{}, {}, { act: 'rollback', why: 'nervous' }] })
      await ingest(copy, '2011')
      expectFresh(copy, 1, 'loan_risk')
      expect(rowsIn(copy, 'loan_risk_v2')).toEqual(v2Rows)
      await expectVerified(copy, 0, 1, 2)

      // And forward again: now v2 lacks what came meanwhile.
      await done(copy, 'promote loan_risk@2 --yes')
      expectFresh(copy, 2, 'loan_risk')
      await ingest(copy, '2012')
      expectFresh(copy, 2, 'loan_risk')
      await expectVerified(copy, 0, 1, 2)
    },
    limitMs,
  )

  it(
    'shows the old version at once, names the rows still to be filled, and goes no further when it is run again',
    async () => {
      const copy = copyOf(folder)
      const last = only(copy, 'SELECT max(_seq) FROM loan_risk')[0]
      await withPorts(copy, async (ports) => {
        const { until } = (await loadPosition(ports.checkpoints, 'loan_risk', 0)).runs.find(({ version }) => version === 1)!
        const shownAtFirstFill: unknown[] = []
        const warehouse = {
          ...ports.warehouse,
          write: async () => {
            shownAtFirstFill.push(...only(copy, 'SELECT max(_seq), min(_version), max(_version) FROM loan_risk'))
            throw new Error('the power failed')
          },
        }
        const watch = { actor: { who: 'somebody', why: null }, signal: new AbortController().signal, report: () => {} }
        await expect(rollback({ ...ports, warehouse }, { set: 'loan_risk', ...watch })).rejects.toThrow('the power failed')
        expect(shownAtFirstFill).toEqual([until, 1, 1])
        const { unfinished } = await json(copy, 'versions')
        expect(unfinished[0]).toBe(
          `loan_risk@1 is shown, but its rows of records ${until! + 1} to ${last} are being filled, or that was interrupted. Run: ` +
            'tidemark promote loan_risk@1',
        )
      })
      const finish = copyOf(copy)
      expect(await done(copy, 'rollback loan_risk --yes')).toBe('SQL users see loan_risk@1 again')
      expect(await done(finish, 'promote loan_risk@1')).toBe('SQL users see loan_risk@1 now')
      for (const one of [copy, finish]) {
        expectFresh(one, 1, 'loan_risk')
        expect((await json(one, 'versions')).unfinished).toEqual([])
        await expectVerified(one, 1, 2)
      }
    },
    limitMs,
  )

  it(
    'is refused when SQL users have seen one version only',
    async () => {
      await expectRefused(
        base,
        'rollback loan_risk --yes',
        'loan_risk@0 is the only version that SQL users have seen. There is nothing to go back to; see: tidemark versions loan_risk',
      )
    },
    limitMs,
  )
})

describe('retire', () => {
  it(
    'drops view, rows and state of a version that nobody sees, and nothing else',
    async () => {
      const folder = copyOf(base)
      await done(folder, 'apply loan_risk@1 --yes')
      await done(folder, 'apply loan_risk@2 --shadow --yes')
      await ingest(folder, '2010')
      const shown = rowsIn(folder, 'loan_risk')
      for (const version of [0, 2]) {
        expect(await done(folder, `retire loan_risk@${version} --yes --why done`)).toBe(`loan_risk@${version} is retired`)
        expect(
          only(
            folder,
            `SELECT (SELECT count(*) FROM loan_risk_rows WHERE _version = ${version}), ` +
              `(SELECT count(*) FROM sqlite_schema WHERE name = 'loan_risk_v${version}')`,
          ),
        ).toEqual([0, 0])
        expect(
          Object.values(dumpOf(folder)['log.checkpoints'] as unknown[][]).filter(([name]) =>
            String(name).match(new RegExp(`^state/loan_risk@${version}[./]`)),
          ),
        ).toEqual([])
        expect(await done(folder, `retire loan_risk@${version} --yes`)).toBe(`loan_risk@${version} is retired already: nothing to do`)
        await expectRefused(
          folder,
          `verify loan_risk@${version}`,
          `loan_risk@${version} is retired: its rows are gone. See what is left: tidemark versions loan_risk`,
        )
        await expectRefused(
          folder,
          `promote loan_risk@${version} --yes`,
          `loan_risk@${version} is retired: its rows are gone. Apply its definition again as the next version.`,
        )
      }
      expect(rowsIn(folder, 'loan_risk')).toEqual(shown)
      expect((await json(folder, 'versions')).unfinished).toEqual([])
      await ingest(folder, '2011')
      expectFresh(folder, 1, 'loan_risk')
      await expectVerified(folder, 1)
    },
    limitMs,
  )

  it(
    'is refused for the promoted version, and while the base view shows rows of it',
    async () => {
      const folder = copyOf(base)
      await done(folder, 'apply loan_risk@1 --cold --yes')
      await ingest(folder, '2010')
      const [rows, first, last] = only(folder, 'SELECT count(*), min(_seq), max(_seq) FROM loan_risk WHERE _version = 0')
      await expectRefused(
        folder,
        'retire loan_risk@1 --yes',
        'loan_risk@1 is the promoted version. Promote another one first: tidemark promote loan_risk@N',
      )
      await expectRefused(
        folder,
        'retire loan_risk@0 --yes',
        `loan_risk still shows ${rows} rows of loan_risk@0 (records ${first} to ${last}). ` +
          'Give the promoted version rows for them with a backfill; only then can loan_risk@0 be retired.',
      )
    },
    limitMs,
  )
})
