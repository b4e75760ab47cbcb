/** Versions that come and go while the stream runs: a reader who never looks away sees every record once, and nothing is restarted. */
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, it } from 'vitest'
import { sink } from '../sink/sink.ts'
import { done, freshFolder, json, start, until, warehouseOf, type Running } from './cli-run.ts'
import { computedFresh, expectVerified, generated, limitMs, only, valuesIn, withPorts } from './loan-folders.ts'

const rows = 20_000
let file: string
let fresh: { readonly [version: number]: string }

beforeAll(async () => {
  file = await generated(rows, 21)
  fresh = await computedFresh((folder) => done(folder, `backfill --years 2007-2012 --file ${file}`))
}, limitMs)

/** What a poll of the view showed that it should not, and which versions it has shown. */
type Seen = { readonly wrong: string[]; polls: number; readonly versions: Set<number>; highest: number }

/**
 * Looks at the view all the time, through a connection of its own. `mayFall` lets rows go, as when a rollback shows what the older version
 * has.
 */
function reader(folder: string, { mayFall = false } = {}): { readonly seen: Seen; stop(): Promise<Seen> } {
  const db = new DatabaseSync(warehouseOf(folder), { readOnly: true, timeout: 0 })
  const look = db.prepare(
    'SELECT count(*) AS n, count(DISTINCT _seq) AS records, min(_seq) AS first, max(_seq) AS last, min(_version) AS oldest, ' +
      'max(_version) AS newest FROM loan_risk',
  )
  const seen: Seen = { wrong: [], polls: 0, versions: new Set(), highest: 0 }
  let stopped = false
  const looking = (async () => {
    while (!stopped) {
      const { n, records, first, last, oldest, newest } = look.get() as Record<string, number>
      const at = `poll ${seen.polls}: ${n} rows of ${records} records, ${first} to ${last}, versions ${oldest} to ${newest}`
      if (n !== records) seen.wrong.push(`doubled at ${at}`)
      if (first !== 1 || n !== last) seen.wrong.push(`gap at ${at}`)
      if (oldest !== newest) seen.wrong.push(`mixed at ${at}`)
      if (n! < seen.highest && !mayFall) seen.wrong.push(`fewer than ${seen.highest} at ${at}`)
      seen.highest = Math.max(seen.highest, n!)
      seen.versions.add(newest!)
      seen.polls++
      await new Promise((next) => setTimeout(next, 15))
    }
    db.close()
    return seen
  })()
  return { seen, stop: () => ((stopped = true), looking) }
}

async function streaming(rate: number) {
  const folder = freshFolder()
  await done(folder, `backfill --years 2007 --file ${file}`)
  const up = start(folder, 'up')
  const produce = start(folder, `produce --years 2008-2012 --rate ${rate} --file ${file}`)
  return { folder, up, produce }
}

/** Waits until the view has so many records, or the process that should bring them has ended. */
const shown = (folder: string, up: Running, atLeast: number) =>
  until(() => {
    if (up.hasEnded()) throw new Error(`up has ended: ${up.err()}`)
    return (only(folder, 'SELECT max(_seq) FROM loan_risk')[0] as number) >= atLeast
  }, 20)

