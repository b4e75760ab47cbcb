/**
 * Users' own files by the command line: columns by name, cells of every kind, folders, patterns, Parquet, standard input, and what is
 * refused.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, rejectsPath, start, tidemark, type Printed } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'
import { chance } from './seeded.ts'

const own = '--config own.json'
const definitions = `import { count, date, decimal, featureSet, flag, integer, mean, number, record, text, timestamp } from 'tidemark'
export const payment = record('payment', 'paid_at', {
  account: text({ bytes: 20, nullable: false }), paid_at: timestamp({ nullable: false, from: 'Paid at' }),
  amount: decimal({ digits: 12, scale: 2 }),
  ref: integer(), late: flag(), score: number(), due: date(),
})
export const v0 = featureSet({ name: 'payments', of: payment }, { ma2: mean('score', { last: 2, round: 3 }) })
`
const next = `export const v1 = v0.add({ n: count('score', { last: 3 }) })\n`
const defaults = { sources: { payment: { file: 'payments.csv' } } }
const spanish = { file: 'payments.csv', delimiter: ';', null: ['', 'NULL'], dates: 'DD/MM/YYYY', timestamps: 'DD/MM/YYYY hh:mm:ss' }

function folderWith(files: Readonly<Record<string, string | Uint8Array>>, config: object = defaults): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'definitions.ts'), definitions)
  writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'definitions.ts', ...config }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

async function applied(files: Readonly<Record<string, string | Uint8Array>>, config?: object): Promise<string> {
  const folder = folderWith(files, config)
  await done(folder, `apply payments@0 --yes ${own}`)
  return folder
}

const rowsIn = (folder: string, columns = 'account, paid_at, amount, ref, late, score, due, ma2'): Promise<Printed> =>
  json(folder, `query 'select _seq, ${columns} from payments order by _seq' ${own}`)
const caughtUp = (folder: string) => done(folder, `up --until-caught-up ${own}`)
const refusal = async (folder: string, words: string) => {
  const { code, err } = await tidemark(folder, `${words} ${own}`)
  expect(err.trimEnd().split('\n')).toHaveLength(1)
  return { code, says: err.trim() }
}
const refused = (says: string | RegExp, code = 1) => ({
  code,
  says: typeof says === 'string' ? expect.stringContaining(says) : expect.stringMatching(says),
})

const header = 'account,Paid at,amount,ref,late,score,due\n'
/** A payment a day, the account its number. */
const line = (n: number) => `${n},2020-01-01T00:00:${String(n % 60).padStart(2, '0')}Z,${n}.25,${n},${n % 2 === 0},${n},2020-01-01\n`
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => line(from + i)).join('')
const accounts = async (folder: string) =>
  ((await rowsIn(folder, 'account')) as Printed[]).map(({ _seq, account }) => [_seq, Number(account)])
const upTo = (n: number) => Array.from({ length: n }, (_, i) => [i + 1, i + 1])

