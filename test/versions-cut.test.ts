/**
 * Every command on versions, cut short before each of its writes and run again: what is left in between, and that nothing remains of the
 * cut.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Ports } from '../config/wire.ts'
import type { Mode } from '../streams/position.ts'
import { featureSet, mean } from '../feature-defs/language.ts'
import { v0, v1, v2 } from '../examples/loans/loan-risk.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { bytesOfUuid } from '../schemas/wire.ts'
import { fileSource } from '../utilities/files/source.ts'
import { applyVersion } from '../use-cases/apply.ts'
import { promoteVersion, retireVersion, rollBack } from '../use-cases/promote.ts'
import { apply } from '../versions/apply.ts'
import { loadState } from '../versions/keep.ts'
import { rollback } from '../versions/promote.ts'
import { hasToTell } from '../versions/tell-services.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import { done, freshFolder, tidemark } from './cli-run.ts'
import { withFaults } from './faults.ts'
import { copyOf, dumpOf, generated, limitMs, only, withDefinitions, withPorts } from './loan-folders.ts'

type Work = (ports: Ports) => Promise<void>

/** The signal and the reports that nobody needs here. */
const watch = { actor: { who: 'somebody', why: null }, partitions: 1, signal: new AbortController().signal, report: () => {} }

describe('a command that was cut short', () => {
  const set = 'loan_risk'
  const chain = [v0, v1, v2].map(({ definition }) => definition)

  const asking = { ...watch, agree: async () => true, tell: () => {} }
  const limits = { maxChanged: undefined, maxNulls: undefined }

  const applying =
    (version: number, mode: Mode): Work =>
    async (ports) =>
      void (await applyVersion(ports, { chain, version, mode, show: () => {}, ...asking }))
  const promoting =
    (version: number): Work =>
    async (ports) =>
      void (await promoteVersion(ports, { set, version, limits, compared: () => {}, ...asking }))
  const rollingBack: Work = async (ports) => void (await rollBack(ports, { set, ...asking }))
  const retiring =
    (version: number): Work =>
    async (ports) =>
      void (await retireVersion(ports, { set, version, ...asking }))

  let small: string
  let first: string
  beforeAll(async () => {
    small = await generated(400, 3)
    first = freshFolder()
    await done(first, `backfill --years 2007-2010 --file ${small}`)
    await done(first, `produce --years 2011 --file ${small}`)
    await done(first, 'up --until-caught-up')
  }, limitMs)

  it.each<{ what: string; before?: readonly string[]; work: Work }>([
    { what: 'apply --backfill', work: applying(1, 'backfill') },
    { what: 'apply --shadow', work: applying(1, 'shadow') },
    { what: 'apply --cold', work: applying(1, 'cold') },
    { what: 'apply --forward-only', work: applying(1, 'forward-only') },
    {
      what: 'apply --cold behind a version that has stopped',
      before: ['apply loan_risk@1 --cold', 'more', 'rollback loan_risk'],
      work: applying(2, 'cold'),
    },
    {
      what: 'apply --forward-only behind a version that has stopped',
      before: ['apply loan_risk@1 --cold', 'more', 'rollback loan_risk'],
      work: applying(2, 'forward-only'),
    },
    { what: 'promote of a shadow', before: ['apply loan_risk@1 --shadow', 'more'], work: promoting(1) },
    { what: 'promote of a version that has stopped', before: ['apply loan_risk@1', 'rollback loan_risk', 'more'], work: promoting(1) },
    { what: 'rollback', before: ['apply loan_risk@1', 'apply loan_risk@2', 'more'], work: rollingBack },
    { what: 'rollback of a cold version', before: ['apply loan_risk@1 --cold', 'more'], work: rollingBack },
    { what: 'retire', before: ['apply loan_risk@1', 'more'], work: retiring(0) },
    { what: 'retire of a shadow', before: ['apply loan_risk@1 --shadow', 'more'], work: retiring(1) },
  ])(
    'before any of its writes leaves a view without gaps, and is finished when it is run again: $what',
    async ({ before = [], work }) => {
      const folder = copyOf(first)
      for (const words of before) {
        if (words !== 'more') await done(folder, `${words} --yes`)
        else await done(folder, `produce --years 2012 --file ${small}`).then(() => done(folder, 'up --until-caught-up'))
      }
      const whole = copyOf(folder)
      const writes = await withPorts(whole, async (ports) => {
        const counted = withFaults(ports)
        await work(counted.ports)
        return counted.count()
      })
      expect(writes).toBeGreaterThan(3)
      for (let write = 1; write <= writes; write++) {
        const copy = copyOf(folder)
        await withPorts(copy, async (ports) => {
          await expect(work(withFaults(ports, { kind: 'kill', write }).ports)).rejects.toThrow(`cut before write ${write}`)
          expect(only(copy, 'SELECT count(*) = count(DISTINCT _seq) AND count(*) = max(_seq) FROM loan_risk')).toEqual([1])
          // Either nothing has happened yet, or what is left to do is told.
          expect(isDeepStrictEqual(essenceOf(copy), essenceOf(folder))).toBe((await unfinishedIn(ports, set)).length === 0)
          await work(ports)
          expect(await unfinishedIn(ports, set)).toEqual([])
          expect(await hasToTell(ports, await loadState(ports, set))).toBe(false)
        })
        expect({ write, ...essenceOf(copy) }).toEqual({ write, ...essenceOf(whole) })
      }
    },
    limitMs,
  )
})

