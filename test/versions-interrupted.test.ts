/** Ctrl-C in the middle of a replay: an interrupted step never counts as a finished one, and is told as what it is. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Ports } from '../config/wire.ts'
import type { Mode } from '../streams/position.ts'
import { v0, v1 } from '../examples/loans/loan-risk.ts'
import { apply } from '../versions/apply.ts'
import { rollback } from '../versions/promote.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import { verify } from '../versions/verify.ts'
import { done, freshFolder, start, tidemark, until, warehouseOf } from './cli-run.ts'
import { copyOf, generated, limitMs, only, rowsIn, valuesIn, withPorts } from './loan-folders.ts'
import { readRows } from './oracle/compare.ts'

const rows = 2000
let base: string
/** Inflow holds all of history, in many batches. */
beforeAll(async () => {
  const file = await generated(rows, 5)
  base = freshFolder()
  await done(base, 'apply loan_risk@0 --yes')
  await done(base, `produce --years 2007-2012 --rate 4000 --file ${file}`)
  await done(base, 'up --until-caught-up')
}, limitMs)

/** The ports with a reader of the log that is told to end after so many batches, as Ctrl-C tells it. */
function interruptedAfter(ports: Ports, batches: number): { readonly ports: Ports; readonly signal: AbortSignal } {
  const stop = new AbortController()
  let count = 0
  const read: Ports['log']['read'] = async function* (topic, options) {
    for await (const fetched of ports.log.read(topic, options)) {
      if (count++ >= batches) stop.abort()
      if (stop.signal.aborted) return
      yield fetched
    }
  }
  return { signal: stop.signal, ports: { ...ports, log: { ...ports.log, read } } }
}

const watch = { actor: { who: 'somebody', why: null }, report: () => {} }
const chain = [v0, v1].map(({ definition }) => definition)
const set = 'loan_risk'

describe('Ctrl-C', () => {
  it.each<Mode>(['backfill', 'forward-only', 'shadow'])(
    'during apply --%s leaves what SQL users see as it was, says what is left, and running it again finishes it',
    async (mode) => {
      const applying = (ports: Ports, signal: AbortSignal) => apply(ports, { chain, version: 1, mode, partitions: 1, signal, ...watch })
      const seen = (folder: string) => readRows(warehouseOf(folder), 'SELECT _seq, ma50, _version FROM loan_risk ORDER BY _seq')
      const shown = seen(base)
      const whole = copyOf(base)
      await withPorts(whole, (ports) => applying(ports, new AbortController().signal))
      for (const batches of [0, 1, 4, 9]) {
        const folder = copyOf(base)
        await withPorts(folder, async (ports) => {
          const cut = interruptedAfter(ports, batches)
          await expect(applying(cut.ports, cut.signal)).rejects.toThrow('aborted')
          expect(await unfinishedIn(ports, set)).toHaveLength(1)
          expect(seen(folder)).toEqual(shown)
          await applying(ports, new AbortController().signal)
          expect(await unfinishedIn(ports, set)).toEqual([])
        })
        for (const view of [set, 'loan_risk_v1']) expect(valuesIn(folder, view)).toEqual(valuesIn(whole, view))
      }
    },
    limitMs,
  )

  it(
    'during rollback leaves the rows still to be filled told, until it is run again',
    async () => {
      const folder = copyOf(base)
      await done(folder, 'apply loan_risk@1 --cold --yes')
      const file = await generated(rows, 6)
      await done(folder, `produce --years 2007-2012 --rate 4000 --continue --file ${file}`)
      await done(folder, 'up --until-caught-up')
      for (const batches of [0, 2, 6]) {
        const copy = copyOf(folder)
        await withPorts(copy, async (ports) => {
          const cut = interruptedAfter(ports, batches)
          await expect(rollback(cut.ports, { set, signal: cut.signal, ...watch })).rejects.toThrow('aborted')
          expect((await unfinishedIn(ports, set))[0]).toMatch(
            /^loan_risk@0 is shown, but its rows of records \d+ to 4000 are being filled, or that was interrupted\. Run: tidemark promote loan_risk@0$/,
          )
          expect(await rollback(ports, { set, signal: new AbortController().signal, ...watch })).toBe(0)
        })
        expect(only(copy, 'SELECT count(*), min(_version), max(_version) FROM loan_risk')).toEqual([2 * rows, 0, 0])
        expect(await tidemark(copy, 'verify loan_risk@0')).toMatchObject({ code: 0 })
      }
    },
    limitMs,
  )

  it(
    'during verify proves nothing, and calls nothing changed',
    async () => {
      await withPorts(copyOf(base), async (ports) => {
        for (const batches of [0, 1, 5]) {
          const cut = interruptedAfter(ports, batches)
          await expect(verify(cut.ports, { set, version: 0, signal: cut.signal, report: () => {} })).rejects.toThrow('aborted')
        }
        expect(await verify(ports, { set, version: 0, signal: new AbortController().signal, report: () => {} })).toMatchObject({
          rows,
          differences: 0,
        })
      })
    },
    limitMs,
  )

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'as %s ends a running apply with 1, and with a word of what is left',
    async (signal) => {
      const folder = copyOf(base)
      const before = rowsIn(folder, set)
      const applying = start(folder, 'apply loan_risk@1 --yes')
      await until(() => applying.err().includes('Plan for'))
      applying.signal(signal)
      const { code, out } = await applying.ended
      // It may have been done by then.
      if (code !== 0) {
        expect({ code, out }).toEqual({
          code: 1,
          out: 'interrupted: loan_risk@1 is not applied yet. To finish: tidemark apply loan_risk@1\n',
        })
        expect(rowsIn(folder, set).length).toBe(before.length)
        await done(folder, 'apply loan_risk@1 --yes')
      }
      expect(await tidemark(folder, 'verify loan_risk@1')).toMatchObject({ code: 0 })
    },
    limitMs,
  )
})
