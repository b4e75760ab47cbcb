/**
 * Layers of state: a version goes on from another one's state where it lies, however often versions change, and nothing is left of one that
 * is retired.
 */
import { describe, expect, it } from 'vitest'
import { loadPosition } from '../streams/position.ts'
import { featureSet, last, mean, sum, type Definition } from '../feature-defs/language.ts'
import { layersThere } from '../streams/state.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { storeInMemory } from './driver/in-memory.ts'
import type { DrivenStore } from './driver/store.ts'
import type { Command } from './driver/step.ts'

const v0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, { f0: mean('risk_score', { last: 3, round: 3 }) })
const v1 = v0.add({ f1: sum('risk_score', { last: 4 }) })
const v2 = v1.add({ f2: last('risk_score', { last: 2 }) })
const v3 = v2.replace({ f1: sum('risk_score', { last: 5 }) })
/** The state of f0 goes on under another name too. */
const v4 = v3.add({ again: mean('risk_score', { last: 3, round: 3 }), f4: mean('risk_score', { last: 6, round: 3 }) })
const v5 = v4.add({ f5: mean('risk_score', { last: 7, round: 3 }) })
const v6 = v5.add({ f6: mean('risk_score', { last: 8, round: 3 }) })
const chain: readonly Definition[] = [v0, v1, v2, v3, v4, v5, v6].map(({ definition }) => definition)
const set = { set: 'by_state', per: 'state', chain, text: '' }
const at = { set: set.set, partition: 0 }

const header = 'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code'

/** Half of the keys each year: a key may be met long after its version was switched to. */
function loansByState(years: number): string {
  const lines = Array.from({ length: years * 20 }, (_, i) => {
    const state = String.fromCharCode(65 + ((Math.floor(i / 20) * 3 + ((i * 7) % 11)) % 23))
    return `1000,${2007 + Math.floor(i / 20)}-06-01,car,${300 + ((i * 37) % 500)},10%,100xx,${state},1 year,0`
  })
  return [header, ...lines, ''].join('\n')
}

/** What the command has to say, which must come to its end. */
const carriedOut = async (store: DrivenStore, command: Command) => {
  const outcome = await store.run(command)
  if (outcome.ended !== 'done') throw new Error(`${JSON.stringify(command)}: ${JSON.stringify(outcome)}`)
  return outcome.said
}

function openStore(years: number) {
  const store = storeInMemory(set, 1, loansByState(years))
  const run = (command: Command) => carriedOut(store, command)
  let year = 2007
  return {
    store,
    run,
    apply: (version: number, mode: 'cold' | 'forward-only' | 'shadow') => run({ do: 'apply', version, mode }),
    more: async () => {
      await run({ do: 'produce', years: [year, year] })
      await run({ do: 'consume' })
      await run({ do: 'sink' })
      year++
    },
    proved: async (...versions: readonly number[]) => {
      for (const version of versions) expect({ version, ...(await run({ do: 'verify', version })) }).toMatchObject({ version, equal: true })
    },
    runs: async () => (await loadPosition(store.open().checkpoints, at.set, at.partition)).runs,
    layersOf: async (version: number) => (await layersThere(store.open().checkpoints, at)).filter((one) => one.version === version),
  }
}

describe('a version', () => {
  it('goes on from the state of others through any order of switches, and copies it only to let one go', async () => {
    const { run, apply, more, proved, runs, layersOf } = openStore(14)
    await apply(0, 'cold')
    await more()
    await apply(1, 'cold')
    expect((await runs())[0]).toMatchObject({ version: 1, beneath: [{ version: 0, layer: 0, features: [['f0', 'f0']] }] })
    await more()
    await apply(2, 'forward-only')
    await more()
    // Each time back and forth lays one more layer.
    await run({ do: 'rollback' })
    await more()
    await run({ do: 'rollback' })
    await more()
    await run({ do: 'promote', version: 2 })
    await more()
    await proved(0, 1, 2)

    await apply(3, 'cold')
    await more()
    await apply(4, 'forward-only')
    await more()
    await apply(5, 'cold')
    await more()
    await run({ do: 'rollback' })
    await more()
    await proved(0, 1, 2, 3, 4, 5)
    expect(Math.max(...(await runs()).map(({ beneath = [] }) => beneath.length))).toBeLessThanOrEqual(4)

    await run({ do: 'retire', version: 5 })
    expect(await layersOf(5)).toEqual([])
    await more()
    await proved(0, 1, 2, 3, 4)
  })
})

describe('two versions that are computed at once', () => {
  it('part above the state that they share, and one is let go at any of its writes without the other', async () => {
    const { store, apply, more, proved, runs, layersOf } = openStore(8)
    await apply(0, 'cold')
    await more()
    await more()
    await apply(1, 'shadow')
    await more()
    await apply(2, 'cold')
    const byVersion = new Map((await runs()).map((one) => [one.version, one]))
    expect(byVersion.get(1)).toMatchObject({ until: null, layer: 1, beneath: [{ version: 1, layer: 0 }] })
    expect(byVersion.get(2)).toMatchObject({ until: null, beneath: [{ version: 1, layer: 0 }] })
    await more()
    await proved(0, 1, 2)

    for (let write = 1; (await store.run({ do: 'retire', version: 1 }, { kind: 'kill', write })).ended === 'cut'; write++);
    expect(await layersOf(1)).toEqual([])
    for (let year = 0; year < 4; year++) await more()
    await proved(0, 2)
  })
})
