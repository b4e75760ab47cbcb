/** The loan story from the first batch to the third version, told through the command line and compared with the oracle row by row. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { deflateSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadHeld, saveHeld } from '../streams/held.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { streamOf } from '../streams/stream.ts'
import { done, freshFolder, json, rejectsPath, start, tidemark, until, warehouseOf } from './cli-run.ts'
import { endOf } from './contracts/messages.ts'
import { generated, limitMs, tellStory, withPorts } from './loan-folders.ts'
import { columnsOf, differences, readRows, rejectsIn, rejectsOf, storyDifferences, viewColumns } from './oracle/compare.ts'
import { readLoanFile, type LoanFile } from './oracle/loan-file.ts'
import { lastOf, onlyV0, rowsOf, storyOf, type Owner } from './oracle/loan-story.ts'

const fixture = (name: string) => resolve('test/fixtures', name)
const tricky = fixture('tricky.csv')
const loansOf = (file: string): LoanFile => readLoanFile(readFileSync(file))

const expectRows = (folder: string, { loans }: LoanFile, owners: readonly Owner[]) =>
  expect(storyDifferences(warehouseOf(folder), loans, owners)).toEqual([])

const expectVerified = (folder: string, ...versions: readonly string[]) =>
  Promise.all(versions.map(async (version) => expect(await tidemark(folder, `verify ${version}`)).toMatchObject({ code: 0, err: '' })))

/** With the switches as the product reports them. */
async function reportedStory(folder: string): Promise<readonly Owner[]> {
  const { versions, unfinished } = await json(folder, 'versions loan_risk')
  expect(unfinished).toEqual([])
  return storyOf(versions[1].switchedAfter, versions[2].switchedAfter)
}

describe('the fixtures', () => {
  it('are the files that the tests were written for', () => {
    const sums = readFileSync(fixture('SHA256SUMS'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/) as [string, string])
    expect(sums.map(([, name]) => name)).toEqual(['loans-slice.csv.gz', 'tricky.csv'])
    for (const [sum, name] of sums)
      expect(
        `${createHash('sha256')
          .update(readFileSync(fixture(name)))
          .digest('hex')} ${name}`,
      ).toBe(`${sum} ${name}`)
  })
})

/** Tells the story of a file once and says what must be so afterwards. */
function telling(open: () => Promise<string>) {
  const folder = freshFolder()
  const told = { file: { loans: [], rejects: [] } as LoanFile, story: [] as readonly Owner[] }

  beforeAll(async () => {
    const path = await open()
    told.file = loansOf(path)
    told.story = storyOf(lastOf(told.file.loans, 2008), lastOf(told.file.loans, 2010))
    await tellStory(folder, path)
  }, limitMs)

  it('gives every version, and the view over them, exactly the rows of the oracle', () => {
    const { file, story } = told
    expectRows(folder, file, story)
    const of2007 = rowsOf(file.loans, { ...onlyV0[0]!, until: lastOf(file.loans, 2007) })
    expect(of2007.length).toBeGreaterThan(0)
    for (const view of ['loan_risk_2007', 'loan_risk_2007_v0']) expect(differences(warehouseOf(folder), view, of2007)).toEqual([])
  })

  it('shows the columns in the original order, later features behind them', () => {
    const shown = (view: string) => columnsOf(warehouseOf(folder), view)
    for (const view of ['loan_risk', 'loan_risk_v1', 'loan_risk_v2']) expect(shown(view)).toEqual(viewColumns('ma50', 'ma100'))
    expect(shown('loan_risk_v0')).toEqual(viewColumns('ma50'))
    expect(shown('loan_risk_2007')).toEqual(viewColumns('riskscorema50'))
  })

  it('reports the switches where the years end', async () => expect(await reportedStory(folder)).toEqual(told.story))

  it('keeps every line that cannot be read, once, with its number and column', () => {
    for (const set of ['loan_risk', 'loan_risk_2007']) expect(rejectsIn(rejectsPath(folder, set))).toEqual(rejectsOf(told.file, 2007, 2007))
    expect(rejectsIn(rejectsPath(folder, 'inflow'))).toEqual(rejectsOf(told.file, 2008, 2012))
  })

  it(
    'proves every version equal to a replay',
    () => expectVerified(folder, 'loan_risk@0', 'loan_risk@1', 'loan_risk@2', 'loan_risk_2007@0'),
    limitMs,
  )
  return folder
}

