/** Use cases return what they have found or done as plain values, and change nothing before whoever asked agrees. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Ports } from '../config/wire.ts'
import { v0, v1, v2 } from '../examples/loans/loan-risk.ts'
import { applyVersion } from '../use-cases/apply.ts'
import { compareVersions } from '../use-cases/diff.ts'
import { planVersions } from '../use-cases/plan.ts'
import { promoteVersion, retireVersion, rollBack } from '../use-cases/promote.ts'
import { resetTopic } from '../use-cases/reset.ts'
import { statusOf } from '../use-cases/status.ts'
import { listTopics } from '../use-cases/topics.ts'
import { verifyVersion } from '../use-cases/verify.ts'
import { listVersions } from '../use-cases/versions.ts'
import { streamOf } from '../streams/stream.ts'
import { loadState } from '../versions/keep.ts'
import { done, json } from './cli-run.ts'
import { copyOf, dumpOf, generated, limitMs, loansUntil2009, withPorts } from './loan-folders.ts'

const set = 'loan_risk'
const chain = [v0, v1, v2].map(({ definition }) => definition)
const watch = { signal: new AbortController().signal, report: () => {} }
let folder: string

beforeAll(async () => {
  folder = await loansUntil2009(await generated(2_000))
  await done(folder, 'apply loan_risk@1 --yes')
}, limitMs)

describe('a use case that looks', () => {
  it.each<{ words: string; look: (ports: Ports) => Promise<unknown> }>([
    { words: 'versions', look: (ports) => listVersions(ports, undefined, async () => 'Apply one.') },
    {
      words: 'plan loan_risk@2',
      look: (ports) => planVersions(ports, { chains: [chain], version: 2, mode: undefined, partitionsFor: () => 1 }),
    },
    { words: 'diff loan_risk@0 loan_risk@1', look: (ports) => compareVersions(ports, { set, from: 0, to: 1, ...watch }) },
    { words: 'verify loan_risk@1', look: (ports) => verifyVersion(ports, { set, version: 1, ...watch }) },
    { words: 'topics', look: ({ log }) => listTopics(log) },
    {
      words: 'status',
      look: async (ports) => ({ dataDir: '.tidemark', ...(await statusOf(ports, { overMs: 0, atWork: false, ...watch })) }),
    },
  ])('returns what the command line prints as JSON: $words', async ({ words, look }) => {
    expect(await json(folder, words)).toEqual(await withPorts(folder, look))
  })
})

describe('a use case that changes something', () => {
  const actor = { who: 'somebody', why: null }
  const ended: string[] = []
  const asking = { ...watch, actor, agree: async () => false, tell: (one: { readonly ended: string }) => void ended.push(one.ended) }
  const applying = { chain, version: 2, mode: 'cold', partitions: 1, show: () => {} } as const

  it('changes nothing where whoever asked does not agree', async () => {
    const copy = copyOf(folder)
    await withPorts(copy, async (ports) => {
      await applyVersion(ports, { ...asking, ...applying })
      await promoteVersion(ports, {
        ...asking,
        set,
        version: 0,
        limits: { maxChanged: undefined, maxNulls: undefined },
        compared: () => {},
      })
      await rollBack(ports, { ...asking, set })
      await retireVersion(ports, { ...asking, set, version: 0 })
      const { cuts } = await resetTopic(ports, {
        stream: streamOf(chain[0]!.record),
        topic: 'outflow',
        before: undefined,
        partition: undefined,
        agree: asking.agree,
      })
      expect(cuts[0]!.before).toBeGreaterThan(0)
    })
    expect(ended).toEqual(['declined', 'declined', 'declined', 'declined'])
    expect(dumpOf(copy)).toEqual(dumpOf(folder))
  })

  it('tells how it ended before that is settled', async () => {
    const copy = copyOf(folder)
    await withPorts(copy, async (ports) => {
      let begun: Promise<unknown> | undefined
      const tell = () => void (begun = loadState(ports, set).then((state) => state.begun?.kind))
      const { switches } = await applyVersion(ports, { ...asking, ...applying, agree: async () => true, tell })
      expect(await begun).toBe('promoted')
      expect((await loadState(ports, set)).begun).toBeNull()
      expect(switches).toEqual([{ partition: 0, afterSeq: expect.any(Number), at: expect.any(String) }])
    })
  })
})