describe('a file of its own making', { timeout: limitMs }, () => {
  it('is taken to the last digit by names of columns, delimiter, words for null and forms that its source has in the config', async () => {
    const file = [
      'late;what else;ref;Paid at;amount;account;score;due',
      'yes;"a;b";9223372036854775807;01/02/2020 10:20:30.123456;9999999999.99;A;1.5;31/12/2019',
      'N;;-9223372036854775808;2020-02-02T10:20+02:00;-0.5;"B ""x""";2;2019-01-01',
      'NULL;é;NULL;2020-02-03 10:20:00Z;NULL;A;NULL;NULL',
      'x;;1;2020-02-03 10:20:00Z;1;A;1;',
      'true;;1;2020-02-03 10:20:00Z;1.234;A;1;',
      'true;;1;31/12/1900 10:20:00;1;A;1;',
      'true;;1;;1;A;1;',
      'true;;1;2020-02-03 10:20:00Z;1;A name that is too long;1;',
    ].join('\n')
    const folder = await applied({ 'payments.csv': file }, { sources: { payment: spanish } })
    expect(await json(folder, `produce ${own}`)).toMatchObject({
      rows: 3,
      alreadyHeld: 0,
      rejected: 5,
      rejectedBefore: 0,
      notChosen: 0,
      read: 8,
    })
    expect(
      readFileSync(rejectsPath(folder, 'inflow.payment'), 'utf8')
        .split('\n')
        .slice(1, 6)
        .map((entry) => entry.split(',').slice(0, 3).join()),
    ).toEqual(['4,5,late', '5,6,amount', '6,7,Paid at', '7,8,Paid at', '8,9,account'])
    await caughtUp(folder)
    const rows = [
      { _seq: 1, account: 'A', ref: '9223372036854775807', late: true, score: 1.5, due: '2019-12-31', ma2: 1.5 },
      { _seq: 2, account: 'B "x"', ref: '-9223372036854775808', late: false, score: 2, due: '2019-01-01', ma2: 1.75 },
      { _seq: 3, account: 'A', ref: null, late: null, score: null, due: null, ma2: 2 },
    ]
    expect(await rowsIn(folder, 'account, ref, late, score, due, ma2')).toEqual(rows)
    expect(await done(folder, `verify payments@0 ${own}`)).toMatch(/equal$/)
    // The same as a batch, whose history is read again as it was written then.
    const batch = await applied({ 'payments.csv': file }, { sources: { payment: spanish } })
    expect(await json(batch, `backfill ${own}`)).toMatchObject({
      rows: 3,
      alreadyThere: 0,
      rejected: 5,
      rejectedBefore: 0,
      notChosen: 0,
      read: 8,
    })
    expect(await rowsIn(batch)).toEqual(await rowsIn(folder))
    writeFileSync(join(batch, 'own.json'), JSON.stringify({ features: 'definitions.ts', ...defaults }))
    writeFileSync(join(batch, 'definitions.ts'), definitions + next)
    await done(batch, `apply payments@1 --backfill --yes ${own}`)
    expect(((await rowsIn(batch, 'n')) as Printed[]).map(({ n }) => n)).toEqual([1, 2, 2])
    expect(await done(batch, `verify payments@1 ${own}`)).toMatch(/equal$/)
    // As it is written now it would be other rows.
    expect(await refusal(batch, 'backfill --delimiter ;')).toEqual(refused('payments.csv was read with {"delimiter":";"'))
  })

  it('has totals that add up, whatever was chosen, taken before or rejected, in files too', async () => {
    const folder = await applied({ 'payments.csv': `${header}${lines(1, 3)}bad\n${lines(4, 4).replace('2020', '2021')}` })
    const sum = ({ rows, alreadyHeld = 0, alreadyThere = 0, rejected, rejectedBefore, notChosen }: Printed) =>
      rows + alreadyHeld + alreadyThere + rejected + rejectedBefore + notChosen
    const runs: Printed[] = []
    for (const words of ['produce --years 2020', 'produce --years 2020', 'produce', 'backfill --out x', 'backfill --years 2021 --out y']) {
      runs.push(await json(folder, `${words} ${own}`))
    }
    expect(runs.map(({ rows, read }) => [rows, read])).toEqual([
      [3, 5],
      [0, 5],
      [1, 5],
      [4, 5],
      [1, 5],
    ])
    expect(runs.map(sum)).toEqual([5, 5, 5, 5, 5])
    expect(await done(folder, `backfill --years 2021 --out z ${own}`)).toMatch(
      /^wrote 1 rows of payments@0 to z \(1 file\); 4 of other years; 5 rows read$/,
    )
    await caughtUp(folder)
    expect(await accounts(folder)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [5, 4],
    ])
  })

  it('of a time before a field was added is read with nulls where it is history, and refused where it is new', async () => {
    const folder = await applied({ 'payments.csv': header + lines(1, 3) })
    await done(folder, `backfill ${own}`)
    const wider = `export const wider = record('payment', 'paid_at', { ...payment.fields, channel: text({ bytes: 9 }) })
      const features = { ma2: mean('score', { last: 2, round: 3 }), n: count('channel', { last: 9 }) }
      const over = featureSet({ name: 'payments', of: wider }, features)
      export const v1 = { ...over, definition: { ...over.definition, version: 1 } }`
    writeFileSync(join(folder, 'definitions.ts'), `${definitions}${wider}`)
    await done(folder, `apply payments@1 --backfill --yes ${own}`)
    expect(await rowsIn(folder, 'account, ma2, n, channel')).toEqual([
      { _seq: 1, account: '1', ma2: 1, n: 0, channel: null },
      { _seq: 2, account: '2', ma2: 1.5, n: 0, channel: null },
      { _seq: 3, account: '3', ma2: 2.5, n: 0, channel: null },
    ])
    expect(await done(folder, `verify payments@1 ${own}`)).toMatch(/equal$/)
    expect(await refusal(folder, 'produce')).toEqual(refused('payments.csv has no column "channel", which payment needs'))
  })
})