describe('the story of a slice of generated loans', () => {
  telling(async () => fixture('loans-slice.csv.gz'))
})

describe('the story of 20,000 generated loans', () => {
  telling(() => generated(20_000))
})

describe('the story of tricky.csv', () => {
  const folder = telling(async () => tricky)
  const file = loansOf(tricky)
  const story = storyOf(lastOf(file.loans, 2008), lastOf(file.loans, 2010))

  it(
    'adds nothing when the same years are produced or backfilled again',
    async () => {
      const before = await json(folder, 'status')
      for (const years of ['2008', '2008-2012', '2011-2012'])
        expect(await json(folder, `produce --years ${years} --file ${tricky}`)).toMatchObject({ rows: 0, rejected: 0 })
      const of2007 = file.loans.filter(({ year }) => year === 2007).length
      expect(await json(folder, `backfill --years 2007 --file ${tricky}`)).toMatchObject({ rows: 0, rejected: 0, alreadyThere: of2007 })
      expect(await done(folder, `backfill --years 2007 --features loan_risk_2007 --file ${tricky}`)).toContain('nothing new')
      await done(folder, 'up --until-caught-up')
      expect(await json(folder, 'status')).toEqual(before)
      expectRows(folder, file, story)
      expect(rejectsIn(rejectsPath(folder, 'inflow'))).toEqual(rejectsOf(file, 2008, 2012))
    },
    limitMs,
  )

  it(
    'is proved false by a value or a row that somebody changed, which is named',
    async () => {
      const [changed, gone] = [lastOf(file.loans, 2008) + 1, lastOf(file.loans, 2008) + 2]
      const rows = 'loan_risk_rows WHERE _version = 1 AND _seq'
      const db = new DatabaseSync(warehouseOf(folder))
      try {
        db.exec(`CREATE TEMP TABLE saved AS SELECT * FROM ${rows} IN (${changed}, ${gone})`)
        db.exec(`UPDATE ${rows.replace('WHERE', `SET ma100 = ma100 + 0.001, loan_title = 'x' WHERE`)} = ${changed}`)
        const altered = await tidemark(folder, 'verify loan_risk@1 --json')
        expect(altered.code).toBe(1)
        expect(JSON.parse(altered.out)).toMatchObject({
          equal: false,
          differences: 2,
          first: [
            { seq: changed, column: 'loan_title', found: '"x"' },
            { seq: changed, column: 'ma100' },
          ],
        })

        db.exec(`DELETE FROM ${rows} = ${gone}`)
        const deleted = await tidemark(folder, 'verify loan_risk@1')
        expect(deleted.code).toBe(1)
        expect(deleted.out).toMatch(new RegExp(`^loan_risk@1: 3 differences.*\\n[^]*\\n *${gone} +row +a row +no row$`, 'm'))
        expect(deleted.err.trim().split('\n')).toHaveLength(1)

        db.exec(`DELETE FROM ${rows} = ${changed}; INSERT INTO loan_risk_rows SELECT * FROM saved`)
      } finally {
        db.close()
      }
      await expectVerified(folder, 'loan_risk@1')
    },
    limitMs,
  )

  it(
    'answers queries as a table, as CSV and as JSON, without losing a digit',
    async () => {
      const sql = `'SELECT _seq, loan_title, zip_code, ma50 FROM loan_risk WHERE _seq BETWEEN 4 AND 8 AND _seq <> 7 ORDER BY _seq'`
      expect(await done(folder, `query ${sql} --format csv`)).toBe(
        [
          '_seq,loan_title,zip_code,ma50',
          '4,"Car, boat, and ""other"" things",010xx,698',
          '5,"two\nlines",212xx,703.667',
          '6,"three\r\nlines\r\nof CRLF",209xx,702.25',
          '8,,,663.6',
        ].join('\n'),
      )
      expect(JSON.parse(await done(folder, `query ${sql} --format json`)).at(-1)).toEqual({
        _seq: 8,
        loan_title: null,
        zip_code: null,
        ma50: 663.6,
      })
      expect(await done(folder, `query ${sql}`)).toMatch(/^_seq +loan_title +zip_code +ma50\n─+[^]*\n +8 +null +null +663\.6$/)
      // Nanoseconds do not fit into a double: text in JSON, all digits everywhere.
      const [row] = JSON.parse(
        await done(
          folder,
          `query 'SELECT _modified_ts, 9007199254740991 AS fits, 9007199254740993 AS large FROM loan_risk LIMIT 1' --format json`,
        ),
      )
      expect(row).toEqual({ _modified_ts: expect.stringMatching(/^\d{19}$/), fits: 9007199254740991, large: '9007199254740993' })
      expect(await done(folder, `query 'SELECT 9007199254740993 AS large' --format csv`)).toBe('large\n9007199254740993')
    },
    limitMs,
  )
})

