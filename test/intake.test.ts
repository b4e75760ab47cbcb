/**
 * What a file gives is taken once and dropped nowhere: whatever the order of the commands and of its rows, and whoever does what beside
 * whom.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loadPosition, loadPositions, savePosition, writerName } from '../streams/position.ts'
import { loadHeld } from '../streams/held.ts'
import { registerInflow } from '../streams/inflow.ts'
import { producerName, streamOf } from '../streams/stream.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { readCsv } from '../schemas/csv/read.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { done, freshFolder, json, tidemark, until } from './cli-run.ts'
import { backfilling, producing, putLoans, refusalOf, seqsOf, seqsShown, type Step } from './intake-steps.ts'
import { loansText } from './loans-text.ts'
import type { Save } from '../utilities/checkpoints.ts'
import { dumpOf, limitMs, withDefinitions, withPorts } from './loan-folders.ts'

const stream = streamOf(rejectedLoan)

/** v0 is applied; the file lies beside. */
async function applied(rows: readonly (number | string)[]): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = freshFolder()
  await done(folder, 'apply loan_risk@0 --yes')
  return { folder, file: putLoans(folder, rows) }
}

const holdIn = (folder: string) => withPorts(folder, async ({ checkpoints }) => (await loadPosition(checkpoints, 'loan_risk', 0)).hold)
const caughtUp = (folder: string) => json(folder, 'up --until-caught-up')

/** Everything that was taken is in the warehouse, once, and a replay of history gives the same. */
async function expectAll(folder: string, seqs: readonly number[]): Promise<void> {
  expect(await caughtUp(folder)).toMatchObject({ duplicates: 0, dead: 0 })
  expect(seqsShown(folder)).toEqual(seqs)
  expect(await done(folder, 'verify loan_risk@0')).toMatch(/equal$/)
}

/** A backfill that Ctrl-C stops behind its first batch. */
function half(folder: string, step: Omit<Step, 'signal' | 'report'>) {
  const stop = new AbortController()
  return backfilling(folder, { ...step, signal: stop.signal, report: () => stop.abort() })
}

const sorted = [2007, 2007, 2008, 2008, 2009, 2009, 2010, 2010]
const mixed = [2025, 2024, 2025, 2024, 2025]