describe('standard input', { timeout: limitMs }, () => {
  const node = resolve('node_modules/.bin/node')
  const fed = (folder: string, input: string | Uint8Array, words: string) => {
    const { status, stdout, stderr } = spawnSync(node, [resolve('tidemark.js'), ...`${words} ${own}`.split(' ')], {
      cwd: folder,
      input,
      encoding: 'utf8',
    })
    return { code: status, out: stdout.trim(), err: stderr.trim() }
  }

  it('is produced when it has ended; one that begins with what was taken goes on, another one is refused', async () => {
    const folder = await applied({})
    expect(fed(folder, '', 'produce --file -')).toMatchObject({ code: 1, err: expect.stringContaining('standard input is empty') })
    expect(fed(folder, header + lines(1, 3), 'produce --file -').out).toBe('produced 3 records into inflow.payment; 3 rows read')
    expect(fed(folder, gzipSync(header + lines(1, 3)), 'produce --file -').err).toContain('rows so far came from standard input')
    expect(fed(folder, header + lines(1, 5), 'produce --file -').out).toBe(
      'produced 2 records into inflow.payment; 3 were there already; 5 rows read',
    )
    expect(fed(folder, header + lines(2, 6), 'produce --file -')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is another file'),
    })
    expect(fed(folder, header + lines(6, 7), 'produce --file - --continue').code).toBe(0)
    await caughtUp(folder)
    expect(await accounts(folder)).toEqual(upTo(7))
  })

  it('is no history that could be read again, but can become files', async () => {
    const folder = await applied({})
    expect(fed(folder, header + lines(1, 3), 'backfill --file -')).toMatchObject({
      code: 2,
      err: expect.stringContaining('standard input cannot be read again'),
    })
    expect(fed(folder, header + lines(1, 3), 'backfill --file - --out x').out).toMatch(/^wrote 3 rows/)
  })
})

/** Of the same payments, in another order of columns. */
async function parquetOf(path: string, from: number, to: number, codec = 'zstd'): Promise<void> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`COPY (SELECT [n] AS nested,
    CAST(n AS DOUBLE) AS score, '' || n AS account, n % 2 = 0 AS late, CAST(n AS BIGINT) AS ref,
    CAST(n + 0.25 AS DECIMAL(12, 2)) AS amount,
    TIMESTAMP '2020-01-01 00:00:00' + INTERVAL (n % 60) SECOND AS "Paid at", DATE '2020-01-01' AS due
    FROM range(${from}, ${to + 1}) t(n)) TO '${path}' (FORMAT parquet, CODEC '${codec}')`)
  connection.closeSync()
}