describe('a version applied cold', () => {
  it.each([
    { scores: [0, 611, 502], ma100: [0, 305.5, 371] },
    { scores: [0, 614, 579], ma100: [0, 307, 397.667] },
  ])(
    'starts from nothing: scores $scores give $ma100',
    async ({ scores, ma100 }) => {
      const folder = freshFolder()
      const rows = [['2008-12-30', 650], ['2008-12-31', 750], ...scores.map((score) => ['2009-01-01', score])]
      const header =
        'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code'
      writeFileSync(
        join(folder, 'loans.csv'),
        [header, ...rows.map(([day, score]) => `1000,${day},car,${score},10%,481xx,NM,4 years,0`)].join('\n'),
      )
      await done(folder, 'backfill --years 2008 --file loans.csv')
      await done(folder, 'apply loan_risk@1 --cold --yes')
      await done(folder, 'produce --years 2009 --file loans.csv')
      await done(folder, 'up --until-caught-up')
      expect(readRows(warehouseOf(folder), 'SELECT ma100 FROM loan_risk_v1 ORDER BY _seq')).toEqual(ma100.map((value) => [value]))
      // What v1 takes over from v0 goes on as if nothing had happened.
      const mean = (...values: number[]) => Math.round((1000 * values.reduce((sum, one) => sum + one)) / values.length) / 1000
      expect(readRows(warehouseOf(folder), 'SELECT ma50 FROM loan_risk_v1 ORDER BY _seq')).toEqual(
        scores.map((_, i) => [mean(650, 750, ...scores.slice(0, i + 1))]),
      )
    },
    limitMs,
  )
})