describe('no order of commands drops a row', { timeout: limitMs }, () => {
  it('a backfill over records that wait in inflow is refused until they are taken', async () => {
    const { folder, file } = await applied(sorted)
    await producing(folder, { file, years: [2008, 2008] })
    const before = dumpOf(folder)
    const first =
      'row 5 of 2009 lies behind row 3, which waits in inflow and loan_risk has not taken yet. Features run over records in order. ' +
      'Have it taken first: tidemark consume --until-caught-up; then run this again.'
    expect(await refusalOf(backfilling(folder, { file, years: [2009, 2009] }))).toBe(first.replace('row 5', 'row 6'))
    expect(dumpOf(folder)).toEqual(before)
    // What lies before them may be taken, and what they are is left to the stream.
    expect(await backfilling(folder, { file, years: [2007, 2008] })).toMatchObject({ rows: 2, alreadyThere: 2, notChosen: 4 })
    await caughtUp(folder)
    await backfilling(folder, { file, years: [2009, 2010] })
    await expectAll(folder, seqsOf(sorted, 2007, 2010))
  })

  it('years that lie before those that a batch has taken cannot be produced', async () => {
    const { folder, file } = await applied(sorted)
    for (const year of [2007, 2009]) await backfilling(folder, { file, years: [year, year] })
    expect(await refusalOf(producing(folder, { file, years: [2008, 2010] }))).toMatch(
      /^row 3 of 2008-2010 lies behind row 6, which a batch has taken already\. A stream cannot go back: /,
    )
    expect(await producing(folder, { file, years: [2009, 2009] })).toMatchObject({ rows: 0, alreadyHeld: 2 })
    await producing(folder, { file, years: [2010, 2010] })
    await expectAll(folder, [1, 2, 5, 6, 7, 8])
  })

  it('a file whose dates are not sorted is refused before anything is written, whoever took the rows behind', async () => {
    const { folder, file } = await applied(mixed)
    await backfilling(folder, { file, years: [2024, 2024] })
    expect(await refusalOf(producing(folder, { file, years: [2025, 2025] }))).toMatch(
      /^row 1 of 2025 lies behind row 4, which a batch has taken already/,
    )
    expect(await refusalOf(backfilling(folder, { file, years: [2025, 2025] }))).toMatch(
      /^row 1 of 2025 lies behind row 4, which loan_risk has taken already/,
    )
    await expectAll(folder, [2, 4])

    const other = await applied(mixed)
    await producing(other.folder, { file: other.file, years: [2024, 2024] })
    expect(await refusalOf(producing(other.folder, { file: other.file, years: [2024, 2025] }))).toMatch(
      /^row 1 of 2024-2025 lies behind row 4, which inflow holds already/,
    )
    await expectAll(other.folder, [2, 4])
  })

  it('a batch over years that another one has begun takes the rest of them, and history has all of it', async () => {
    const { folder, file } = await applied(sorted)
    await backfilling(folder, { file, years: [2007, 2007] })
    expect(await backfilling(folder, { file, years: [2007, 2010] })).toMatchObject({ rows: 6, alreadyThere: 2 })
    await expectAll(folder, seqsOf(sorted, 2007, 2010))
    await done(folder, 'apply loan_risk@1 --backfill --yes')
    expect(seqsShown(folder, 'loan_risk_v1')).toEqual(seqsOf(sorted, 2007, 2010))
  })

  it('keeps as little of a file with alternating years as of any other, and replays it', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => 2008 + (i % 2))
    const { folder, file } = await applied(rows)
    await backfilling(folder, { file, years: [2008, 2008] })
    await withPorts(folder, async ({ checkpoints }) => {
      for (const name of ['position/loan_risk/0', 'produced/inflow'])
        expect((await checkpoints.load(name)).get('')?.length ?? 0).toBeLessThan(1000)
    })
    await expectAll(folder, seqsOf(rows, 2008))

    const other = await applied(rows)
    await producing(other.folder, { file: other.file, years: [2009, 2009], rate: 4000 })
    await withPorts(other.folder, async ({ checkpoints }) => {
      expect(await loadHeld(checkpoints, stream)).toMatchObject([{ years: [2009, 2009], firstSeq: 2, lastSeq: 3000, rows: 1500 }])
    })
    await expectAll(other.folder, seqsOf(rows, 2009))
  })
})

