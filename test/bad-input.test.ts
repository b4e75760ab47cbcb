/**
 * What goes wrong at the keyboard: each mistake is answered in one line that says what to do, with the right exit code, and changes
 * nothing.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, rejectsPath, start, tidemark, until, type Ended } from './cli-run.ts'
import { withDefinitions } from './loan-folders.ts'

const limitMs = 60_000
const tricky = resolve('test/fixtures/tricky.csv')
const slice = resolve('test/fixtures/loans-slice.csv.gz')
const header = 'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code\n'

type Mistake = {
  readonly words: string
  readonly exit: 1 | 2
  readonly says: string | RegExp
  readonly env?: Readonly<Record<string, string>>
}

const mistake = (words: string, exit: 1 | 2, says: string | RegExp): Mistake => ({ words, exit, says })

function expectRefusal({ code, out, err }: Ended, { exit, says }: Pick<Mistake, 'exit' | 'says'>): void {
  expect(err).toMatch(says)
  // One line of two sentences, the second of which says what to do; no stack trace fits into it.
  expect(err).toMatch(/^tidemark: \S.*[.?] [A-Z].*\n$/)
  expect(err).not.toMatch(/\.\.|a bug of| at \S+ \(|\bundefined\b|\[object/)
  expect(out).toBe('')
  expect(code).toBe(exit)
}

/** Files to make mistakes with; every command of this file runs where they lie or in a folder of its own. */
function folderOfFiles(): string {
  const folder = freshFolder()
  const put = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text)
  put('cut.csv.gz', readFileSync(slice).subarray(0, 30_000))
  put('plain.csv.gz', `${header}1000,2008-01-01,,,,,,,`)
  put('other.csv', 'a,b,c\n1,2,3\n')
  put('one-name-wrong.csv', `${header.replace('Risk_Score', 'Risk Score')}1000,2008-01-01,,,,,,,`)
  put('empty.csv', '')
  put('empty.csv.gz', '')
  put('header.csv', header)
  mkdirSync(join(folder, 'folder.csv'))

  const set = (n: number, last = 50) =>
    [
      `import { featureSet, mean, rejectedLoan } from 'tidemark'`,
      `export const v0 = featureSet({ name: 'loan_risk', of: rejectedLoan }, { ma50: mean('risk_score', { last: ${last}, round: 3 }) })`,
      `const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })`,
      `export const later = v${n === 2 ? '1.add({ ma10: mean("risk_score", { last: 10 }) })' : '1'}`,
    ].join('\n')
  const definitions: Record<string, string> = {
    edited: set(1, 49),
    skipping: set(2),
    none: 'export const answer = 42',
    broken: 'export const v0 = featureSet(',
    failing: `throw new Error('on purpose\\nin two lines')`,
    wordy:
      `import { featureSet, mean, rejectedLoan } from 'tidemark'\nexport const v0 = featureSet({ name: 'loan_risk', of: ` +
      `rejectedLoan }, { title: mean('loan_title', { last: 50 }) })`,
    elsewhere: `import { featureSet } from 'no-such-package'\nexport const v0 = featureSet`,
  }
  for (const [name, text] of Object.entries(definitions)) {
    put(`${name}.ts`, text)
    put(`${name}.json`, JSON.stringify({ features: `${name}.ts` }))
  }
  put('missing.json', '{ "features": "gone.ts" }')
  put('unknown-key.json', '{ "warehouse": { "kind": "embedded", "colour": "blue" } }')
  put('unknown-top.json', '{ "data-dir": "x" }')
  put('not-json.json', '{ "dataDir": x }')
  put('wrong-kind.json', '{ "log": { "kind": "paper" } }')
  put('wrong-type.json', '{ "dataDir": 5 }')
  put('env.json', '{ "dataDir": "${TIDEMARK_NOWHERE}" }')
  return folder
}

const files = folderOfFiles()

