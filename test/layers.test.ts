/** Layers of state: a version goes on from another one's state where it lies, however often versions change, and nothing is left of one that is retired. */
import { describe, expect, it } from 'vitest'
import { loadPosition } from '../feature-defs/checkpoint.ts'
import { featureSet, last, mean, sum, type Definition } from '../feature-defs/feature-set.ts'
import { layersThere } from '../feature-defs/state.ts'
import { rejectedLoan } from '../schemas/rejected-loan.ts'
import { runCommand } from './driver/commands.ts'
import { noRejects, portsInMemory } from './driver/in-memory.ts'
import type { Command } from './driver/step.ts'
import { Killed, withFaults } from './faults.ts'

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

/** Half of the keys each year: a key may be met long after its version was switched to. */
function loansByState(years: number): string {
  const lines = Array.from({ length: years * 20 }, (_, i) => {
    const state = String.fromCharCode(65 + ((Math.floor(i / 20) * 3 + ((i * 7) % 11)) % 23))
    return `1000,${2007 + Math.floor(i / 20)}-06-01,car,${300 + ((i * 37) % 500)},10%,100xx,${state},1 year,0`
  })
  return `Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code\n${lines.join('\n')}\n`
}

const { open, source } = portsInMemory(loansByState(14))

const run = (command: Command, ports = open()) => runCommand(ports, command, { set, partitions: 1, source, rejects: noRejects, signal: new AbortController().signal })
let year = 2007
const more = async () => {
  await run({ do: 'produce', years: [year, year] })
  await run({ do: 'consume' })
  await run({ do: 'sink' })
  year++
}
const proved = async (...versions: readonly number[]) => {
  for (const version of versions) expect({ version, equal: await run({ do: 'verify', version }) }).toEqual({ version, equal: true })
}
const runs = async () => (await loadPosition(open().checkpoints, at.set, at.partition)).runs
const apply = (version: number, mode: 'cold' | 'forward-only' | 'shadow') => run({ do: 'apply', version, mode })

describe('a version', () => {
  it('goes on from the state of others through any order of switches, and copies it only to let one go', async () => {
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
    const left = await layersThere(open().checkpoints, at)
    expect(left.filter(({ version }) => version === 5)).toEqual([])
    await more()
    await proved(0, 1, 2, 3, 4)
  })
})

describe('two versions that are computed at once', () => {
  const { open: openOther, source: text } = portsInMemory(loansByState(8))
  const live = (command: Command, ports = openOther()) => runCommand(ports, command, { set, partitions: 1, source: text, rejects: noRejects, signal: new AbortController().signal })
  const years = async (from: number, to: number) => {
    for (const command of [{ do: 'produce', years: [from, to] }, { do: 'consume' }, { do: 'sink' }] as const) await live(command)
  }

  it('part above the state that they share, and one is let go at any of its writes without the other', async () => {
    await live({ do: 'apply', version: 0, mode: 'cold' })
    await years(2007, 2008)
    await live({ do: 'apply', version: 1, mode: 'shadow' })
    await years(2009, 2009)
    await live({ do: 'apply', version: 2, mode: 'cold' })
    const position = await loadPosition(openOther().checkpoints, at.set, at.partition)
    const byVersion = new Map(position.runs.map((one) => [one.version, one]))
    expect(byVersion.get(1)).toMatchObject({ until: null, layer: 1, beneath: [{ version: 1, layer: 0 }] })
    expect(byVersion.get(2)).toMatchObject({ until: null, beneath: [{ version: 1, layer: 0 }] })
    await years(2010, 2010)
    for (const version of [0, 1, 2]) expect(await live({ do: 'verify', version })).toBe(true)

    for (let write = 1; ; write++) {
      const cut = { kind: 'kill', write } as const
      const done = await live({ do: 'retire', version: 1 }, withFaults(openOther(), cut, () => {}).ports).then(() => true, (error: unknown) => {
        if (!(error instanceof Killed)) throw error
        return false
      })
      if (done) break
    }
    expect((await layersThere(openOther().checkpoints, at)).filter(({ version }) => version === 1)).toEqual([])
    await years(2011, 2014)
    for (const version of [0, 2]) expect(await live({ do: 'verify', version })).toBe(true)
  })
})