describe('beside a backfill', { timeout: limitMs }, () => {
  it('a consumer that takes the writer at any moment loses it again, and the batch is done', async () => {
    const { folder, file } = await applied(sorted)
    let writes = 0
    const { rows } = await backfilling(folder, {
      file,
      years: [2007, 2010],
      through: ({ log, warehouse }) => ({
        warehouse: {
          ...warehouse,
          write: async (...all) => {
            writes++
            await warehouse.write(...all)
            await (await log.writer(writerName('loan_risk', 0))).close()
          },
        },
      }),
    })
    expect([rows, writes]).toEqual([8, 1])
    expect(await holdIn(folder)).toBe(null)
    await expectAll(folder, seqsOf(sorted, 2007, 2010))
  })

  it('a producer that runs is stopped, and what it would write behind the batch is refused until that has finished', async () => {
    const { folder, file } = await applied([...mixed, ...new Array<number>(200).fill(2026)])
    let sent = 0
    const producer = refusalOf(producing(folder, { file, years: [2026, 2026], rate: 20, report: ({ rows }) => (sent += rows) }))
    await until(() => sent > 0)
    expect(await half(folder, { file, years: [2024, 2024] })).toMatchObject({ interrupted: true, rows: 2 })
    expect(await producer).toMatch(/or a backfill has begun\. Nothing is lost or doubled\. Once no other producer runs, run this again/)
    // What the batch takes is left to it, what it would make a duplicate is refused, what lies behind it goes in.
    expect(await refusalOf(producing(folder, { file, years: [2024, 2025] }))).toMatch(
      /^row 1 of 2024-2025 lies behind row \d+, which inflow holds already/,
    )
    expect(await producing(folder, { file, years: [2026, 2026] })).toMatchObject({ rows: 200 - sent })
    await backfilling(folder, { file, years: [2024, 2024] })
    await expectAll(folder, [2, 4, ...Array.from({ length: 200 }, (_, i) => i + 6)])
  })

  it('a producer that begins refuses what the batch would make a duplicate, also before anything is taken', async () => {
    const { folder, file } = await applied(mixed)
    expect(await half(folder, { file, years: [2024, 2024] })).toMatchObject({ interrupted: true })
    expect(await refusalOf(producing(folder, { file, years: [2025, 2025] }))).toMatch(
      /^row 1 of 2025 lies behind row 4, which a batch has taken already/,
    )
    expect(await producing(folder, { file, years: [2024, 2024] })).toMatchObject({ rows: 0, alreadyHeld: 2 })
    const other = putLoans(folder, [2026], 'other.csv')
    expect(await refusalOf(producing(folder, { file: other, years: [2026, 2026], continue: true }))).toMatch(
      /^a backfill from loans\.csv has not finished, so that it is not known yet where other\.csv goes on\. /,
    )
    await backfilling(folder, { file, years: [2024, 2024] })
    await producing(folder, { file: other, years: [2026, 2026], continue: true })
    await expectAll(folder, [2, 4, 5])
  })

  it('leaves no hold behind when it fails before its first row', async () => {
    const { folder, file } = await applied(sorted)
    const broken = backfilling(folder, {
      file,
      years: [2007, 2007],
      through: ({ log }) => ({
        log: { ...log, writer: (name) => (name === producerName(stream) ? Promise.reject(new Error('no broker')) : log.writer(name)) },
      }),
    })
    await expect(broken).rejects.toThrow('no broker')
    expect(await holdIn(folder)).toBe(null)
    const stop = new AbortController()
    stop.abort()
    await expect(backfilling(folder, { file, years: [2007, 2007], signal: stop.signal })).rejects.toThrow(/abort/i)
    expect(await holdIn(folder)).toBe(null)
    await expectAll(folder, [])
  })
})

