/** `training-set` as users run it: over facts that change, promotions, exported rows, its manifest, and whatever is wrong with labels. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, tidemark } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'
import { randomFrom, seed } from './seeded.ts'

const definitions = `
import { date, decimal, fact, featureSet, flag, integer, sum, count, table, text } from 'tidemark'
const [account, amount] = [text({ bytes: 20 }), decimal({ digits: 12, scale: 2 })]
const bills = table('bills', { key: 'bill' }, { bill: integer(), account, due: date(), amount, paid: date() })
const billLine = fact('bill_line', { of: bills, at: 'due', join: {} }, {
  bill: integer(), account, due: date({ nullable: false }), amount, unpaid: flag({ sql: 'paid is null' }),
})
export const owed0 = featureSet({ name: 'owed', of: billLine, per: 'account' }, { owing: sum('amount', { all: true, when: 'unpaid' }) })
export const owed1 = owed0.add({ bills_all: count('bill', { all: true }) })
`

type Bill = { readonly account: string; readonly due: string; readonly cents: number; readonly paid: string }
type Load = { readonly at: string; readonly bills: ReadonlyMap<number, Bill> }

/** What a database has, load after load: bills come, are paid, corrected, move to another account and leave. */
function loadsFor(start: number): readonly Load[] {
  const random = randomFrom(start)
  const below = (n: number) => Math.floor(random() * n)
  const bills = new Map<number, Bill>()
  return [1, 2, 3, 4].map((month) => {
    for (let bill = 0; bill < 12; bill++) {
      const before = bills.get(bill)
      if (before && random() < 0.15) bills.delete(bill)
      else if (before && random() < 0.4) bills.set(bill, { ...before, paid: `2026-0${month}-10` })
      else if (random() < 0.4) bills.set(bill, { account: `A${below(4)}`, due: `2026-0${1 + below(4)}-05`, cents: below(9_000), paid: '' })
    }
    return { at: `2026-0${month}-15T06:00:00Z`, bills: new Map(bills) }
  })
}

const money = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
const csvOf = ({ bills }: Load) =>
  [
    'bill,account,due,amount,paid',
    ...[...bills].map(([bill, { account, due, cents, paid }]) => [bill, account, due, money(cents), paid].join(',')),
  ].join('\n')

/** As the database had it then. */
function owingThen(loads: readonly Load[], account: string, time: string): string {
  const load = loads.findLast(({ at }) => Date.parse(at) <= Date.parse(time))
  const unpaid = [...(load?.bills.values() ?? [])].filter((bill) => bill.account === account && bill.paid === '')
  return unpaid.length === 0 ? '' : money(unpaid.reduce((sum, { cents }) => sum + cents, 0))
}

let folder: string
const loads = loadsFor(seed)
const random = randomFrom(seed + 1)
const labels = Array.from({ length: 60 }, (_, id) => {
  const [account, day] = [`A${Math.floor(random() * 5)}`, 1 + Math.floor(random() * 28)]
  const month = Math.floor(random() * 6)
  // Before the first load, between loads, behind the last; one of them in the very moment of a load, in another zone.
  const time =
    id === 0 ? '2026-02-15T07:00:00+01:00' : `${month === 0 ? '2025-12' : `2026-0${month}`}-${String(day).padStart(2, '0')}T12:00:00Z`
  return { id, account, time }
})
const labelsCsv = ['id,account,when', ...labels.map(({ id, account, time }) => `${id},${account},${time}`)].join('\n')
const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const linesOf = (name: string) => read(name).trim().split('\r\n')
const words = 'training-set --labels labels.csv --time when'
let promotedFirst = ''

beforeAll(async () => {
  folder = freshFolder()
  write('definitions.mjs', definitions)
  write('tidemark.json', JSON.stringify({ features: './definitions.mjs', sources: { bills: { file: 'bills.csv' } } }))
  write('labels.csv', labelsCsv)
  await done(folder, 'apply owed@0 --yes')
  for (const load of loads) {
    write('bills.csv', csvOf(load))
    await done(folder, `load --at ${load.at} --yes`)
  }
  await done(folder, 'up --until-caught-up')
  promotedFirst = new Date().toISOString()
  await done(folder, 'apply owed@1 --yes')
  await done(folder, 'up --until-caught-up')
}, 10 * limitMs)

