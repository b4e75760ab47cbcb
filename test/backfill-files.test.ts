/** `backfill --out`: files straight from the file hold what the warehouse would give, and nothing else is read, made or left behind. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Columns } from '../utilities/values/columns.ts'
import { openParquetThread } from '../utilities/parquet/thread.ts'
import { done, freshFolder, json, rejectsPath, start, tidemark, until } from './cli-run.ts'
import { generated, limitMs, withDefinitions } from './loan-folders.ts'

const tricky = resolve('test/fixtures/tricky.csv')
const cut = (folder: string, file: string) => {
  const path = join(folder, 'cut.csv.gz')
  const whole = readFileSync(file)
  writeFileSync(path, whole.subarray(0, whole.length - 5000))
  return path
}
const names = (folder: string) => readdirSync(folder).toSorted()

let loans: string
beforeAll(async () => {
  loans = await generated(40_000)
}, limitMs)

type Table = { readonly names: readonly string[]; readonly types: readonly string[]; readonly rows: readonly unknown[] }

/**
 * In the order of the files and of the rows in them; doubles by their shortest digits. When a row was computed is left out, but must be
 * there.
 */
async function rowsOf(folder: string): Promise<Table> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    const from = `read_parquet('${folder}/**/*.parquet', hive_partitioning = false)`
    const all = await connection.runAndReadAll(`SELECT * FROM ${from} WHERE _modified_ts < 1e18 OR _modified_ts IS NULL`)
    expect(all.getRows()).toEqual([])
    const result = await connection.runAndReadAll(`SELECT * EXCLUDE (_modified_ts) FROM ${from}`)
    return {
      names: all.columnNames(),
      types: all.columnTypes().map(String),
      rows: result.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell))).join('|')),
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The rows of a version as they come through the warehouse, and as they come straight from the file. */
async function bothWays(
  stored: string,
  set: string,
  version: number,
  words: string,
  more = '',
): Promise<{ readonly exported: string; readonly straight: string }> {
  const folder = freshFolder()
  const [exported, straight] = [join(folder, 'exported'), join(folder, 'straight')]
  await done(stored, `export ${set}@${version} --out ${exported} ${more}`)
  await done(stored, `backfill ${words} --features ${set}@${version} --out ${straight} ${more}`)
  return { exported, straight }
}