describe('a backfill that was cut short', { timeout: limitMs }, () => {
  // The embedded warehouse takes batches of 10,000 rows.
  const rows = Array.from({ length: 45_000 }, (_, i) => 2007 + (i % 2))
  const all = seqsOf(rows, 2007)

  it('goes on where it was when the same is run again, and the state is as if never stopped', async () => {
    const { folder, file } = await applied(rows)
    expect(await half(folder, { file, years: [2007, 2007] })).toMatchObject({ interrupted: true, rows: 5000 })
    expect(await tidemark(folder, 'consume --until-caught-up')).toMatchObject({
      code: 1,
      err: expect.stringContaining('a backfill of 2007 from loans.csv began (a test) and has not finished'),
    })
    // It breaks amidst, at its third batch.
    let writes = 0
    const broken = backfilling(folder, {
      file,
      years: [2007, 2007],
      through: ({ warehouse }) => ({
        warehouse: { ...warehouse, write: (...all) => (++writes === 3 ? Promise.reject(new Error('power cut')) : warehouse.write(...all)) },
      }),
    })
    await expect(broken).rejects.toThrow('power cut')
    expect(await backfilling(folder, { file, years: [2007, 2007] })).toMatchObject({
      interrupted: false,
      rows: 17_500,
      alreadyThere: 5000,
      notChosen: 22_500,
    })
    expect(await holdIn(folder)).toBe(null)
    await expectAll(folder, all)
    await withPorts(folder, async ({ checkpoints }) => expect(await checkpoints.names('backfill/')).toEqual([]))
  })

  it('on several partitions is finished where it was cut, also between two of them', async () => {
    const folder = freshFolder()
    const config = withDefinitions(
      folder,
      `import { featureSet, mean, rejectedLoan } from 'tidemark'
      const features = { ma50: mean('risk_score', { last: 50, round: 3 }) }
      export const v0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, features)`,
    )
    writeFileSync(
      join(folder, 'own.json'),
      JSON.stringify({ features: join(folder, 'features.ts'), log: { kind: 'embedded', partitions: 4 } }),
    )
    const ofStates = rows
      .slice(0, 25_000)
      .map((year, i) => `1000,${year}-06-01,car,${600 + (i % 97)},10%,481xx,${['NM', 'CA', 'TX', 'NY', 'OH', 'WA'][i % 5]},4 years,0`)
    const file = putLoans(folder, ofStates)
    await done(folder, `apply by_state@0 --yes ${config}`)
    const stop = new AbortController()
    const first = await backfilling(folder, { file, years: [2007, 2007], signal: stop.signal, report: () => stop.abort() }, 'by_state')
    expect(first).toMatchObject({ interrupted: true, rows: 5000 })
    // The power goes when two of four partitions have it all.
    const broken = backfilling(
      folder,
      {
        file,
        years: [2007, 2007],
        through: ({ log }) => ({
          log: {
            ...log,
            writer: async (name) => {
              const writer = await log.writer(name)
              const lifts = ({ save = [] }: { save?: readonly Save[] }) =>
                save.some(({ name, value }) => name === 'position/by_state/2' && Buffer.from(value!).includes('"hold":null'))
              return { ...writer, commit: (work) => (lifts(work) ? Promise.reject(new Error('power cut')) : writer.commit(work)) }
            },
          },
        }),
      },
      'by_state',
    )
    await expect(broken).rejects.toThrow('power cut')
    expect(await tidemark(folder, `backfill --undo --features by_state --yes ${config}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('is complete in some partitions already. Run the same backfill again to finish it.'),
    })
    await backfilling(folder, { file, years: [2007, 2007] }, 'by_state')
    // It goes again while the next batch sets its holds: nothing is written yet, and nothing is deleted.
    await withPorts(folder, async ({ log, checkpoints }) => {
      const position = await loadPosition(checkpoints, 'by_state', 0)
      const hold = {
        kind: 'backfill',
        by: 'process 1',
        token: 'one',
        source: { name: 'loans.csv', size: 1, sha256: 'x' },
        place: file,
        years: [2008, 2008],
        base: 0,
        after: position.seq,
      } as const
      const writer = await log.writer(writerName('by_state', 0))
      await writer.commit({ save: [savePosition('by_state', 0, { ...position, hold })] })
      await writer.close()
    })
    expect(await done(folder, `backfill --undo --features by_state --yes ${config}`)).toBe('took back the unfinished backfill of by_state')
    expect(seqsShown(folder, 'by_state')).toEqual(seqsOf(rows.slice(0, 25_000), 2007))
    expect(await done(folder, `verify by_state@0 ${config}`)).toMatch(/equal$/)
    await withPorts(folder, async ({ checkpoints }) => {
      expect(await checkpoints.names('backfill/')).toEqual([])
      expect((await loadPositions(checkpoints, 'by_state')).map(({ hold, seq }) => [hold, seq])).toEqual(new Array(4).fill([null, 24_999]))
    })
  })

  it('is taken back as if it had never been, also by another one', async () => {
    const { folder, file } = await applied(rows)
    await half(folder, { file, years: [2007, 2007] })
    expect(await done(folder, 'backfill --undo --yes')).toBe('took back the unfinished backfill of loan_risk')
    expect(seqsShown(folder)).toEqual([])
    await half(folder, { file, years: [2007, 2007] })
    expect(await backfilling(folder, { file, years: [2008, 2008] })).toMatchObject({ rows: 22_500, alreadyThere: 0 })
    await withPorts(folder, async ({ checkpoints }) => expect(await checkpoints.names('backfill/')).toEqual([]))
    await expectAll(folder, seqsOf(rows, 2008))
  })
})

describe('a file that has grown', { timeout: limitMs }, () => {
  it.each(['loans.csv', 'loans.csv.gz'])('goes on where it ended, and nothing of %s is doubled', async (name) => {
    const { folder } = await applied([])
    const file = join(folder, name)
    const packed = (text: string) => (name.endsWith('.gz') ? gzipSync(text) : Buffer.from(text))
    const more = (rows: readonly number[]) => packed(loansText(rows).split('\n').slice(1).join('\n'))
    writeFileSync(file, packed(loansText([2007, 2008, 2008])))
    await backfilling(folder, { file, years: [2007, 2007] })
    await producing(folder, { file, years: [2008, 2009] })
    await caughtUp(folder)
    appendFileSync(file, more([2008, 2009]))
    // What was read of it is still there.
    expect(await done(folder, 'verify loan_risk@0')).toMatch(/equal$/)
    expect(await producing(folder, { file, years: [2008, 2009] })).toMatchObject({ rows: 2, alreadyHeld: 2, notChosen: 1 })
    appendFileSync(file, more([2010]))
    await caughtUp(folder)
    expect(await backfilling(folder, { file, years: [2010, 2010] })).toMatchObject({ rows: 1 })
    await withPorts(folder, async ({ checkpoints }) =>
      expect(await loadHeld(checkpoints, stream)).toMatchObject([{ after: 1, lastSeq: 5, rows: 4 }]),
    )
    await expectAll(folder, [1, 2, 3, 4, 5, 6])
    writeFileSync(file, Buffer.concat([packed(loansText([2007])), more([2008, 2008, 2008, 2009, 2010, 2010])]))
    expect(await refusalOf(producing(folder, { file, years: [2010, 2010] }))).toMatch(
      /^rows so far came from loans\.csv.* is another file\. /,
    )
  })

  it('is refused by name when it ended in the middle of a line, or another one was numbered on behind it', async () => {
    const { folder, file } = await applied(sorted)
    writeFileSync(file, readFileSync(file).subarray(0, -4))
    await producing(folder, { file, years: [2007, 2010] })
    appendFileSync(file, 's,0\n')
    expect(await refusalOf(producing(folder, { file, years: [2007, 2010] }))).toBe(
      'loans.csv ended in the middle of a line when its rows were taken, and that line goes on now. ' +
        'Put what is new into a file of its own, with the header, and pass --continue.',
    )

    const other = await applied([2007])
    await producing(other.folder, { file: other.file, years: [2007, 2007] })
    await producing(other.folder, { file: putLoans(other.folder, [2008], 'next.csv'), years: [2008, 2008], continue: true })
    appendFileSync(other.file, loansText([2009]).split('\n').slice(1).join('\n'))
    expect(await refusalOf(producing(other.folder, { file: other.file, years: [2009, 2009] }))).toMatch(
      /^loans\.csv has grown since its rows were taken, and next\.csv was numbered on behind it meanwhile\. /,
    )
    expect(
      await refusalOf(
        producing(folder, { file: putLoans(folder, [2011, '1000,2011-06-01,"open'], 'x.csv'), years: [2011, 2011], continue: true }).then(
          () => {
            appendFileSync(join(folder, 'x.csv'), 'more"\n')
            return producing(folder, { file: join(folder, 'x.csv'), years: [2011, 2011] })
          },
        ),
      ),
    ).toMatch(/^x\.csv ended in the middle of a line/)
  })
})

describe('figures', { timeout: limitMs }, () => {
  const bad = 'nonsense'
  const empty = '1000,,car,700,10%,481xx,NM,4 years,0'
  const early = '1000,1900-06-01,car,700,10%,481xx,NM,4 years,0'
  const rows = [bad, 2007, empty, bad, 2008, early, 2009, bad]

  it('add up to the rows read, and a row without a date that can be asked for is rejected with its reason', async () => {
    const { folder, file } = await applied(rows)
    expect(await done(folder, `backfill --years 2007 --file ${file}`)).toMatch(
      /^backfilled 1 records into loan_risk@0; 3 lines rejected, see \S+; 4 of other years; 8 rows read$/,
    )
    expect(await json(folder, `produce --years 2007-2008 --file ${file}`)).toMatchObject({
      rows: 1,
      alreadyHeld: 1,
      rejected: 1,
      rejectedBefore: 3,
      notChosen: 2,
      read: 8,
    })
    expect(await done(folder, `produce --years 2007-2009 --file ${file}`)).toMatch(
      /^produced 1 records into inflow; 2 were there already; 1 line rejected, see \S+; 4 lines rejected before; 8 rows read$/,
    )
    expect(await done(folder, `produce --years 2009 --file ${file}`)).toBe(
      'nothing new; 1 were there already; 1 line rejected before; 6 of other years; 8 rows read',
    )
    const lines = ['loan_risk', 'inflow'].flatMap((name) =>
      readFileSync(join(folder, '.tidemark', 'rejects', `${name}.csv`), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',').slice(0, 4).join()),
    )
    expect(lines).toEqual([
      '1,2,Application Date,1 cell where 9 are expected',
      '3,4,Application Date,empty',
      '4,5,Application Date,1 cell where 9 are expected',
      '6,7,Application Date,before 1901',
      '8,9,Application Date,1 cell where 9 are expected',
    ])
    await expectAll(folder, [2, 5, 7])
  })

  it.each(['produce', 'backfill'])(
    'say with exit 1 that %s could take nothing, since every line was rejected; a better file then takes its place',
    async (command) => {
      const { folder, file } = await applied(new Array<string>(200).fill(bad))
      for (const _ of [1, 2]) {
        const { code, out, err } = await tidemark(folder, `${command} --years 2008 --file ${file}`)
        expect([code, out]).toEqual([1, ''])
        expect(err).toMatch(
          /^tidemark: none of the 200 rows of \S+ could be taken: 200 lines that may be of 2008 were rejected\. See why in \S+; correct the file, or name the right one\.\n$/,
        )
        const kept = readFileSync(join(folder, '.tidemark', 'rejects', `${command === 'produce' ? 'inflow' : 'loan_risk'}.csv`), 'utf8')
        expect(kept.trim().split('\n')).toHaveLength(201)
      }
      expect(await holdIn(folder)).toBe(null)
      putLoans(folder, [2008])
      expect(await json(folder, `${command} --years 2008 --file ${file}`)).toMatchObject({ rows: 1 })
    },
  )
})

describe('a message whose number cannot be right', { timeout: limitMs }, () => {
  /** Well written records, under numbers that no producer has recorded. */
  const foreign = (folder: string, seqs: readonly number[]) =>
    withPorts(folder, async ({ log, registry }) => {
      const { id } = await registerInflow(registry, rejectedLoan)
      const text = async function* () {
        yield Buffer.from(loansText(seqs.map(() => 2012)))
      }
      const writer = await log.writer('somebody else')
      for await (const { columns } of readCsv(rejectedLoan, text(), { place: 'foreign' })) {
        const numbered = {
          ...columns,
          byName: new Map(columns.byName).set('_seq', { kind: 'int' as const, values: Float64Array.from(seqs) }),
        }
        await writer.commit({ append: [{ topic: stream.inflow, partition: 0, batch: encoder(inflowSchema(rejectedLoan), id)(numbered) }] })
      }
      await writer.close()
    })

  it('is a dead letter and makes no duplicates of what comes after, in the stream and when history is replayed', async () => {
    const { folder, file } = await applied(sorted)
    await producing(folder, { file, years: [2007, 2007] })
    await foreign(folder, [5, Number.MAX_SAFE_INTEGER, 1])
    expect(await done(folder, 'up --until-caught-up')).toBe('computed 2 records, 1 duplicates skipped, 2 sent to inflow.dead, wrote 2 rows')
    await foreign(folder, [6])
    expect(await done(folder, 'consume --until-caught-up')).toBe('computed 0 records, 1 sent to inflow.dead')
    await producing(folder, { file, years: [2008, 2010] })
    expect(await done(folder, 'up --until-caught-up')).toBe('computed 6 records, wrote 6 rows')
    const reasons = await done(folder, 'topics inflow.dead')
    expect(reasons).toMatch(/its number 9007199254740991 is beyond what a position can be/)
    await expectAll(folder, seqsOf(sorted, 2007, 2010))
    await done(folder, 'apply loan_risk@1 --backfill --yes')
    expect(seqsShown(folder, 'loan_risk_v1')).toEqual(seqsOf(sorted, 2007, 2010))
  })

  it('is taken where nobody has recorded what inflow holds, but for numbers that nothing can be added to', async () => {
    const { folder } = await applied([])
    await foreign(folder, [3, 2 ** 52, 2 ** 52 - 1])
    expect(await caughtUp(folder)).toMatchObject({ rows: 2, dead: 1 })
    expect(seqsShown(folder)).toEqual([3, 2 ** 52 - 1])
  })
})
