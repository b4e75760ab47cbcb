/** What the commands on versions refuse: each by name, with the way out, and with every file as it was. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder } from './cli-run.ts'
import { copyOf, cutShort, dumpOf, expectRefused, generated, limitMs, loansUntil2009, only, withDefinitions } from './loan-folders.ts'

let base: string

beforeAll(async () => {
  base = await loansUntil2009(await generated(20_000))
}, limitMs)

describe('what is refused', () => {
  it(
    'is a version out of order, with the one to take instead',
    async () => {
      const folder = copyOf(base)
      await expectRefused(
        folder,
        'apply loan_risk@2 --yes',
        'loan_risk@1 is not applied yet, and versions come in order. Run first: tidemark apply loan_risk@1',
      )
      await done(folder, 'apply loan_risk@1 --cold --yes')
      await expectRefused(
        folder,
        'apply loan_risk@0 --yes',
        'loan_risk@0 was applied before, and loan_risk@1 after it. To show it again: tidemark promote loan_risk@0, ' +
          'or step back with: tidemark rollback loan_risk',
      )
      await expectRefused(folder, 'apply loan_risk@3 --yes', 'there is no loan_risk@3. The definitions have versions 0 to 2 of loan_risk.')
      for (const words of ['promote loan_risk@2 --yes', 'retire loan_risk@2 --yes', 'verify loan_risk@2', 'diff loan_risk@0 loan_risk@2'])
        await expectRefused(folder, words, /^tidemark: loan_risk@2 is not applied\. .+$/)
    },
    limitMs,
  )

  it(
    'is a change that SQL users would see, when nobody is there to agree',
    async () => {
      const folder = copyOf(base)
      const unasked = (words: string) =>
        expectRefused(folder, words, /\? Nobody is there to answer\. Pass --yes to say yes in a script\.$/, 2)
      for (const mode of ['', '--cold', '--forward-only', '--shadow']) await unasked(`apply loan_risk@1 ${mode}`)
      await done(folder, 'apply loan_risk@1 --yes')
      for (const words of ['rollback loan_risk', 'promote loan_risk@0', 'retire loan_risk@0']) await unasked(words)
    },
    limitMs,
  )

  it(
    'is a version whose record cannot be read together with the one before',
    async () => {
      const text = `import { featureSet, mean, record, number, date, text } from 'tidemark'
const [amount, day] = [number('Amount Requested', { nullable: false }), date('Application Date', { nullable: false })]
const fields = { amount, day, score: number('Risk_Score'), zip: text('Zip Code', { bytes: 16 }) }
export const v0 = featureSet({ name: 'zips', of: record('zip_loan', 'day', fields) }, { m: mean('score', { last: 5 }) })
const changed = record('zip_loan', 'day', { ...fields, zip: number('Zip Code') })
const next = v0.add({ m2: mean('score', { last: 2 }) })
// The language has no word for another record yet: put together by hand.
export const v1 = { ...next, definition: { ...next.definition, record: changed } }`
      const folder = freshFolder()
      const own = withDefinitions(folder, text)
      await done(folder, `apply zips@0 ${own} --yes`)
      const reason = 'field zip changed from nullable string to nullable double: rows written before could not be read'
      const before = dumpOf(folder)
      expect(await done(folder, `plan zips@1 ${own}`)).toContain(`Schema: INCOMPATIBLE, it will be refused: ${reason}`)
      expect(dumpOf(folder)).toEqual(before)
      await expectRefused(
        folder,
        `apply zips@1 ${own} --yes`,
        `zips@1 is not compatible with what is released: ${reason}. Nothing was changed. Keep the field as it was, ` +
          'and add what is new under another name.',
      )

      // A record of another name has an inflow schema of its own, which nobody may have registered in passing either.
      const renamed = withDefinitions(folder, text.replace("const changed = record('zip_loan'", "const changed = record('zip_number'"))
      await expectRefused(folder, `apply zips@1 ${renamed} --yes`, /^tidemark: zips@1 is over zip_number, and zips@0 over zip_loan: /)
    },
    limitMs,
  )

  it(
    'is history that is no longer complete, with the rows that are missing',
    async () => {
      const own = await generated(2000)
      const folder = freshFolder()
      await done(folder, `backfill --years 2007-2011 --file ${own}`)
      await done(folder, 'verify loan_risk@0')
      const until = only(folder, 'SELECT max(_seq) FROM loan_risk')[0]
      const bytes = readFileSync(own)
      const missing = (why: string) =>
        new RegExp(
          `^tidemark: history is not complete: rows 1 to ${until} were ingested from loans\\.csv\\.gz \\(sha256 [0-9a-f]{12}…\\), ` +
            `and .*${why}.* Put that file back, or point source\\.file in the config \\(or --file\\) at it\\.$`,
        )
      const commands = [
        'apply loan_risk@1 --yes',
        'apply loan_risk@1 --shadow --yes',
        'apply loan_risk@1 --forward-only --yes',
        'verify loan_risk@0',
      ]
      rmSync(own)
      for (const words of commands) await expectRefused(folder, words, missing(''))
      writeFileSync(own, readFileSync(await generated(2000, 12)))
      for (const words of commands) await expectRefused(folder, words, missing('has other content now'))

      // Cold needs no history; the file found at its place again, or where the config says, is as good as ever.
      await done(copyOf(folder), 'apply loan_risk@1 --cold --yes')
      rmSync(own)
      writeFileSync(join(folder, 'kept.csv.gz'), bytes)
      writeFileSync(join(folder, 'moved.json'), JSON.stringify({ source: { file: 'kept.csv.gz' } }))
      await done(folder, 'apply loan_risk@1 --yes --config moved.json')
      await done(folder, 'verify loan_risk@1 --config moved.json')
    },
    limitMs,
  )

  it(
    'is to show a version whose history is not complete',
    async () => {
      const folder = copyOf(base)
      await cutShort(folder, 1, 'shadow')
      await expectRefused(
        folder,
        'promote loan_risk@1 --yes',
        'the history of loan_risk@1 is not complete, so it cannot be shown. Finish it: tidemark apply loan_risk@1 --shadow',
      )
      await expectRefused(
        folder,
        'apply loan_risk@2 --yes',
        'loan_risk@1 is not finished. Finish it first: tidemark apply loan_risk@1. Where its history is not to be had any more: ' +
          'tidemark retire loan_risk@1',
      )
      await done(folder, 'apply loan_risk@1 --yes')
      await done(folder, 'promote loan_risk@1 --yes')
    },
    limitMs,
  )
})