describe('backfill --out', () => {
  it(
    'writes the rows, columns and types of every version that backfill and export give',
    async () => {
      const words = `--years 2008-2010 --file ${loans}`
      for (const version of [0, 1, 2]) {
        const stored = freshFolder()
        for (let one = 0; one <= version; one++) await done(stored, `apply loan_risk@${one} --yes`)
        await done(stored, `backfill ${words}`)
        const { exported, straight } = await bothWays(stored, 'loan_risk', version, words)
        const expected = await rowsOf(exported)
        expect(expected.rows.length).toBeGreaterThan(10_000)
        expect(await rowsOf(straight)).toEqual(expected)
        if (version === 1) {
          const flat = await bothWays(stored, 'loan_risk', 1, words, '--format csv')
          const text = (folder: string) => readFileSync(join(folder, 'loan_risk_v1.csv'), 'utf8').replaceAll(/,\d{19},/g, ',when,')
          expect(text(flat.straight)).toBe(text(flat.exported))
        }
        if (version === 2) {
          const parted = await bothWays(stored, 'loan_risk', 2, words, '--partition-by state')
          expect(names(parted.straight)).toEqual(names(parted.exported))
          expect(await rowsOf(parted.straight)).toEqual(await rowsOf(parted.exported))
        }
      }
    },
    limitMs,
  )

  it(
    'computes a set with a key as backfill does, key by key',
    async () => {
      const stored = freshFolder()
      const config = withDefinitions(
        stored,
        `import { count, ema, featureSet, mean, rejectedLoan } from 'tidemark'
      export const v0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, {
        recent: mean('risk_score', { days: 30, round: 3 }), level: ema('amount_requested', { span: 9 }),
        titles: count('loan_title', { last: 20 }),
      })`,
      )
      const words = `--years 2007-2009 --file ${loans} ${config}`
      await done(stored, `apply by_state@0 --yes ${config}`)
      await done(stored, `backfill ${words}`)
      const { exported, straight } = await bothWays(stored, 'by_state', 0, words, config)
      expect(await rowsOf(straight)).toEqual(await rowsOf(exported))
    },
    limitMs,
  )

  it('takes the newest version of the first set of the definitions when none is named, and says what it did', async () => {
    const folder = freshFolder()
    const told = await json(folder, `backfill --years 2007 --file ${loans} --out out/ --data-dir elsewhere`)
    const { rows } = await rowsOf(join(folder, 'out'))
    expect(told).toEqual({
      set: 'loan_risk',
      versions: [2],
      rows: rows.length,
      rejected: 0,
      rejectedBefore: 0,
      notChosen: 39_720,
      read: 40_000,
      alreadyThere: 0,
      beyond: 0,
      interrupted: false,
      rejects: null,
      out: 'out/',
      format: 'parquet',
      files: 1,
    })
    expect(await done(folder, `backfill --years 2007 --file ${loans} --out other --features loan_risk_2007`)).toMatch(
      /^wrote 280 rows of loan_risk_2007@0 to other \(1 file\); 39.720 of other years; 40.000 rows read$/,
    )
    // No store of any kind was made.
    expect(names(folder)).toEqual(['other', 'out'])
  })

  it('puts the lines that cannot be read beside the folder, as backfill has them', async () => {
    const stored = freshFolder()
    const { rejected } = await json(stored, `backfill --years 2007-2012 --file ${tricky}`)
    const folder = freshFolder()
    const told = await json(folder, `backfill --years 2007-2012 --file ${tricky} --features loan_risk@0 --out rows`)
    expect(told).toMatchObject({ rejected, rejects: 'rows.rejects.csv' })
    expect(readFileSync(join(folder, told.rejects), 'utf8')).toBe(readFileSync(rejectsPath(stored, 'loan_risk'), 'utf8'))
    expect(names(folder)).toEqual(['rows', 'rows.rejects.csv'])

    await done(stored, 'export loan_risk@0 --out rows')
    expect(await rowsOf(join(folder, 'rows'))).toEqual(await rowsOf(join(stored, 'rows')))
  })

  it(
    'leaves nothing behind when it is refused',
    async () => {
      const folder = freshFolder()
      mkdirSync(join(folder, 'full'))
      writeFileSync(join(folder, 'full', 'mine'), '')
      writeFileSync(join(folder, 'file'), '')
      writeFileSync(join(folder, 'old.rejects.csv'), 'mine')
      const damaged = cut(folder, loans)
      const before = names(folder)
      const refused = async (words: string, code: 1 | 2, says: string | RegExp) => {
        const ended = await tidemark(folder, `backfill ${words}`)
        expect({ ...ended, err: '' }).toEqual({ code, out: '', err: '' })
        const line = ended.err.replace(/^tidemark: /, '').trimEnd()
        if (typeof says === 'string') expect(line).toBe(says)
        else expect(line).toMatch(says)
        expect(line).not.toContain('\n')
        expect(names(folder)).toEqual(before)
      }
      const from = `--years 2008 --file ${loans}`
      const all = `--years 2007-2012 --file ${tricky}`
      await refused(`${from} --out x --undo`, 2, '--undo is about rows in the warehouse, and --out writes files. Leave one of them out.')
      await refused(`${from} --out x --continue`, 2, /^--continue is about rows in the warehouse/)
      await refused(`${from} --out x --format json`, 2, '--format json is not known. Use parquet or csv.')
      await refused(`${from} --out x --partition-by ma9`, 2, /^loan_risk@2 has no column ma9\. Its columns are amount_requested, .*_seq\.$/)
      await refused(`${from} --out x --features nope`, 2, 'there is no feature set nope. The definitions have loan_risk, loan_risk_2007.')
      await refused(
        `${from} --out x --features loan_risk@9`,
        2,
        'there is no loan_risk@9. The definitions have versions 0 to 2 of loan_risk.',
      )
      await refused(`${from} --out x --features loan_risk@next`, 2, /^loan_risk@next is not SET@VERSION\./)
      await refused(`${from} --features loan_risk@1`, 2, /^loan_risk@1 is a version, .*\. Add --out DIR, or leave it out\.$/)
      await refused(`${from} --format csv`, 2, /^--format is for files, .*\. Add --out DIR, or leave it out\.$/)
      await refused(`${from} --partition-by state`, 2, /^--partition-by is for files/)
      await refused(`--years 1999 --file ${loans} --out x`, 1, `${loans} has no row of 1999. Choose years that it has.`)
      await refused('--years 2008 --file gone.csv --out x', 1, /^there is no file gone\.csv\./)
      await refused(`${from} --out full`, 1, 'full is not empty. Choose another folder, or empty this one.')
      await refused(`${from} --out file`, 1, 'file is a file. Name a folder that does not exist yet.')
      await refused(`${from} --out no/where`, 1, /there is no folder .*\/no\. Make that folder first/)
      await refused(
        `${from} --out old`,
        1,
        'old.rejects.csv is there already, with the rejected lines of an earlier run. Move it away, or choose another folder.',
      )
      await refused(
        `--years 2007-2012 --file ${damaged} --out x`,
        1,
        /cut\.csv\.gz is cut short: it ends in the middle of the gzip data\. Fetch it again\.$/,
      )
      await refused(`--years 2007-2012 --file ${damaged} --out x --format csv`, 1, /cut\.csv\.gz is cut short/)
      await refused(`${all} --out x --strict`, 1, /tricky\.csv:2: Amount Requested: not a number\. Correct the line, or leave out --strict/)
      await refused(`${all} --out x --partition-by zip_code`, 1, /^zip_code holds the text NULL, .*\. Partition by another column\.$/)
      await done(folder, `backfill ${from} --out x --strict`)
      expect(names(folder)).toEqual([...before, 'x'].toSorted())
    },
    limitMs,
  )

  it(
    'leaves nothing behind when Ctrl-C interrupts it, once or twice',
    async () => {
      const folder = freshFolder()
      const text = gunzipSync(readFileSync(loans)).toString()
      const rest = gzipSync(text.slice(text.indexOf('\n') + 1))
      // Long enough that no machine is done before the signal comes.
      writeFileSync(join(folder, 'long.csv.gz'), Buffer.concat([gzipSync(text), ...Array<Buffer>(75).fill(rest)]))
      for (const [format, times] of [
        ['parquet', 1],
        ['csv', 1],
        ['parquet', 2],
      ] as const) {
        const running = start(folder, `backfill --years 2007-2012 --file long.csv.gz --out rows --format ${format}`)
        await until(() => running.hasEnded() || existsSync(join(folder, `.rows.${running.pid}.part`, 'rows')), 2)
        for (let i = 0; i < times; i++) running.signal('SIGINT')
        const { code, out, err } = await running.ended
        if (times === 1) expect({ code, out, err }).toEqual({ code: 0, out: 'interrupted: nothing was written\n', err: '' })
        else expect([0, 130]).toContain(code)
        expect(names(folder)).toEqual(['long.csv.gz'])
      }
    },
    limitMs,
  )
})

