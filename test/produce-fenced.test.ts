/** A producer whose name is taken by another one: it ends with what happened, and nothing is lost or doubled. */
import { describe, expect, it } from 'vitest'
import { done, freshFolder, json, start, until } from './cli-run.ts'
import { generated, limitMs, withPorts } from './loan-folders.ts'

describe('produce', { timeout: limitMs }, () => {
  it('that lost its name to another producer says so, leaves with 1, and goes on when it is run again', async () => {
    const folder = freshFolder()
    const file = await generated(20_000)
    await done(folder, 'apply loan_risk@0 --yes')
    const produce = start(folder, `produce --years 2007-2012 --rate 500 --file ${file}`)
    const held = async () => (await json(folder, 'status')).readers[0].lag
    await until(async () => (await held()) > 0)
    await withPorts(folder, async ({ log }) => (await log.writer('produce/inflow')).close())
    const { code, out, err } = await produce.ended
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.trim().split('\n').at(-1)).toMatch(
      /^tidemark: another producer took over inflow, or this one was stopped, or the log away, for so long .*\. Nothing is lost or doubled\. .* run this again: it goes on from what inflow holds\.$/,
    )
    const before = await held()
    const { rows, alreadyHeld } = await json(folder, `produce --years 2007-2012 --file ${file}`)
    expect(alreadyHeld).toBe(before)
    expect(await held()).toBe(before + rows)
  })
})