describe('words that are refused leave nothing behind', () => {
  const mistakes: readonly Mistake[] = [
    mistake('aply', 2, `unknown command 'aply'`),
    mistake('produce --years 2008 --fast', 2, `unknown option '--fast'`),
    mistake('apply', 2, `missing required argument 'set@version'`),
    mistake('apply loan_risk@0 loan_risk@1', 2, 'too many arguments'),
    mistake('produce --years', 2, `argument missing`),
    mistake('produce --years 2009-2008', 2, 'runs backwards. Did you mean --years 2008-2009?'),
    mistake('produce --years abc', 2, '--years abc is not a year'),
    mistake('produce --years 2008-', 2, 'is not a year'),
    mistake('backfill --years 0050', 2, '--years 0050 begins before 1901. Give years from 1901 on.'),
    mistake('produce --years 2008 --rate fast', 2, '--rate fast is not a whole number'),
    mistake('produce --years 2008 --rate 0', 2, '--rate 0 is not a whole number'),
    mistake(`produce --years 1999 --file ${tricky}x`, 1, 'there is no file'),
    mistake('produce --years 2008 --file folder.csv', 1, 'the folder folder.csv holds no file to read'),
    mistake('backfill --years 2008', 1, 'there is no file data/rejected.csv.gz'),
    mistake('backfill --years 2008 --file plain.csv.gz', 1, 'plain.csv.gz is not gzip, though its name says so'),
    mistake('backfill --years 2008 --file empty.csv.gz', 1, 'empty.csv.gz is empty'),
    mistake(
      `backfill --years 2008 --features nonsense --file ${tricky}`,
      1,
      /there is no feature set nonsense\. The definitions have .*loan_risk_2007/,
    ),
    mistake('apply loan_risk@9 --yes', 1, 'there is no loan_risk@9. The definitions have versions 0 to 2'),
    mistake('apply nonsense@0 --yes', 1, 'there is no feature set nonsense'),
    mistake('apply loan_risk --yes', 2, 'loan_risk is not SET@VERSION'),
    mistake('apply loan_risk@one --yes', 2, 'loan_risk@one is not SET@VERSION'),
    mistake('apply loan_risk@1 --cold --backfill --yes', 2, 'exclude each other'),
    mistake('plan loan_risk', 2, 'loan_risk is not SET@VERSION'),
    mistake('plan loan_risk@9', 1, 'there is no loan_risk@9'),
    mistake('generate --years 2007', 2, '--out is missing'),
    mistake('generate --years 1999 --out x.csv', 2, 'cannot generate the years 1999-1999'),
    mistake('generate --rows 0 --out x.csv', 2, '--rows 0 is not a whole number'),
    mistake('generate --rows 10 --out /proc/gone/x.csv', 1, 'gone'),
    mistake('demo --rows 3', 2, '--rows 3 is not a whole number'),
    mistake('demo --example books', 2, 'there is no example books'),
    mistake('demo --invoices 3', 2, '--invoices is not for the loans'),
    mistake('generate --example books --out shop', 2, 'there is no example books'),
    mistake('generate --example invoices --rows 3 --out shop', 2, '--rows is not for the invoices'),
    mistake('generate --example invoices', 2, '--out is missing'),
    mistake('generate --example invoices --day 0 --out shop', 2, '--day 0 is not a whole number'),
    mistake('generate --example invoices --day 1001 --out shop', 2, 'there is no day 1001'),
    ...[
      'consume',
      'sink',
      'up',
      `query 'SELECT 1'`,
      'versions',
      'verify loan_risk@0',
      'status',
      'promote loan_risk@0',
      'rollback loan_risk',
      'retire loan_risk@0',
      'diff loan_risk@0 loan_risk@1',
    ].map((words) => mistake(words, 1, 'nothing is applied in .tidemark: there is no such folder. Run first: tidemark apply loan_risk@0')),
    mistake('status --config unknown-key.json', 2, 'unknown-key.json has an unknown key warehouse.colour'),
    mistake('status --config unknown-top.json', 2, 'unknown-top.json has an unknown key data-dir'),
    mistake('status --config not-json.json', 1, 'not-json.json is not JSON'),
    mistake('status --config wrong-kind.json', 2, 'wrong-kind.json: log.kind'),
    mistake('status --config wrong-type.json', 2, 'wrong-type.json: dataDir'),
    mistake('status --config env.json', 1, 'env.json needs the environment variable TIDEMARK_NOWHERE'),
    mistake('status --config gone.json', 1, 'the config file gone.json cannot be read'),
    mistake('apply loan_risk@0 --config missing.json --yes', 1, /the definitions file .*gone\.ts is not there/),
    mistake('apply loan_risk@0 --config none.json --yes', 1, /none\.ts exports no feature set/),
    mistake('apply loan_risk@0 --config broken.json --yes', 1, /broken\.ts does not load/),
    mistake('apply loan_risk@0 --config failing.json --yes', 1, /failing\.ts does not load: on purpose/),
    mistake('apply loan_risk@0 --config wordy.json --yes', 1, /title/),
    mistake('apply loan_risk@0 --config elsewhere.json --yes', 1, /elsewhere\.ts does not load: .*no-such-package/),
    mistake('apply loan_risk@0 --config skipping.json --yes', 1, /skipping\.ts: loan_risk has no version 1/),
    mistake('apply loan_risk@0 --data-dir other.csv/sub --yes', 1, 'other.csv/sub'),
    mistake(`produce --years 2008 --file ${tricky} --data-dir other.csv`, 1, 'other.csv is not a directory'),
    mistake(`backfill --years 2008 --file ${tricky} --data-dir other.csv/sub`, 1, 'other.csv/sub'),
    mistake('demo --data-dir other.csv/sub', 1, 'other.csv/sub'),
    mistake('demo --data-dir /proc/nowhere', 1, 'the directory /proc/nowhere cannot be made. Check the path, or choose another directory.'),
    mistake(`apply loan_risk@0 --data-dir ${'long'.repeat(80)} --yes`, 1, /the directory (long)+ cannot be made\./),
    mistake(`plan --data-dir ${'long'.repeat(80)}`, 1, /(long)+\/log\.db cannot be opened\. Check the path/),
    mistake('demo --data-dir .', 1, '. is not empty and was not made by the demo'),
  ]

  it.concurrent.each(mistakes)(
    '$words',
    async (one) => {
      expectRefusal(await tidemark(files, one.words), one)
      for (const left of ['.tidemark', '.tidemark-demo', 'x.csv']) expect(existsSync(join(files, left))).toBe(false)
    },
    limitMs,
  )
})