describe('a running consumer', () => {
  it(
    'goes from version to version without a restart, and readers see every record once',
    async () => {
      const [folder, path] = [freshFolder(), await generated(20_000)]
      const file = loansOf(path)
      const lastSeq = file.loans.at(-1)!.seq
      await done(folder, 'apply loan_risk@0 --yes')
      await done(folder, `backfill --years 2007 --file ${path}`)
      const up = start(folder, 'up')
      let latest = 0
      const shown = (atLeast: number) =>
        until(() => {
          if (up.hasEnded()) throw new Error(`up has ended: ${up.err()}`)
          const [[rows, records]] = readRows(warehouseOf(folder), 'SELECT count(*), count(DISTINCT _seq) FROM loan_risk') as [
            [number, number],
          ]
          expect(rows).toBe(records)
          expect(rows).toBeGreaterThanOrEqual(latest)
          latest = rows
          return rows >= atLeast
        }, 50)

      const until2009 = start(folder, `produce --years 2008-2009 --rate 1000 --file ${path}`)
      await shown(500)
      await done(folder, 'apply loan_risk@1 --cold --yes')
      expect(await until2009.ended).toMatchObject({ code: 0 })
      const until2011 = start(folder, `produce --years 2010-2011 --rate 4000 --file ${path}`)
      await shown(lastOf(file.loans, 2009) + 1000)
      await done(folder, 'apply loan_risk@2 --forward-only --yes')
      for (const second of ['consume', 'sink']) {
        const { code, err } = await tidemark(folder, second)
        expect(code).toBe(1)
        expect(err).toMatch(new RegExp(`^tidemark: ${second} is held by process ${up.pid} on .* since .*: tidemark up\\. .*\n$`))
      }
      const [{ n }] = JSON.parse(await done(folder, `query 'SELECT count(*) AS n FROM loan_risk' --format json`))
      expect(n).toBeGreaterThanOrEqual(latest)
      expect(await until2011.ended).toMatchObject({ code: 0 })
      await done(folder, `produce --years 2012 --file ${path}`)
      await shown(file.loans.length)
      up.signal('SIGINT')
      expect(await up.ended).toMatchObject({ code: 0, out: expect.stringMatching(/^computed 19 \d{3} records/) })

      const story = await reportedStory(folder)
      expect(story[0]!.until).toBeGreaterThanOrEqual(500)
      expect(story[1]!.until).toBeGreaterThan(story[0]!.until)
      expect(story[1]!.until).toBeLessThan(lastSeq)
      expectRows(folder, file, story)
      await expectVerified(folder, 'loan_risk@0', 'loan_risk@1', 'loan_risk@2')
    },
    limitMs,
  )

  it(
    'is not needed for apply: what was produced before the first one is computed after it',
    async () => {
      const folder = freshFolder()
      await done(folder, `produce --years 2007-2012 --file ${tricky}`)
      const early = 'tidemark: no feature set is applied, so there is nothing to compute. Run first: tidemark apply loan_risk@0\n'
      expect(await tidemark(folder, 'consume')).toMatchObject({ code: 1, err: early })
      await done(folder, 'apply loan_risk@0 --yes')
      await done(folder, 'up --until-caught-up')
      expectRows(folder, loansOf(tricky), onlyV0)
    },
    limitMs,
  )
})

describe('Ctrl-C', () => {
  const interrupt = async (folder: string, words: string, when: () => Promise<boolean>) => {
    const one = start(folder, words)
    await until(async () => one.hasEnded() || (await when()), 2)
    one.signal('SIGINT')
    return one.ended
  }
  let path: string
  let file: LoanFile
  beforeAll(async () => {
    path = await generated(20_000)
    file = loansOf(path)
  }, limitMs)

  it(
    'ends produce, consume, sink and up with their batch saved and exit 0, and the next start goes on from there',
    async () => {
      const folder = freshFolder()
      await done(folder, `backfill --years 2007-2011 --file ${path}`)
      await withPorts(folder, async ({ log, warehouse }) => {
        const end = (topic: string) => endOf(log, topic)
        const sunk = async () => (await warehouse.progress('sink/outflow/0')) ?? 0
        const produce = `produce --years 2012 --file ${path}`
        expect(await interrupt(folder, `${produce} --rate 2000`, async () => (await end('inflow')) > 500)).toMatchObject({
          code: 0,
          out: expect.stringContaining('interrupted: run it again'),
        })
        const sent = await end('inflow')
        await done(folder, produce)
        expect(await end('inflow')).toBe(file.loans.filter(({ year }) => year === 2012).length)
        expect(sent).toBeLessThan(await end('inflow'))

        const stopped = { code: 0, out: expect.stringContaining('stopped; the next start goes on from here') }
        // What the backfill has told of it is there already.
        const told = await end('outflow')
        expect(await interrupt(folder, 'consume', async () => (await end('outflow')) > told)).toMatchObject(stopped)
        await done(folder, 'consume --until-caught-up')
        expect(await interrupt(folder, 'sink', async () => (await sunk()) > told)).toMatchObject(stopped)
        expect(await interrupt(folder, 'up', async () => (await sunk()) === (await end('outflow')))).toMatchObject({ code: 0 })
      })
      expectRows(folder, file, onlyV0)
      await expectVerified(folder, 'loan_risk@0')
    },
    limitMs,
  )

  it(
    'ends backfill between two batches, exit 0: the consumer waits until the same command has finished it',
    async () => {
      const backfill = `backfill --years 2007-2011 --file ${path}`
      const isHeld = (folder: string) =>
        withPorts(folder, async ({ checkpoints }) =>
          Buffer.from((await checkpoints.load('position/loan_risk/0')).get('')!).includes('"kind":"backfill","by"'),
        )
      let folder = ''
      for (let attempt = 1; attempt <= 20 && (folder === '' || !(await isHeld(folder))); attempt++) {
        folder = freshFolder()
        await done(folder, 'apply loan_risk@0 --yes')
        // It may be done before the signal comes: then once more.
        expect(await interrupt(folder, backfill, () => isHeld(folder))).toMatchObject({ code: 0 })
      }
      expect(await tidemark(folder, 'consume --until-caught-up')).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^tidemark: a backfill of 2007-2011 .* has not finished\. .*\n$/),
      })
      await done(folder, backfill)
      await done(folder, 'consume --until-caught-up')
      expectRows(folder, { ...file, loans: file.loans.filter(({ year }) => year <= 2011) }, onlyV0)
    },
    limitMs,
  )
})

