/** Every command on versions, and the stages beside it, killed at random moments and run again: in the end every version has exactly its rows. */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Ports } from '../config/wire.ts'
import type { Mode } from '../feature-defs/checkpoint.ts'
import { v0, v1, v2 } from '../feature-defs/loan-risk.ts'
import { apply } from '../versions/apply.ts'
import { plan } from '../versions/plan.ts'
import { checkPromote, checkRetire, promote, retire, rollback } from '../versions/promote.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import { done, freshFolder, json, start, tidemark, until, warehouseOf, type Running } from './cli-run.ts'
import { copyOf, dumpOf, generated, limitMs, only, withDefinitions, withPorts } from './loan-folders.ts'
import { storyDifferences } from './oracle/compare.ts'
import { readLoanFile, type LoanFile } from './oracle/loan-file.ts'
import type { Meaning, Owner } from './oracle/loan-story.ts'

const rows = 20_000

/** Every moment comes from this number: with TIDEMARK_SEED=… the same ones are tried again, as far as processes allow. */
const seed = Number(process.env['TIDEMARK_SEED'] ?? Date.now() % 1_000_000)
const chance = randomFrom(seed)
const moment = () => new Promise((next) => setTimeout(next, 50 + chance() * 550))

function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const definitions = `import { ema, featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'loan_risk', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })
export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })
export const v3 = v2.replace({ ma100: mean('risk_score', { last: 30, round: 3 }) })
export const v4 = v3.replace({ ma50: mean('risk_score', { last: 20, round: 3 }) })`

let path: string
let file: LoanFile

beforeAll(async () => {
  console.log(`kills at the moments of TIDEMARK_SEED=${seed}`)
  path = await generated(rows, seed)
  file = readLoanFile(readFileSync(path))
}, limitMs)

describe('a version', () => {
  it('comes, goes and comes back as it should, whatever is killed meanwhile', async () => {
    const folder = freshFolder()
    const own = withDefinitions(folder, definitions)
    let kills = 0
    /** Whether it was still at work when the signal came. */
    const killed = async (one: Running) => {
      await Promise.race([moment(), one.ended])
      one.signal('SIGKILL')
      const { code, err } = await one.ended
      if (code === null) return ++kills
      expect({ code, err }).toMatchObject({ code: 0 })
      return 0
    }
    /** Kills the command again and again, then lets it finish; one that finished by itself is not run again. */
    const throughKills = async (words: string, times: number) => {
      for (let time = 0; time < times; time++) if ((await killed(start(folder, `${words} ${own} --yes`))) === 0) return
      await done(folder, `${words} ${own} --yes`)
    }
    const unfinished = async () => (await json(folder, 'versions')).unfinished

    await done(folder, `apply loan_risk@0 ${own} --yes`)
    await done(folder, `backfill --years 2007-2008 --file ${path} ${own}`)
    const produce = start(folder, `produce --years 2009-2012 --rate 1200 --file ${path} ${own}`)
    let going = true
    const stages = Promise.all(['consume', 'sink'].map(async (stage) => {
      while (going) await killed(start(folder, stage))
    }))
    try {
      await throughKills('apply loan_risk@1 --cold', 4)
      await throughKills('apply loan_risk@2 --forward-only', 4)
      await throughKills('apply loan_risk@3 --backfill', 5)
      expect(await unfinished()).toEqual([])
      await throughKills('apply loan_risk@4 --shadow', 5)
      await throughKills('promote loan_risk@4', 4)
      expect(only(folder, 'SELECT min(_version), max(_version) FROM loan_risk')).toEqual([4, 4])

      // A rollback that was cut short is finished by what `versions` says; it would go a step further only when it had come to its end.
      await killed(start(folder, `rollback loan_risk ${own} --yes`))
      if ((await json(folder, 'status')).sets[0].promoted === 4) await done(folder, `rollback loan_risk ${own} --yes`)
      await throughKills('promote loan_risk@3', 3)
      expect(await unfinished()).toEqual([])
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ promoted: 3, live: [3] })
      await throughKills('promote loan_risk@4', 3)
      await until(() => kills >= 50)
    } finally {
      going = false
      await stages
      produce.signal('SIGINT')
    }
    expect(await produce.ended).toMatchObject({ code: 0 })
    await done(folder, `produce --years 2009-2012 --file ${path} ${own}`)
    await done(folder, 'up --until-caught-up')
    console.log(`${kills} kills`)

    const { versions, unfinished: left } = await json(folder, 'versions')
    expect(left).toEqual([])
    expect((await json(folder, 'status')).sets[0]).toMatchObject({ promoted: 4, live: [4], duplicates: 0, lag: 0 })
    const owner = (version: number, ma50: Meaning, ma100?: Meaning): Owner =>
      ({ version, after: versions[version].rowsAfter, until: versions[version].rowsUntil ?? Infinity, ma50, ...(ma100 && { ma100 }) })
    const [coldMa100, mean50, ema50] = [{ mean: 100, from: versions[1].switchedAfter }, { mean: 50, from: 0 }, { span: 50 }]
    const owners = [owner(0, mean50), owner(1, mean50, coldMa100), owner(2, ema50, coldMa100), owner(3, ema50, { mean: 30, from: 0 }), owner(4, { mean: 20, from: 0 }, { mean: 30, from: 0 })]
    for (const version of [3, 4]) expect(owners[version]!.after).toBe(0)
    expect(storyDifferences(warehouseOf(folder), file.loans, owners)).toEqual([])
    for (const { version } of owners) expect(await tidemark(folder, `verify loan_risk@${version}`)).toMatchObject({ code: 0 })
  }, limitMs)
})