describe('mistakes with data that is there change nothing', () => {
  const folder = folderOfFiles()
  let before: unknown
  const state = async () => [await json(folder, 'status'), await json(folder, 'versions')]

  beforeAll(async () => {
    await done(folder, `backfill --years 2007 --file ${tricky}`)
    await done(folder, `produce --years 2009 --file ${tricky}`)
    await done(folder, 'up --until-caught-up')
    before = await state()
  }, limitMs)

  const mistakes: readonly Mistake[] = [
    mistake(`produce --years 2008 --file ${tricky}`, 1, 'row 25 of 2008 lies behind row'),
    mistake(`backfill --years 2008 --file ${tricky}`, 1, 'row 25 of 2008 lies behind row'),
    mistake(`produce --years 2010 --file ${slice}`, 1, 'loans-slice.csv.gz'),
    mistake(`backfill --years 2010 --file ${slice}`, 1, 'loans-slice.csv.gz'),
    mistake(`produce --years 1999 --file ${tricky}`, 1, 'has no row of 1999'),
    mistake(`produce --years 2013-2014 --file ${tricky}`, 1, 'has no row of 2013-2014'),
    mistake('produce --years 2010 --file cut.csv.gz', 1, 'cut.csv.gz is cut short'),
    mistake('backfill --years 2010 --file cut.csv.gz', 1, 'cut.csv.gz is cut short'),
    mistake('produce --years 2010 --file other.csv --continue', 1, 'other.csv has no columns "Amount Requested", "Application Date", '),
    mistake('produce --years 2010 --file one-name-wrong.csv --continue', 1, 'Risk Score'),
    mistake('produce --years 2010 --file empty.csv --continue', 1, 'empty.csv is empty'),
    mistake('produce --years 2010 --file header.csv --continue', 1, 'header.csv has no row of 2010'),
    mistake(`produce --years 2010 --strict --file ${tricky}`, 1, 'tricky.csv:68: 10: 10 cells where 9 are expected'),
    mistake(
      'apply loan_risk@2 --yes',
      1,
      'loan_risk@1 is not applied yet, and versions come in order. Run first: tidemark apply loan_risk@1',
    ),
    mistake(
      'apply loan_risk@1 --config edited.json --yes',
      1,
      /@0 is released and was edited: ma50 was mean\('risk_score', \{ last: 50, round: 3 \}\) and is now .* last: 49, .*\. Put version 0 back/,
    ),
    mistake('apply loan_risk@1 --config skipping.json --yes', 1, /has no version 1/),
    mistake('verify loan_risk@1', 1, 'loan_risk@1 is not applied'),
    mistake('verify nonsense@0', 1, 'nonsense@0 is not applied'),
    mistake('verify loan_risk', 2, 'is not SET@VERSION'),
    mistake('versions nonsense', 1, 'no version of nonsense is applied'),
    mistake('promote loan_risk@1 --yes', 1, 'loan_risk@1 is not applied'),
    mistake('rollback nonsense --yes', 1, 'no version of nonsense is applied'),
    mistake('rollback loan_risk --yes', 1, 'the only version'),
    mistake('retire loan_risk@0 --yes', 1, 'loan_risk@0 is the promoted version'),
    mistake('diff loan_risk@0 loan_risk@1', 1, 'loan_risk@1'),
    mistake('diff loan_risk@0 other@1', 2, 'different sets'),
    mistake(`query 'DELETE FROM loan_risk_rows'`, 1, 'do something other than read'),
    mistake(`query 'DROP VIEW loan_risk'`, 1, 'do something other than read'),
    mistake(`query 'ATTACH "x.db" AS x'`, 1, 'do something other than read'),
    mistake(`query 'SELECT 1; DELETE FROM loan_risk_rows'`, 1, 'statement'),
    mistake(`query 'SELEC 1'`, 1, 'the query failed: near "SELEC": syntax error'),
    mistake(`query 'SELECT\nno_such_column FROM\nloan_risk'`, 1, 'the query failed: no such column: no_such_column'),
    mistake(`query 'SELECT * FROM loans'`, 1, 'no such table: loans'),
    mistake(`query ''`, 1, 'the query is empty'),
    mistake('query', 2, `missing required argument 'sql'`),
    mistake(`query 'SELECT 1' --format xml`, 2, '--format xml is not known'),
  ]

  it.each(mistakes)('$words', async (one) => expectRefusal(await tidemark(folder, one.words), one), limitMs)

  it(
    'asks before SQL users see a change, and takes no terminal for a no',
    async () => {
      for (const words of ['apply loan_risk@1', 'apply loan_risk@1 --cold --json']) {
        const { code, err } = await tidemark(folder, words)
        expect(code).toBe(2)
        expect(err.trimEnd().split('\n').at(-1)).toBe(
          'tidemark: Apply loan_risk@1? Nobody is there to answer. Pass --yes to say yes in a script.',
        )
      }
    },
    limitMs,
  )

  it(
    'says no to a second consumer and to a second sink, and who it is that runs',
    async () => {
      const consume = start(folder, 'consume')
      await until(() => consume.err().includes('loan_risk@0 from record'))
      for (const words of ['consume', 'up', 'consume --until-caught-up']) {
        const owner =
          `consume is held by process ${consume.pid} on .*: tidemark consume\\. Wait until it is done, ` +
          `or stop it \\(kill ${consume.pid}\\)`
        expectRefusal(await tidemark(folder, words), { exit: 1, says: new RegExp(owner) })
      }
      consume.signal('SIGTERM')
      expect(await consume.ended).toMatchObject({ code: 0 })
    },
    limitMs,
  )

  it(
    'says the same for machines',
    async () => {
      const { code, out } = await tidemark(folder, 'apply loan_risk@2 --yes --json')
      expect([code, JSON.parse(out)]).toEqual([
        1,
        { error: { what: expect.stringContaining('loan_risk@1 is not applied yet'), todo: 'Run first: tidemark apply loan_risk@1' } },
      ])
    },
    limitMs,
  )

  it(
    'has changed nothing by any of them',
    async () => {
      expect(await state()).toEqual(before)
      expect(existsSync(rejectsPath(folder, 'inflow'))).toBe(false)
      expect(existsSync(join(folder, 'x.db'))).toBe(false)
    },
    limitMs,
  )
})