describe('a training set over facts', () => {
  it(
    `has for each label what was owed as the database was known then, whatever was paid or corrected later (seed ${seed})`,
    async () => {
      const { sets } = await json(folder, `${words} --features owed@0:owing --out out.csv`)
      expect(linesOf('out.csv')).toEqual([
        'id,account,when,owing',
        ...labels.map(({ id, account, time }) => `${id},${account},${time},${owingThen(loads, account, time)}`),
      ])
      expect(sets[0].labels.beforeFirstLoad).toBe(labels.filter(({ time }) => Date.parse(time) < Date.parse(loads[0]!.at)).length)
    },
    limitMs,
  )

  it(
    'is made again from its manifest, byte for byte, also when more has come since; other labels are refused',
    async () => {
      await done(folder, `${words} --features owed@0:owing,owed@1:bills_all --with version,age --out first.parquet`)
      write('bills.csv', 'bill,account,due,amount,paid\n1,A1,2026-01-01,5.00,\n')
      await done(folder, 'load --at 2026-06-01 --yes')
      await done(folder, 'up --until-caught-up')
      const again = await done(folder, 'training-set --from first.parquet.manifest.json --out again.parquet')
      expect(again).toContain('the same bytes as then')
      expect(readFileSync(join(folder, 'again.parquet'))).toEqual(readFileSync(join(folder, 'first.parquet')))
      write('other.csv', `${labelsCsv}\n99,A1,2026-01-01`)
      const other = await tidemark(folder, 'training-set --from first.parquet.manifest.json --labels other.csv --out other.parquet')
      expect(other).toMatchObject({ code: 1, err: expect.stringContaining('other.csv is not the file of labels that it was made of') })
    },
    limitMs,
  )

  it(
    'has the same features from exported rows, with no store at all',
    async () => {
      await done(folder, 'export owed@0 --out rows')
      await done(folder, `${words} --features owed@0:owing --out store.csv`)
      await done(folder, `${words} --features owed@0:owing --rows rows --data-dir nowhere --out exported.csv`)
      expect(read('exported.csv')).toBe(read('store.csv'))
      // A folder that has more rows since is as good.
      write('bills.csv', 'bill,account,due,amount,paid\n1,A1,2026-01-01,7.00,\n')
      await done(folder, 'load --at 2026-02-20 --yes')
      await done(folder, 'up --until-caught-up')
      await done(folder, 'export owed@0 --out later-rows')
      const again = 'training-set --from exported.csv.manifest.json --rows owed@0=later-rows --out again.csv'
      expect(await done(folder, again)).toContain('the same bytes as then')
    },
    limitMs,
  )

  it(
    'as served is of the version that was promoted then, and of what was computed by then',
    async () => {
      const now = new Date().toISOString()
      write('served.csv', `account,when\nA1,2026-05-01\nA1,${promotedFirst}\nA1,${now}\n`)
      await done(
        folder,
        'training-set --labels served.csv --time when --features owed:owing --as-served --with version --out served-out.csv',
      )
      expect(linesOf('served-out.csv').map((line) => line.split(',').at(-1))).toEqual(['owed__version', '', '0', '1'])
    },
    limitMs,
  )

  it(
    'shows the statement for the warehouse',
    async () => {
      const [{ sql, labels: columns }] = await json(folder, 'training-set --features owed@0:owing --sql')
      expect(columns).toEqual(['_label', 'account', '_moment'])
      write('sql.txt', sql)
      expect(sql).toMatch(/^WITH made AS \(/)
    },
    limitMs,
  )
})

describe('what cannot be', () => {
  it.each([
    [
      'no key',
      'id,when\n1,2026-01-01',
      '',
      'bad.csv has no column account, the key of owed@0. Name the column of the labels as the set does',
    ],
    ['no time', 'account\nA1', '', 'bad.csv has no column "when" for --time. Its columns are account'],
    [
      'no zone',
      'account,when\nA1,2026-01-01\nA1,2026-01-01 10:00',
      '',
      'bad.csv, line 3: when "2026-01-01 10:00" has no zone. Write Z behind times in UTC',
    ],
    ['no day', 'account,when\nA1,2026-02-30', '', 'bad.csv, line 2: when "2026-02-30" is no day that there is'],
    ['no moment', 'account,when\nA1,yesterday', '', 'bad.csv, line 2: when "yesterday" is no time'],
    ['an empty time', 'account,when\n\nA1,', '', 'bad.csv, line 3: when is empty'],
    ['a row too short', 'account,when\nA1', '', 'bad.csv, line 2: '],
    ['no header', '', '', 'bad.csv has no header. Its first line must name the columns'],
    ['two columns of a name', 'account,when,when\nA1,2026-01-01,x', '', 'bad.csv has two columns "when"'],
    ['an unknown feature', 'account,when\n', 'owed@0:nothing', 'owed@0 has no feature nothing. Its features are owing'],
    ['an unknown version', 'account,when\n', 'owed@7:owing', 'there is no owed@7. There are owed@0, owed@1'],
    ['an unknown set', 'account,when\n', 'nobody@0:owing', 'there is no feature set nobody. There are owed'],
    ['no feature', 'account,when\n', 'owed@0', '"owed@0" is not SET@VERSION:FEATURE'],
    [
      'a column twice',
      'account,when,owing,owed__owing\nA1,2026-01-01,1,2',
      '',
      'two columns of the training set would be called owed__owing',
    ],
  ])(
    '%s is one line that says what to do',
    async (_, text, features, says) => {
      write('bad.csv', text)
      rmSync(join(folder, 'bad-out.csv'), { force: true })
      const { code, err } = await tidemark(
        folder,
        `training-set --labels bad.csv --time when --features ${features || 'owed@0:owing'} --out bad-out.csv`,
      )
      expect(err).toContain(says)
      expect(err.trim().split('\n')).toHaveLength(1)
      expect(code).toBeGreaterThan(0)
    },
    limitMs,
  )

  it(
    'a header alone makes a header alone; a file that is there stays',
    async () => {
      write('none.csv', 'account,when\n')
      const none = 'training-set --labels none.csv --time when --features owed@0:owing --out none-out.csv'
      await done(folder, none)
      expect(linesOf('none-out.csv')).toEqual(['account,when,owing'])
      expect(await tidemark(folder, none)).toMatchObject({ code: 1, err: expect.stringContaining('none-out.csv is there already') })
    },
    limitMs,
  )

  it(
    'times without a zone are taken for UTC where that is said, and duplicates are kept in order',
    async () => {
      write('utc.csv', 'account,when\nA1,2026-05-01 10:00\nA1,2026-04-01\nA1,2026-05-01 10:00\n')
      await done(folder, 'training-set --labels utc.csv --time when --features owed@0:owing --utc --out utc-out.csv')
      const cells = linesOf('utc-out.csv').map((line) => line.split(',')[1])
      expect(cells).toEqual(['when', '2026-05-01 10:00', '2026-04-01', '2026-05-01 10:00'])
    },
    limitMs,
  )
})