describe('a command that was cut short', () => {
  /** The signal and the reports that nobody needs here. */
  const watch = { actor: { who: 'somebody', why: null }, signal: new AbortController().signal, report: () => {} }
  const set = 'loan_risk'
  const chain = [v0, v1, v2].map(({ definition }) => definition)

  const applying = (version: number, asked: Mode): Work => async (ports) => {
    const { changes, mode } = await plan(ports, { chain, version, mode: asked })
    if (changes) await apply(ports, { chain, version, mode, ...watch })
  }
  const promoting = (version: number): Work => async (ports) => {
    if ((await checkPromote(ports, set, version)) !== 'nothing') await promote(ports, { set, version, ...watch })
  }
  const rollingBack: Work = async (ports) => void (await rollback(ports, { set, ...watch }))
  const retiring = (version: number): Work => async (ports) => {
    if ((await checkRetire(ports, set, version)) === 'retire') await retire(ports, { set, version, ...watch })
  }

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
    { what: 'apply --cold behind a version that has stopped', before: ['apply loan_risk@1 --cold', 'more', 'rollback loan_risk'], work: applying(2, 'cold') },
    { what: 'apply --forward-only behind a version that has stopped', before: ['apply loan_risk@1 --cold', 'more', 'rollback loan_risk'], work: applying(2, 'forward-only') },
    { what: 'promote of a shadow', before: ['apply loan_risk@1 --shadow', 'more'], work: promoting(1) },
    { what: 'promote of a version that has stopped', before: ['apply loan_risk@1', 'rollback loan_risk', 'more'], work: promoting(1) },
    { what: 'rollback', before: ['apply loan_risk@1', 'apply loan_risk@2', 'more'], work: rollingBack },
    { what: 'rollback of a cold version', before: ['apply loan_risk@1 --cold', 'more'], work: rollingBack },
    { what: 'retire', before: ['apply loan_risk@1', 'more'], work: retiring(0) },
    { what: 'retire of a shadow', before: ['apply loan_risk@1 --shadow', 'more'], work: retiring(1) },
  ])('before any of its writes leaves a view without gaps, and is finished when it is run again: $what', async ({ before = [], work }) => {
    const folder = copyOf(first)
    for (const words of before) {
      if (words !== 'more') await done(folder, `${words} --yes`)
      else await done(folder, `produce --years 2012 --file ${small}`).then(() => done(folder, 'up --until-caught-up'))
    }
    const whole = copyOf(folder)
    const writes = await withPorts(whole, async (ports) => {
      const counted = cutBefore(ports, Infinity)
      await work(counted.ports)
      return counted.done()
    })
    expect(writes).toBeGreaterThan(3)
    for (let write = 1; write <= writes; write++) {
      const copy = copyOf(folder)
      await withPorts(copy, async (ports) => {
        await expect(work(cutBefore(ports, write).ports)).rejects.toThrow(`cut before write ${write}`)
        expect(only(copy, 'SELECT count(*) = count(DISTINCT _seq) AND count(*) = max(_seq) FROM loan_risk')).toEqual([1])
        // Either nothing has happened yet, or what is left to do is told.
        expect(isDeepStrictEqual(essenceOf(copy), essenceOf(folder))).toBe((await unfinishedIn(ports, set)).length === 0)
        await work(ports)
        expect(await unfinishedIn(ports, set)).toEqual([])
      })
      expect({ write, ...essenceOf(copy) }).toEqual({ write, ...essenceOf(whole) })
    }
  }, limitMs)
})

type Work = (ports: Ports) => Promise<void>

/** The ports with everything that writes counted, and one write replaced by a failure. */
function cutBefore(ports: Ports, write: number): { readonly ports: Ports; done(): number } {
  let count = 0
  const counted = <A extends readonly unknown[], T>(work: (...args: A) => Promise<T>) => (...args: A): Promise<T> =>
    ++count === write ? Promise.reject(new Error(`cut before write ${write}`)) : work(...args)
  const { log, registry, warehouse } = ports
  const writer = async (name: string) => {
    const taken = await log.writer(name)
    return { ...taken, commit: counted(taken.commit) }
  }
  return {
    done: () => count,
    ports: {
      ...ports,
      log: { ...log, create: counted(log.create), writer },
      registry: { ...registry, register: counted(registry.register), label: counted(registry.label) },
      warehouse: { ...warehouse, arrange: counted(warehouse.arrange), note: counted(warehouse.note), write: counted(warehouse.write), remove: counted(warehouse.remove) },
    },
  }
}

/** All that is kept, but for ids and times. */
const essenceOf = (folder: string) => Object.fromEntries(Object.entries(dumpOf(folder)).map(([table, rows]) => [table, (rows as unknown[][]).map(withoutChance).sort()]))

const withoutChance = (row: readonly unknown[]) => row.map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : String(cell))).join(' | ')
  .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id').replace(/\d{4}-\d\d-\d\d[T ]\d\d:[\d:.]+Z?/g, 'time').replace(/\b\d{19}\b/g, 'ns')