it(
  'before the first apply there is nothing to compute, to write, to prove or to ask',
  async () => {
    const folder = freshFolder()
    await done(folder, `produce --years 2008 --file ${tricky}`)
    for (const one of [
      mistake('consume', 1, 'no feature set is applied, so there is nothing to compute. Run first: tidemark apply loan_risk@0'),
      mistake('sink', 1, 'no feature set is applied, so there is nothing to write. Run first: tidemark apply loan_risk@0'),
      mistake('up', 1, 'no feature set is applied'),
      mistake('verify loan_risk@0', 1, 'loan_risk@0 is not applied'),
      mistake('promote loan_risk@0 --yes', 1, 'loan_risk@0 is not applied'),
      mistake(`query 'SELECT * FROM loan_risk'`, 1, 'no such table: loan_risk'),
    ])
      expectRefusal(await tidemark(folder, one.words), one)
    expect(await done(folder, 'versions')).toBe('no version is applied yet: tidemark apply loan_risk@0')
  },
  limitMs,
)

it(
  'messages name a set of the definitions at hand, not one of another story',
  async () => {
    const folder = freshFolder()
    const own = withDefinitions(
      folder,
      `import { featureSet, mean, rejectedLoan } from 'tidemark'
    export const zebras = featureSet({ name: 'zebras', of: rejectedLoan }, { m: mean('risk_score', { last: 5 }) })
    export const apes = featureSet({ name: 'apes', of: rejectedLoan }, { m: mean('risk_score', { last: 5 }) })`,
    )
    expectRefusal(
      await tidemark(folder, `query 'SELECT 1' ${own}`),
      mistake('', 1, 'Run first: tidemark apply zebras@0, or see it all with: tidemark demo'),
    )
    await done(folder, `produce --years 2008 --file ${tricky} ${own}`)
    for (const words of ['consume', 'sink', 'up', 'versions no_such_set']) {
      expectRefusal(await tidemark(folder, `${words} ${own}`), mistake(words, 1, 'Run first: tidemark apply zebras@0'))
    }
    for (const words of ['versions', 'status'])
      expect(await done(folder, `${words} ${own}`)).toContain('applied yet: tidemark apply zebras@0')
    const { out } = await tidemark(folder, `doctor ${own}`)
    expect([out.includes('Run: tidemark apply zebras@0'), out.includes('loan_risk')]).toEqual([true, false])
  },
  limitMs,
)

it(
  'backfilling the same years again is no mistake',
  async () => {
    const folder = freshFolder()
    await done(folder, `backfill --years 2008 --file ${slice}`)
    expect(await tidemark(folder, `backfill --years 2008 --file ${slice}`)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^nothing new; 102 were there already; 2 898 of other years; 3 000 rows read\n$/),
    })
  },
  limitMs,
)