describe('several files', { timeout: limitMs }, () => {
  const config = { sources: { payment: { file: 'in' } } }
  const swapped = (from: number, to: number) =>
    `due,account,x,late,ref,amount,score,Paid at\n${lines(from, to)
      .trimEnd()
      .split('\n')
      .map((one) => {
        const [account, at, amount, ref, late, score, due] = one.split(',')
        return [due, account, 'x', late, ref, amount, score, at].join(',')
      })
      .join('\n')}`

  it('are one numbering in the order of their names, whatever each is and however its columns stand; what comes behind is taken, too', async () => {
    const folder = await applied({ 'in/a.csv': header + lines(1, 3), 'in/b.csv.gz': gzipSync(swapped(4, 6)), 'in/notes.md': 'x' }, config)
    await parquetOf(join(folder, 'in/c.parquet'), 7, 9)
    expect(await done(folder, `produce --file in/a.csv ${own}`)).toBe('produced 3 records into inflow.payment; 3 rows read')
    // What was one file is the first of a folder now.
    expect(await done(folder, `produce ${own}`)).toBe('produced 6 records into inflow.payment; 3 were there already; 9 rows read')
    expect(await done(folder, `produce --file 'in/*.{csv,csv.gz,parquet}' ${own}`)).toBe('nothing new; 9 were there already; 9 rows read')
    writeFileSync(join(folder, 'in/d.csv'), `${header + lines(10, 11)}bad\n`)
    expect(await done(folder, `produce ${own}`)).toMatch(
      /^produced 2 records into inflow\.payment; 9 were there already; 1 line rejected, .*; 12 rows read$/,
    )
    expect(readFileSync(rejectsPath(folder, 'inflow.payment'), 'utf8').split('\n')[1]).toMatch(
      /^12,in\/d\.csv:4,Paid at,1 cell where 7 are expected,bad$/,
    )
    appendFileSync(join(folder, 'in/d.csv'), lines(13, 13))
    expect(await json(folder, `produce ${own}`)).toMatchObject({ rows: 1, alreadyHeld: 11, rejectedBefore: 1, read: 13 })
    await caughtUp(folder)
    expect(await accounts(folder)).toEqual([...upTo(11), [13, 13]])
    expect((await rowsIn(folder)).map((row: Printed) => ({ ...row, _seq: 0, ma2: 0 }))).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13].map((n) => ({
        _seq: 0,
        account: `${n}`,
        paid_at: expect.stringMatching(new RegExp(`^2020-01-01.00:00:${String(n).padStart(2, '0')}`)),
        amount: expect.anything(),
        ref: n,
        late: n % 2 === 0,
        score: n,
        due: '2020-01-01',
        ma2: 0,
      })),
    )
    writeFileSync(join(folder, 'in/aa.csv'), header + lines(20, 21))
    expect(await refusal(folder, 'produce')).toEqual(
      refused('aa.csv has come into in since rows of in were taken, and its name comes before d.csv. Give it a name that comes behind;'),
    )
    renameSync(join(folder, 'in/aa.csv'), join(folder, 'in/e.csv'))
    expect(await json(folder, `produce ${own}`)).toMatchObject({ rows: 2 })
  })

  it('are history as they were, and are found where the config says that they lie now', async () => {
    const folder = await applied({ 'in/a.csv': header + lines(1, 3), 'in/b.csv': swapped(4, 6) }, config)
    expect(await json(folder, `backfill ${own}`)).toMatchObject({ rows: 6, read: 6 })
    appendFileSync(join(folder, 'in/b.csv'), `\n${swapped(7, 7).split('\n')[1]}`)
    await parquetOf(join(folder, 'in/c.parquet'), 8, 9, 'snappy')
    expect(await json(folder, `backfill ${own}`)).toMatchObject({ rows: 3, alreadyThere: 6, read: 9 })
    renameSync(join(folder, 'in'), join(folder, 'moved'))
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'definitions.ts', sources: { payment: { file: 'moved' } } }))
    writeFileSync(join(folder, 'definitions.ts'), definitions + next)
    await done(folder, `apply payments@1 --backfill --yes ${own}`)
    expect(await done(folder, `verify payments@1 ${own}`)).toMatch(/equal$/)
    expect(await accounts(folder)).toEqual(upTo(9))
    expect((await json(folder, `doctor ${own}`)).checks.find(({ check }: Printed) => check === 'source file')).toMatchObject({
      state: 'ok',
    })
  })

  it('that grow while produce is killed again and again give every row once', async () => {
    const folder = await applied({ 'in/a.csv': header }, config)
    let rows = 0
    let files = 0
    for (let round = 0; round < 12; round++) {
      const more = 2000 + Math.floor(chance() * 3000)
      if (round % 4 === 3) writeFileSync(join(folder, `in/${'bcdefg'[files++]!}.csv`), header + lines(rows + 1, rows + more))
      else appendFileSync(join(folder, `in/${'abcdefg'[files]!}.csv`), lines(rows + 1, rows + more))
      rows += more
      const one = start(folder, `produce --rate 20000 ${own}`)
      await new Promise((next) => setTimeout(next, 300 + chance() * 900))
      one.signal('SIGKILL')
      await one.ended
    }
    await done(folder, `produce ${own}`)
    await caughtUp(folder)
    expect(await accounts(folder)).toEqual(upTo(rows))
    expect((await json(folder, `status ${own}`)).sets[0]).toMatchObject({ duplicates: 0, dead: 0 })
  })
})

describe('Parquet', { timeout: limitMs }, () => {
  it('of our own is read to the last digit, nulls, empty texts and quotes too', async () => {
    const folder = await applied({
      'payments.csv':
        header +
        '"a ""b"",\nc",0001-01-01T00:00:00Z,1,1,1,1,\n'.replace('0001', '1901') +
        ',2020-01-01T00:00Z,,,,,\n' +
        'é,9999-12-31T23:59:59.999999Z,-9999999999.99,-9223372036854775808,t,1e300,9999-12-31\n' +
        'z,2020-01-01T00:00:00.000001Z,0.01,9007199254740993,f,-0.1,0001-01-01\n',
    })
    await done(folder, `backfill --out rows ${own}`)
    await done(folder, `backfill ${own}`)
    const again = await applied({}, { sources: { payment: { file: join(folder, 'rows') } } })
    const asWritten = readFileSync(join(folder, 'definitions.ts'), 'utf8').replace(", from: 'Paid at'", '')
    writeFileSync(join(again, 'definitions.ts'), asWritten)
    const other = freshFolder()
    writeFileSync(join(other, 'definitions.ts'), asWritten)
    writeFileSync(
      join(other, 'own.json'),
      JSON.stringify({ features: 'definitions.ts', sources: { payment: { file: join(folder, 'rows') } } }),
    )
    await done(other, `apply payments@0 --yes ${own}`)
    expect(await json(other, `backfill ${own}`)).toMatchObject({ rows: 3, read: 3 })
    const given: Printed[] = await rowsIn(folder)
    expect(await rowsIn(other)).toEqual(given.map((row, i) => ({ ...row, _seq: i + 1 })))
  })
})