describe('what comes into inflow twice, or is no record', () => {
  it(
    'is skipped or kept aside and counted, and never stops the consumer',
    async () => {
      const [folder, file] = [freshFolder(), loansOf(tricky)]
      await done(folder, 'apply loan_risk@0 --yes')
      await done(folder, `produce --years 2007 --file ${tricky}`)
      await done(folder, 'consume --until-caught-up')
      await done(folder, `produce --years 2008 --file ${tricky}`)
      const loans = file.loans.filter(({ year }) => year <= 2008)
      const added = { ...loans.at(-1)!, seq: loans.at(-1)!.seq + 1 }

      await withPorts(folder, async ({ log, checkpoints }) => {
        const messages: Buffer[] = []
        for await (const { batch } of log.read('inflow', { partition: 0, from: 0 })) {
          batch.ends.forEach((to, i) => messages.push(Buffer.from(batch.bytes.subarray(batch.ends[i - 1] ?? 0, to))))
        }
        const last = messages.at(-1)!
        // The position is the first field: a zigzag number of one byte up to 63.
        expect([last[18], added.seq < 64]).toEqual([2 * (added.seq - 1), true])
        const packed = Buffer.concat([
          Uint8Array.of(3, 5),
          last.subarray(2, 18),
          deflateSync(Buffer.concat([Uint8Array.of(2 * added.seq), last.subarray(19)])),
        ])
        const unknownId = Buffer.concat([last.subarray(0, 2), Buffer.alloc(16, 0xab), last.subarray(18)])
        const dead = [Buffer.from('{"no": "record"}'), last.subarray(0, 25), unknownId, Buffer.alloc(0)]
        const append = [messages.slice(0, 5), [dead[0]!, last, dead[1]!], [packed, dead[2]!, packed, dead[3]!]].map((batch) => {
          let end = 0
          return {
            topic: 'inflow',
            partition: 0,
            batch: { bytes: Buffer.concat(batch), ends: Uint32Array.from(batch, ({ length }) => (end += length)) },
          }
        })
        const writer = await log.writer('test')
        // Whoever writes records of his own says so, as produce does.
        const stream = streamOf(rejectedLoan)
        const held = await loadHeld(checkpoints, stream)
        const offsets = await writer.commit({
          append,
          save: [saveHeld(stream, [...held.slice(0, -1), { ...held.at(-1)!, lastSeq: added.seq }])],
        })
        await writer.close()

        expect(await json(folder, 'up --until-caught-up')).toMatchObject({ duplicates: 7, dead: 4 })
        expect((await json(folder, 'status')).sets[0]).toMatchObject({ duplicates: 7, dead: 4, lag: 0, position: added.seq })
        const letters: DeadLetter[] = []
        for await (const { batch } of log.read('inflow.dead', { partition: 0, from: 0 })) {
          batch.ends.forEach((to, i) => letters.push(readDeadLetter(Buffer.from(batch.bytes.subarray(batch.ends[i - 1] ?? 0, to)))))
        }
        expect(letters).toEqual([
          { partition: 0, offset: offsets[1]!, reason: expect.stringContaining('shorter than the header'), value: dead[0]! },
          { partition: 0, offset: offsets[1]! + 2, reason: expect.stringMatching(/\w/), value: dead[1]! },
          {
            partition: 0,
            offset: offsets[2]! + 1,
            reason: expect.stringContaining('abababab-abab-abab-abab-abababababab is not in the registry'),
            value: dead[2]!,
          },
          { partition: 0, offset: offsets[2]! + 3, reason: expect.stringContaining('shorter than the header'), value: dead[3]! },
        ])
      })
      expectRows(folder, { ...file, loans: [...loans, added] }, onlyV0)
      await expectVerified(folder, 'loan_risk@0')
      expect(await json(folder, 'up --until-caught-up')).toMatchObject({ rows: 0, duplicates: 0, dead: 0 })
    },
    limitMs,
  )
})