describe('a Parquet thread', () => {
  const columns = [
    { name: 'n', type: 'bigint' },
    { name: 't', type: { varchar: 9 } },
  ] as const
  const rows = (from: number, count: number): Columns => ({
    count,
    byName: new Map([
      ['n', { kind: 'int', values: Float64Array.from({ length: count }, (_, i) => from + i) }],
      [
        't',
        {
          kind: 'text',
          bytes: Buffer.from('abc'),
          starts: Int32Array.from({ length: count }, (_, i) => (i % 4) - 1),
          ends: new Int32Array(count).fill(3),
        },
      ],
    ]),
  })

  it.each([true, undefined] as const)('writes every batch in order, more of them than may wait; handed over: %s', async (transferable) => {
    const folder = freshFolder()
    const writer = openParquetThread({ folder, columns, rowsPerFile: 2500 })
    const batches = Array.from({ length: 30 }, (_, i) => {
      // Their text is a view into something larger, Node's own pool, which has to stay.
      const made = rows(i * 1000, 1000)
      return transferable ? { ...made, transferable } : made
    })
    for (const batch of batches) await writer.append(batch)
    await writer.finish()
    await writer.close()
    expect(readdirSync(folder)).toHaveLength(12)
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
    const read = await connection.runAndReadAll(`SELECT n, t FROM read_parquet('${folder}/*.parquet')`)
    connection.closeSync()
    const texts = [null, 'abc', 'bc', 'c']
    expect(read.getRows()).toEqual(Array.from({ length: 30_000 }, (_, i) => [BigInt(i), texts[(i % 1000) % 4]]))
    for (const batch of batches) expect((batch.byName.get('n') as { values: Float64Array }).values).toHaveLength(transferable ? 0 : 1000)
  })

  it('says what was wrong with rows in one of the next calls, in the same words', async () => {
    const writer = openParquetThread({ folder: freshFolder(), columns, partitionBy: 'n' })
    await writer.append(rows(0, 10_001))
    await expect(writer.finish()).rejects.toMatchObject({
      name: 'Problem',
      what: 'n has 10001 different values, and each would be a folder',
      todo: 'Partition by a column with at most 10000.',
    })
    await writer.close()
  })

  it('writes nothing any more once it is closed, and takes no rows', async () => {
    const folder = freshFolder()
    const writer = openParquetThread({ folder, columns, rowsPerFile: 1000 })
    for (let i = 0; i < 5; i++) await writer.append(rows(0, 1000))
    await writer.close()
    const left = names(folder)
    await expect(writer.finish()).rejects.toThrow(/the thread that writes .* ended/)
    expect(names(folder)).toEqual(left)
  })
})
