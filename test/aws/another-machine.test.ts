/** Where every part is elsewhere, a machine with nothing of its own sees what another has done, and its doctor finds all well. */
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, tidemark, type Printed } from '../cli-run.ts'
import { generated, limitMs } from '../loan-folders.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForCloud, startCloud, type Cloud } from './cloud.ts'

const config = '--config config.json'

unlessMissing(missingForCloud(), () => describe('another machine', () => {
  let cloud: Cloud
  beforeAll(async () => {
    cloud = await startCloud()
  }, 600_000)
  afterAll(() => cloud?.stop())

  it('needs no folder to look, to query and to go on', async () => {
    const { folder } = cloud.folder()
    const file = await generated(2000)
    await done(folder, `apply loan_risk@0 ${config} --yes`)
    await done(folder, `produce --years 2007-2008 --file ${file} ${config}`)

    const other = freshFolder()
    cpSync(join(folder, 'config.json'), join(other, 'config.json'))
    expect(await done(other, `schemas ${config}`)).toContain('loan_risk')
    await done(other, `up --until-caught-up ${config}`)
    const [{ n }] = await json(other, `query 'SELECT count(*) AS n FROM loan_risk' ${config}`)
    expect(Number(n)).toBeGreaterThan(50)
    expect(await done(folder, `versions ${config}`)).toBe(await done(other, `versions ${config}`))

    const third = freshFolder()
    cpSync(join(folder, 'config.json'), join(third, 'config.json'))
    const { checks }: Printed = JSON.parse((await tidemark(third, `doctor --json ${config}`)).out)
    // There is no source here, and no machine needs one to look.
    expect(checks.filter(({ state }: Printed) => state !== 'ok').map(({ check }: Printed) => check)).toEqual(['source file'])
    expect(existsSync(join(other, '.tidemark', 'registry.db'))).toBe(false)
  }, limitMs)
}))