describe('what cannot be meant', { timeout: limitMs }, () => {
  let folder: string
  beforeAll(async () => {
    folder = await applied({
      'empty.csv': '',
      'header.csv': header,
      'other.csv': 'a,b\n1,2\n',
      'semicolons.csv': header.replaceAll(',', ';'),
      'twice.csv': header.replace('due', 'due,due'),
      'nothing/x.md': 'x',
      'partly/a.csv': header + lines(1, 2),
      'partly/b.csv': '',
      'payments.csv': header + lines(1, 2),
    })
    await parquetOf(join(folder, 'whole.parquet'), 1, 3, 'lz4_raw')
    await parquetOf(join(folder, 'cut.parquet'), 1, 3)
    writeFileSync(join(folder, 'cut.parquet'), readFileSync(join(folder, 'cut.parquet')).subarray(0, -9))
  }, limitMs)

  const mistakes: readonly (readonly [words: string, says: string | RegExp, code?: number])[] = [
    ['produce --file empty.csv', 'empty.csv is empty. It needs at least a header: account,Paid at,'],
    ['produce --file header.csv', 'header.csv has no row. Check that it is the right file'],
    ['produce --file header.csv --years 2020', 'header.csv has no row of 2020. Choose years that it has.'],
    [
      'produce --file other.csv',
      'other.csv has no columns "account", "Paid at", "amount", "ref", "late", "score" and 1 more, which payment needs. It has "a", "b".',
    ],
    [
      'produce --file semicolons.csv',
      'Its header is one column, "account;Paid at;amount;ref;late;score;due": perhaps its delimiter is ";"',
    ],
    ['produce --file twice.csv', 'twice.csv has two columns "due", and payment needs one'],
    ['produce --file nothing', 'the folder nothing holds no file to read. Its files are read whose names end in csv, tsv,'],
    ['produce --file nothing/*.csv', 'no file matches nothing/*.csv. Check the pattern;'],
    ['produce --file partly', 'partly/b.csv is empty'],
    ['produce --file gone', 'there is no file gone'],
    ['produce --file cut.parquet', /cut\.parquet is damaged or cut short: it cannot be read as Parquet \(.*\)\. Fetch it again\.$/],
    ['produce --file whole.parquet', 'whole.parquet is compressed by LZ4_RAW, which is not read here. Write it with one of SNAPPY,'],
    ['produce --delimiter ab', '"ab" is no delimiter. Give one character', 2],
    ['backfill --file -', 'standard input cannot be read again', 2],
  ]
  it.each(mistakes.map((one) => [one[0], one] as const))('%s is refused in one line', async (_, [words, says, code = 1]) => {
    expect(await refusal(folder, words)).toEqual(refused(says, code))
  })

  const configs: readonly (readonly [source: object, says: string, code?: number])[] = [
    [{ delimiter: ';;' }, 'own.json: sources.payment: ";;" is no delimiter.', 2],
    [{ dates: 'D.M.Y' }, 'own.json: sources.payment: "D.M.Y" is no form of dates. Use one of DD/MM/YYYY,', 2],
    [{ timestamps: 'unix' }, 'own.json: sources.payment: "unix" is no form of timestamps.', 2],
    [{ null: ['0'] }, '"0" is given as a word for null, but amount (decimal) can have it as a value.', 2],
    [{ delimeter: ';' }, 'own.json has an unknown key sources.payment.delimeter', 2],
  ]
  it.each(configs.map((one) => [one[0], one] as const))('a source with %j is refused in one line', async (_, [source, says, code]) => {
    const one = folderWith({ 'payments.csv': header }, { sources: { payment: { file: 'payments.csv', ...source } } })
    expect(await refusal(one, 'produce')).toEqual(refused(says, code))
  })

  it('a record without a file among several is told how to name one', async () => {
    const several = folderWith({}, {})
    writeFileSync(
      join(several, 'definitions.ts'),
      `${definitions}
      export const click = record('click', 'at', { at: date({ nullable: false }), n: number() })
      export const c0 = featureSet({ name: 'clicks', of: click }, { m: mean('n', { last: 2 }) })`,
    )
    expect(await refusal(several, 'produce --record click')).toEqual(
      refused('no file is named for click. Add "sources": { "click": { "file": … } } to the config', 2),
    )
  })
})