type DeadLetter = { readonly partition: number; readonly offset: number; readonly reason: string; readonly value: Buffer }

/** Frame, then Avro by hand: two numbers, a text, bytes. */
function readDeadLetter(message: Buffer): DeadLetter {
  let at = 18
  const number = () => {
    let value = 0
    for (let unit = 1; ; unit *= 128) {
      const byte = message[at++]!
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value / 2
    }
  }
  const bytes = () => {
    const length = number()
    return message.subarray(at, (at += length))
  }
  return { partition: number(), offset: number(), reason: bytes().toString(), value: bytes() }
}

describe('the file behind inflow', () => {
  it(
    'is told from another one, which is refused by name or continues the numbering',
    async () => {
      const [folder, first, second] = [freshFolder(), loansOf(tricky), loansOf(fixture('loans-slice.csv.gz'))]
      await done(folder, 'apply loan_risk@0 --yes')
      await done(folder, `produce --years 2007-2008 --file ${tricky}`)
      const other = `produce --years 2009 --file ${fixture('loans-slice.csv.gz')}`
      const another = /^tidemark: rows so far came from tricky\.csv \(.*and loans-slice\.csv\.gz .* is another file\. .*--continue.*\n$/
      expect(await tidemark(folder, other)).toMatchObject({ code: 1, err: expect.stringMatching(another) })
      await done(folder, `${other} --continue`)
      expect(await json(folder, other)).toMatchObject({ rows: 0 })
      const behindIt = /^tidemark: row 50 of 2009 lies behind row \d+, which inflow holds already\. .*\n$/
      expect(await tidemark(folder, `produce --years 2009 --file ${tricky}`)).toMatchObject({
        code: 1,
        err: expect.stringMatching(behindIt),
      })
      await done(folder, 'up --until-caught-up')
      const before = first.loans.filter(({ year }) => year <= 2008)
      const base = (await json(folder, 'status')).inflow[1].base
      expect(base).toBeGreaterThanOrEqual(before.at(-1)!.seq)
      const behind = second.loans.filter(({ year }) => year === 2009).map((loan) => ({ ...loan, seq: loan.seq + base }))
      expectRows(folder, { ...first, loans: [...before, ...behind] }, onlyV0)
      await expectVerified(folder, 'loan_risk@0')
    },
    limitMs,
  )

  it(
    'cannot be produced backwards, nor past a bad line with --strict',
    async () => {
      const folder = freshFolder()
      const strict = await tidemark(folder, `produce --years 2010 --strict --file ${tricky}`)
      const todo = 'Correct the line, or leave out --strict to put such lines into the rejects file and go on.'
      expect(strict).toMatchObject({ code: 1, err: `tidemark: ${tricky}:68: 10: 10 cells where 9 are expected. ${todo}\n` })
      expect(rejectsIn(rejectsPath(folder, 'inflow'))).toEqual([])
      await done(folder, `produce --years 2009 --file ${tricky}`)
      const held = (await json(folder, 'status')).inflow
      const back = await tidemark(folder, `produce --years 2008 --file ${tricky}`)
      expect(back).toMatchObject({
        code: 1,
        err: expect.stringMatching(
          /^tidemark: row 25 of 2008 lies behind row \d+, which inflow holds already\. A stream cannot go back: .*\n$/,
        ),
      })
      expect((await json(folder, 'status')).inflow).toEqual(held)
      expect(rejectsIn(rejectsPath(folder, 'inflow'))).toEqual([])
    },
    limitMs,
  )
})