async function finished({ up, produce }: { up: Running; produce: Running }, folder: string) {
  expect(await produce.ended).toMatchObject({ code: 0 })
  await shown(folder, up, rows)
  up.signal('SIGINT')
  expect(await up.ended).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^computed [\\d ]+ records, wrote`)) })
}

describe('an always-on consumer', () => {
  it(
    'goes from v0 to v1 to v2 with a backfill each, and a reader sees every record once, all of one version',
    async () => {
      const { folder, ...stream } = await streaming(1500)
      await shown(folder, stream.up, 1000)
      const { stop, seen } = reader(folder)
      const during: number[] = []
      for (const version of [1, 2]) {
        const polls = seen.polls
        await done(folder, `apply loan_risk@${version} --yes`)
        during.push(seen.polls - polls)
        await shown(folder, stream.up, seen.highest + 500)
      }
      expect(stream.produce.hasEnded()).toBe(false)
      await finished(stream, folder)
      expect((await stop()).wrong).toEqual([])
      expect([...seen.versions]).toEqual([0, 1, 2])
      for (const polls of during) expect(polls).toBeGreaterThan(5)

      const { versions, unfinished } = await json(folder, 'versions loan_risk')
      expect(unfinished).toEqual([])
      const [, v1, v2] = versions
      expect(v1.switchedAfter).toBeGreaterThanOrEqual(1000)
      expect(v2.switchedAfter).toBeGreaterThan(v1.switchedAfter)
      expect(v2.switchedAfter).toBeLessThan(rows)
      // The warehouse says so too.
      expect(JSON.parse(String(only(folder, "SELECT json_group_array(switches ->> '$[0].afterSeq') FROM tidemark_versions")[0]))).toEqual([
        0,
        v1.switchedAfter,
        v2.switchedAfter,
      ])
      expect(valuesIn(folder, 'loan_risk')).toEqual(valuesIn(fresh[2]!, 'loan_risk_v2'))
      for (const [version, until] of [
        [0, versions[0].rowsUntil],
        [1, v1.rowsUntil],
      ]) {
        expect(valuesIn(folder, `loan_risk_v${version}`)).toEqual(valuesIn(fresh[version]!, `loan_risk_v${version}`).slice(0, until))
      }
      await expectVerified(folder, 0, 1, 2)
    },
    limitMs,
  )

  it(
    'computes a shadow beside the promoted version, through promotion, rollback and promotion again',
    async () => {
      const { folder, ...stream } = await streaming(1200)
      await shown(folder, stream.up, 1000)
      await done(folder, 'apply loan_risk@1 --yes')
      const { stop, seen } = reader(folder, { mayFall: true })
      await done(folder, 'apply loan_risk@2 --shadow --yes')
      await shown(folder, stream.up, seen.highest + 300)
      expect([...seen.versions]).toEqual([1])
      const compared = await json(folder, 'diff loan_risk@1 loan_risk@2')
      expect(compared.rows.both).toBeGreaterThan(seen.highest - 2000)
      for (const words of ['promote loan_risk@2 --yes', 'rollback loan_risk --yes']) {
        await done(folder, words)
        await shown(folder, stream.up, seen.highest + 300)
      }
      expect(seen.wrong).toEqual([])
      // Until it has the rows that it lacks, the view shows v1's in their place.
      await done(folder, 'promote loan_risk@2 --yes')
      expect(stream.produce.hasEnded()).toBe(false)
      await finished(stream, folder)
      expect((await stop()).wrong.filter((line) => !line.startsWith('mixed'))).toEqual([])
      expect([...seen.versions]).toEqual([1, 2])
      expect((await json(folder, 'versions')).unfinished).toEqual([])
      expect(valuesIn(folder, 'loan_risk')).toEqual(valuesIn(fresh[2]!, 'loan_risk_v2'))
      await expectVerified(folder, 0, 1, 2)
    },
    limitMs,
  )

  it(
    'hands a cold version over and then a forward-only one, in which no record is missing or doubled',
    async () => {
      const { folder, ...stream } = await streaming(4000)
      await shown(folder, stream.up, 1000)
      const { stop, seen } = reader(folder)
      await done(folder, 'apply loan_risk@1 --cold --yes')
      await shown(folder, stream.up, seen.highest + 500)
      await done(folder, 'apply loan_risk@2 --forward-only --yes')
      expect(stream.produce.hasEnded()).toBe(false)
      await finished(stream, folder)
      // Rows only from the switch on: here, and only here, the view shows several versions.
      expect((await stop()).wrong.filter((line) => !line.startsWith('mixed'))).toEqual([])
      expect([...seen.versions]).toEqual([0, 1, 2])
      const { versions } = await json(folder, 'versions loan_risk')
      expect(
        only(folder, 'SELECT json_group_array(n) FROM (SELECT count(*) AS n FROM loan_risk GROUP BY _version ORDER BY _version)'),
      ).toEqual([
        JSON.stringify([
          versions[1].switchedAfter,
          versions[2].switchedAfter - versions[1].switchedAfter,
          rows - versions[2].switchedAfter,
        ]),
      ])
      expect(valuesIn(folder, 'loan_risk_v0')).toEqual(valuesIn(fresh[0]!, 'loan_risk_v0').slice(0, versions[1].switchedAfter))
      await expectVerified(folder, 0, 1, 2)
    },
    limitMs,
  )
})

describe('a sink that lags', () => {
  it(
    'brings both versions of a record in an order in which the view never falls back to the older one',
    async () => {
      const folder = freshFolder()
      await done(folder, `backfill --years 2007-2010 --file ${file}`)
      await done(folder, 'apply loan_risk@1 --shadow --yes')
      await done(folder, `produce --years 2011 --rate 100000 --file ${file}`)
      await done(folder, 'consume --until-caught-up')
      await done(folder, 'promote loan_risk@1 --yes')
      const behind = only(folder, 'SELECT max(_seq) FROM loan_risk')[0] as number
      const seen: unknown[][] = []
      await withPorts(folder, async (ports) => {
        const write: typeof ports.warehouse.write = async (...words) => {
          await ports.warehouse.write(...words)
          seen.push([...only(folder, 'SELECT min(_version), max(_version), count(*) = max(_seq), max(_seq) FROM loan_risk')])
        }
        await sink(
          { ...ports, warehouse: { ...ports.warehouse, write } },
          { partitionsFor: () => 1, follow: false, signal: new AbortController().signal, report: () => {}, note: () => {} },
        )
      })
      expect(seen.length).toBeGreaterThan(3)
      for (const [oldest, newest, whole, last] of seen) expect([oldest, newest, whole, Number(last) > behind]).toEqual([1, 1, 1, true])
      await expectVerified(folder, 0, 1)
    },
    limitMs,
  )
})