describe('a long replay that was cut short', () => {
  it(
    'goes on where it had last saved, with the state of every key',
    async () => {
      const folder = freshFolder()
      const rowsOfYear = (year: number, zips: readonly (readonly [zip: string, rows: number])[]) =>
        zips.flatMap(([zip, rows]) =>
          Array.from({ length: rows }, (_, i) => `1000,${year}-06-01,car,${600 + (i % 97)},10%,${zip},NM,4 years,0`),
        )
      // The key 10a rests all through what is saved on the way, and comes back behind it.
      const lines = [
        ...rowsOfYear(2008, [
          ['10a', 5],
          ['20b', 5],
        ]),
        ...rowsOfYear(2009, [
          ['20b', 230_000],
          ['10a', 5],
        ]),
      ]
      writeFileSync(
        join(folder, 'loans.csv'),
        [
          'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code',
          ...lines,
        ].join('\n'),
      )
      const own = withDefinitions(
        folder,
        `import { featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'zips', of: rejectedLoan, per: 'zip_code' }, { m: mean('risk_score', { last: 9, round: 3 }) })
export const v1 = v0.add({ n: mean('risk_score', { last: 4, round: 3 }) })
export const v2 = v1.replace({ m: mean('risk_score', { last: 5, round: 3 }) })`,
      )
      await done(folder, `backfill --years 2008 --file loans.csv ${own}`)
      await done(folder, `apply zips@1 --cold --yes ${own}`)
      await done(folder, `backfill --years 2009 --file loans.csv ${own}`)
      const z0 = featureSet({ name: 'zips', of: rejectedLoan, per: 'zip_code' }, { m: mean('risk_score', { last: 9, round: 3 }) })
      const z1 = z0.add({ n: mean('risk_score', { last: 4, round: 3 }) })
      const chain = [z0, z1, z1.replace({ m: mean('risk_score', { last: 5, round: 3 }) })].map(({ definition }) => definition)

      const works: readonly Work[] = [
        async (ports) => void (await rollback(ports, { set: 'zips', ...watch })),
        (ports) => apply(ports, { chain, version: 2, mode: 'backfill', ...watch }),
      ]
      for (const [i, work] of works.entries()) {
        await withPorts(folder, async (opened) => {
          // The data directory was ingested from a folder that is not this process's.
          const ports = { ...opened, openSource: () => fileSource(join(folder, 'loans.csv')) }
          let saved = false
          const { log, warehouse } = ports
          const writer: typeof log.writer = async (name) => {
            const taken = await log.writer(name)
            return {
              ...taken,
              commit: (work) => ((saved ||= work.save?.some((one) => one.name.startsWith('fill/')) ?? false), taken.commit(work)),
            }
          }
          const cut = {
            ...ports,
            log: { ...log, writer },
            warehouse: {
              ...warehouse,
              write: async (...words: Parameters<typeof warehouse.write>) =>
                saved ? Promise.reject(new Error('cut')) : warehouse.write(...words),
            },
          }
          await expect(work(cut)).rejects.toThrow('cut')
          let written = 0
          const write: typeof warehouse.write = (set, rows, progress) => ((written += rows.count), warehouse.write(set, rows, progress))
          await work({ ...ports, warehouse: { ...warehouse, write } })
          expect(written).toBeGreaterThan(0)
          expect(written).toBeLessThanOrEqual(lines.length - 200_000)
        })
        expect(await tidemark(folder, `verify zips@${i * 2} ${own}`)).toMatchObject({ code: 0 })
        expect(only(folder, 'SELECT count(*), min(_version), max(_version) FROM zips')).toEqual([lines.length, i * 2, i * 2])
      }
    },
    limitMs,
  )
})

/** All that is kept, but for ids and times. */
/** Rows may be told services more than once, and everything in outflow lies elsewhere then: what it is counts, and not where. */
function essenceOf(folder: string): Record<string, readonly string[]> {
  const dump = dumpOf(folder) as Record<string, unknown[][]>
  const outflow = dump['log.partitions']!.find((row) => row.includes('outflow'))![0]
  const [told] = dump['registry.schemas']!.filter((row) => row.includes('tidemark_told_row')).map((row) => bytesOfUuid(String(row[0])))
  const isTold = (bytes: unknown) => told !== undefined && Buffer.compare((bytes as Uint8Array).subarray(2, 18), told) === 0
  const essence: Record<string, unknown[][]> = {
    ...dump,
    'log.partitions': dump['log.partitions']!.map((row) => (row[0] === outflow ? row.slice(0, 3) : row)),
    'log.batches': dump['log.batches']!.flatMap((row) => (row[0] !== outflow ? [row] : isTold(row[5]) ? [] : [row.slice(3)])),
    'log.checkpoints': dump['log.checkpoints']!.map((row) => (/^(told|shown)\//.test(String(row[0])) ? row.slice(0, 2) : row)),
  }
  return Object.fromEntries(Object.entries(essence).map(([table, rows]) => [table, rows.map(withoutChance).sort()]))
}

const withoutChance = (row: readonly unknown[]) =>
  row
    .map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : String(cell)))
    .join(' | ')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:[\d:.]+Z?/g, 'time')
    .replace(/\b\d{19}\b/g, 'ns')
