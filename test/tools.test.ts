/**
 * The commands that look at the parts and look after them: what they show is what is there, and what they refuse leaves everything as it
 * was.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, it } from 'vitest'
import { openConsole, type Console } from '../commands/console.ts'
import { run as exportRun } from '../commands/export.ts'
import { readConfig } from '../config/config.ts'
import { replay } from '../batch/replay.ts'
import { loadPosition } from '../streams/position.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { frame } from '../schemas/wire.ts'
import { done, freshFolder, json, start, tidemark, until, warehouseOf, type Printed } from './cli-run.ts'
import { copyOf, cutShort, expectRefused, generated, limitMs, only, withPorts } from './loan-folders.ts'
import { columnsOf, readRows } from './oracle/compare.ts'

const tricky = resolve('test/fixtures/tricky.csv')
let folder: string

beforeAll(async () => {
  folder = freshFolder()
  await done(folder, 'apply loan_risk@0 --yes')
  await done(folder, `backfill --years 2007 --file ${tricky}`)
  await done(folder, `produce --years 2008 --file ${tricky}`)
  await done(folder, 'up --until-caught-up')
  await done(folder, 'apply loan_risk@1 --cold --yes')
  await done(folder, `produce --years 2009-2012 --file ${tricky}`)
  await done(folder, 'up --until-caught-up')
}, limitMs)

/** Every cell as text, null as null; doubles by their shortest digits, dates as the warehouse writes them. */
async function parquetRows(
  glob: string,
  columns = '*',
  order = '_seq',
  options = '',
): Promise<{ names: readonly string[]; types: readonly string[]; rows: (string | null)[][] }> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const result = await connection.runAndReadAll(`SELECT ${columns} FROM read_parquet('${glob}'${options}) ORDER BY ${order}`)
    return {
      names: result.columnNames(),
      types: result.columnTypes().map(String),
      rows: result.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const stored = (place: string, view: string, columns = columnsOf(warehouseOf(place), view).map(String)) => {
  // Nanoseconds are beyond what a number holds.
  const shown = columns.map((name) => (name === '_modified_ts' ? `CAST("${name}" AS TEXT)` : `"${name}"`))
  return readRows(warehouseOf(place), `SELECT ${shown.join(', ')} FROM ${view} ORDER BY _seq`).map((row) =>
    row.map((cell) => (cell === null ? null : String(cell))),
  )
}

/** Cells of RFC 4180: null for nothing at all, '' for a quoted nothing. */
function csvRows(text: string): (string | null)[][] {
  const rows: (string | null)[][] = []
  let row: (string | null)[] = []
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain! || null : quoted.replaceAll('""', '"'))
    if (end === '\r\n') {
      rows.push(row)
      row = []
    }
  }
  return rows
}

describe('export', () => {
  it(
    'writes a version as Parquet that DuckDB reads back cell by cell',
    async () => {
      for (const version of [0, 1]) {
        const out = join(freshFolder(), `v${version}`)
        const view = `loan_risk_v${version}`
        const expected = stored(folder, view)
        expect(await json(folder, `export loan_risk@${version} --out ${out}`)).toEqual({
          set: 'loan_risk',
          version,
          out,
          format: 'parquet',
          rows: expected.length,
          files: 1,
        })
        expect(readdirSync(out)).toEqual(['part-00001.parquet'])
        const found = await parquetRows(join(out, '*.parquet'))
        expect(found.names).toEqual(columnsOf(warehouseOf(folder), view))
        const typed = Object.fromEntries(found.names.map((name, i) => [name, found.types[i]]))
        expect(typed).toMatchObject({
          amount_requested: 'DOUBLE',
          application_date: 'DATE',
          loan_title: 'VARCHAR',
          ma50: 'DOUBLE',
          _modified_ts: 'BIGINT',
          _version: 'INTEGER',
          _seq: 'BIGINT',
        })
        expect(found.rows).toEqual(expected)
        expect(found.rows.map((row) => Number(row.at(-1)))).toEqual(found.rows.map((row) => Number(row.at(-1))).toSorted((a, b) => a - b))
      }
      const texts = stored(folder, 'loan_risk_v0').flat()
      for (const part of ['🚗💳 日本語', '"other"', '\n', 'NULL']) expect(texts.some((text) => text?.includes(part))).toBe(true)
      expect(texts).toContain(null)
    },
    limitMs,
  )

  it('keeps the rows in order of _seq in every file', async () => {
    const out = join(freshFolder(), 'out')
    await done(folder, `export loan_risk@0 --out ${out}`)
    const { rows } = await parquetRows(join(out, '*.parquet'), '_seq', 'file_row_number', ', file_row_number = true')
    expect(rows).toEqual(stored(folder, 'loan_risk_v0', ['_seq']))
  })

  it('writes a version as CSV in which null and empty text differ', async () => {
    const copy = copyOf(folder)
    const db = new DatabaseSync(warehouseOf(copy))
    db.exec(
      `UPDATE loan_risk_rows SET loan_title = '' WHERE _version = 0 AND _seq = (SELECT min(_seq) FROM loan_risk_rows WHERE _version = 0)`,
    )
    db.close()
    await done(copy, 'export loan_risk@0 --out flat --format csv')
    expect(readdirSync(join(copy, 'flat'))).toEqual(['loan_risk_v0.csv'])
    const [header, ...rows] = csvRows(readFileSync(join(copy, 'flat', 'loan_risk_v0.csv'), 'utf8'))
    expect(header).toEqual(columnsOf(warehouseOf(copy), 'loan_risk_v0'))
    expect(rows).toEqual(stored(copy, 'loan_risk_v0'))
    expect(rows.filter((row) => row[2] === '')).toHaveLength(1)
    expect(rows.some((row) => row[2] === null)).toBe(true)
  })

  it('makes a folder for each value, with every row in its own', async () => {
    const out = join(freshFolder(), 'by')
    await done(folder, `export loan_risk@0 --out ${out} --partition-by state`)
    const names = columnsOf(warehouseOf(folder), 'loan_risk_v0').map(String)
    // DuckDB reads the name itself before 1.5; others, and DuckDB since, read null anyway.
    const selected = names.map((name) => (name === 'state' ? `nullif(state, '__HIVE_DEFAULT_PARTITION__')` : `"${name}"`)).join(', ')
    const found = await parquetRows(
      join(out, '**', '*.parquet'),
      selected,
      '_seq',
      `, hive_partitioning = true, hive_types = {'state': VARCHAR}`,
    )
    expect(found.rows).toEqual(stored(folder, 'loan_risk_v0'))
    const states = new Set(stored(folder, 'loan_risk_v0', ['state']).flat())
    expect(states.size).toBeGreaterThan(3)
    expect(readdirSync(out)).toHaveLength(states.size)
    expect(readdirSync(join(out, 'state=NY')).every((file) => /^part-.*\.parquet$/.test(file))).toBe(true)
    expect(existsSync(join(out, 'state=__HIVE_DEFAULT_PARTITION__'))).toBe(states.has(null))
  })

  it('refuses to partition where a text would be read as null', () =>
    expectRefused(
      folder,
      'export loan_risk@0 --out x --partition-by zip_code',
      'zip_code holds the text NULL, which as the name of a folder stands for no value. Partition by another column.',
    ))

  it(
    'leaves nothing behind when it is refused',
    async () => {
      const copy = copyOf(folder)
      mkdirSync(join(copy, 'full'))
      mkdirSync(join(copy, 'empty'))
      writeFileSync(join(copy, 'full', 'mine'), '')
      writeFileSync(join(copy, 'file'), '')
      await expectRefused(copy, 'export loan_risk@0 --out full', 'full is not empty. Choose another folder, or empty this one.')
      await expectRefused(copy, 'export loan_risk@0 --out file', 'file is a file. Name a folder that does not exist yet.')
      await expectRefused(copy, 'export loan_risk@0 --out no/where', /there is no folder .*\/no\. Make that folder first/)
      await expectRefused(copy, 'export loan_risk@0 --out file/x', /file is not a folder\. Choose another folder\.$/)
      await expectRefused(copy, 'export loan_risk@0 --out /proc/tidemark', /^tidemark: cannot write \/proc\/tidemark: /)
      await expectRefused(copy, 'export loan_risk@2 --out x', 'loan_risk@2 is not applied. See what is: tidemark versions')
      await expectRefused(copy, 'export loan_risk@0', '--out is missing. Name the folder to make, e.g. --out data/rows.', 2)
      await expectRefused(copy, 'export loan_risk@0 --out x --format json', '--format json is not known. Use parquet or csv.', 2)
      await expectRefused(
        copy,
        'export loan_risk@0 --out x --partition-by ma100',
        /^tidemark: loan_risk@0 has no column ma100\. Its columns are amount_requested, .*_seq\.$/,
        2,
      )
      await expectRefused(copy, 'export loan_risk@0 --out x --partition-by zip_code', /the text NULL/)
      expect(readdirSync(copy).toSorted()).toEqual(['.tidemark', 'empty', 'file', 'full'])
      await done(copy, 'export loan_risk@0 --out empty --format csv')
      expect(readdirSync(join(copy, 'empty'))).toEqual(['loan_risk_v0.csv'])
    },
    limitMs,
  )

  it(
    'leaves nothing behind when it is interrupted',
    async () => {
      const file = await generated(15_000)
      const place = freshFolder()
      await done(place, 'apply loan_risk@0 --yes')
      await done(place, `backfill --years 2007-2012 --file ${file}`)
      for (const format of ['csv', 'parquet']) {
        const stop = new AbortController()
        const said: string[] = []
        // The first batch that is written is the last.
        const console: Console = {
          ...openConsole({ json: false, yes: true }),
          result: (text) => said.push(text),
          progress: () => () => stop.abort(),
        }
        const config = { ...readConfig(undefined, {}), dataDir: join(place, '.tidemark') }
        await exportRun({ args: ['loan_risk@0'], options: { out: join(place, 'out'), format }, config, console, signal: stop.signal })
        expect(said).toEqual(['interrupted: nothing was written'])
        expect(readdirSync(place)).toEqual(['.tidemark'])
      }
    },
    limitMs,
  )
})

describe('schemas', () => {
  it('lists every schema version with the feature version it is', async () => {
    const all: Printed[] = await json(folder, 'schemas')
    expect(all.map(({ subject, number, version, live }) => [subject, number, version, live])).toEqual([
      ['dead_letter', 1, null, null],
      ['loan_risk', 1, 0, 'no'],
      ['loan_risk', 2, 1, 'yes'],
      ['rejected_loan', 1, null, null],
      ['tidemark_told_row', 1, null, null],
      ['tidemark_versions_shown', 1, null, null],
    ])
    expect(all[2].features).toEqual({
      ma50: `mean('risk_score', { last: 50, round: 3 })`,
      ma100: `mean('risk_score', { last: 100, round: 3 })`,
    })
    expect(await json(folder, 'schemas loan_risk')).toEqual(all.filter(({ subject }) => subject === 'loan_risk'))
    const text = await done(folder, 'schemas')
    for (const { id } of all) expect(text).toContain(id)
  })

  it('prints the definition behind an id', async () => {
    const [, { id }]: Printed[] = await json(folder, 'schemas loan_risk')
    const text = await done(folder, `schemas ${id}`)
    const registered = await withPorts(folder, ({ registry }) => registry.find(id))
    expect(text).toBe(JSON.stringify(JSON.parse(registered!.definition), null, 2))
    expect((await json(folder, `schemas ${id}`)).definition).toEqual(JSON.parse(text))
    await expectRefused(
      folder,
      'schemas nope',
      'the registry has no subject or schema version nope. Its subjects are dead_letter, loan_risk, rejected_loan, tidemark_told_row, ' +
        'tidemark_versions_shown; their ids: tidemark schemas',
    )
  })
})

describe('topics', () => {
  it('lists what the log holds', async () => {
    const topics = await withPorts(folder, ({ log }) => log.topics())
    expect(topics.map(({ topic }) => topic)).toEqual(['inflow', 'inflow.dead', 'outflow'])
    const listed = topics.map(({ topic, partitions: [at], bytes }) => ({
      topic,
      partition: 0,
      ...at!,
      messages: at!.next - at!.first,
      bytes,
    }))
    expect(await json(folder, 'topics')).toEqual(listed)
    expect(listed[0]!.messages).toBeGreaterThan(20)
  })

  it('shows the last messages of outflow as the rows they became', async () => {
    const shown: Printed[] = await json(folder, 'topics outflow --last 5')
    const rows = readRows(
      warehouseOf(folder),
      'SELECT _seq, loan_title, application_date, ma50, ma100, CAST(_modified_ts AS TEXT) FROM loan_risk_v1 ORDER BY _seq DESC LIMIT 5',
    ).toReversed()
    expect(
      shown.map(({ fields: { seq, loan_title, application_date, ma50, ma100, _modified_ts } }) => [
        seq,
        loan_title,
        application_date,
        ma50,
        ma100,
        _modified_ts,
      ]),
    ).toEqual(rows)
    expect(shown.every(({ subject, version }) => subject === 'loan_risk' && version === 1)).toBe(true)
    const { next } = (await json(folder, 'topics'))[2]
    expect(shown.map(({ offset }) => offset)).toEqual([5, 4, 3, 2, 1].map((back) => next - back))
    expect((await done(folder, 'topics outflow')).split('\n')[0]).toMatch(/^loan_risk@1 \(schema version /)
  })

  it('begins where it is told', async () => {
    const shown: Printed[] = await json(folder, 'topics inflow --from 2 --last 3')
    expect(shown.map(({ offset, subject, fields }) => [offset, subject, typeof fields.seq])).toEqual(
      [2, 3, 4].map((offset) => [offset, 'rejected_loan', 'number']),
    )
    const { next } = (await json(folder, 'topics'))[0]
    expect(await json(folder, `topics inflow --from ${next}`)).toEqual([])
    await expectRefused(folder, `topics inflow --from ${next + 1}`, `inflow ends at offset ${next}. Use --from ${next} at most.`)
    await expectRefused(folder, 'topics nope', 'there is no topic nope. There are inflow, inflow.dead, outflow.')
    await expectRefused(folder, 'topics --last 0', /^tidemark: --last 0 is not a whole number from 1 on/, 2)
  })

  it('shows what cannot be read with the reason and its first bytes', async () => {
    const copy = copyOf(folder)
    const unknown = '00000000-0000-4000-8000-000000000000'
    const { id } = await withPorts(copy, async ({ registry }) => (await registry.list('rejected_loan'))[0]!)
    const messages = [Buffer.alloc(100, 0xab), frame(unknown, Buffer.from('x')), frame(id, Uint8Array.of(2, 1))]
    await withPorts(copy, async ({ log }) => {
      let end = 0
      const writer = await log.writer('test')
      await writer.commit({
        append: [
          {
            topic: 'inflow',
            partition: 0,
            batch: { bytes: Buffer.concat(messages), ends: Uint32Array.from(messages, ({ length }) => (end += length)) },
          },
        ],
      })
      await writer.close()
    })
    const shown: Printed[] = await json(copy, 'topics inflow --last 4')
    expect(shown[0].fields).toBeDefined()
    expect(shown.slice(1).map(({ reason }) => reason)).toEqual([
      'it is not framed: its first byte is not 0x03',
      `schema version ${unknown} is not in the registry`,
      expect.stringMatching(/^it is not what rejected_loan number 1 says: it ends too early/),
    ])
    expect(shown[1]).toMatchObject({ bytes: 100, hex: `${'ab'.repeat(64)}…` })
    expect(await done(copy, 'topics inflow --last 3')).toContain('ab'.repeat(64))

    await done(copy, 'up --until-caught-up')
    const dead: Printed[] = await json(copy, 'topics inflow.dead')
    expect(dead.map(({ subject, fields: { value } }) => [subject, value])).toEqual(
      messages.map((bytes) => ['dead_letter', Buffer.from(bytes).subarray(0, 64).toString('hex') + (bytes.length > 64 ? '…' : '')]),
    )
    expect(await done(copy, 'reset inflow.dead --yes')).toBe('deleted 3 records of inflow.dead (offsets 0 to 2)')
    expect(await done(copy, 'topics inflow.dead')).toBe('there is no message in inflow.dead')
  })
})

describe('reset', () => {
  const firsts = async (place: string) =>
    Object.fromEntries((await json(place, 'topics')).map(({ topic, first }: Printed) => [topic, first]))

  it(
    'never goes beyond what the readers have taken',
    async () => {
      const copy = copyOf(folder)
      const { next } = (await json(copy, 'topics'))[0]
      await withPorts(copy, async ({ log }) => {
        const writer = await log.writer('test')
        await writer.commit({
          append: ['inflow', 'outflow'].map((topic) => ({
            topic,
            partition: 0,
            batch: { bytes: Uint8Array.of(1, 2), ends: Uint32Array.of(1, 2) },
          })),
        })
        await writer.close()
      })
      const sunk = (await withPorts(copy, ({ warehouse }) => warehouse.progress('sink/outflow/0')))!
      await expectRefused(
        copy,
        `reset outflow --before ${sunk + 1} --yes`,
        `the sink has taken outflow only up to offset ${sunk}, and --before is ${sunk + 1}. Use --before ${sunk} at most.`,
      )
      await expectRefused(
        copy,
        `reset inflow --before ${next + 1} --yes`,
        new RegExp(`^tidemark: loan_risk has taken inflow only up to offset ${next}, `),
      )
      await done(copy, 'reset outflow --yes')
      await done(copy, 'reset inflow --yes')
      expect(await firsts(copy)).toEqual({ inflow: next, 'inflow.dead': 0, outflow: sunk })
    },
    limitMs,
  )

  it(
    'asks first, and deletes exactly what it was told to',
    async () => {
      const copy = copyOf(folder)
      await expectRefused(
        copy,
        'reset outflow --before 3',
        'Delete 3 records of outflow (offsets 0 to 2)? Nobody is there to answer. Pass --yes to say yes in a script.',
        2,
      )
      expect(await json(copy, 'reset outflow --before 3 --yes')).toMatchObject({
        topic: 'outflow',
        deleted: 3,
        partitions: [{ partition: 0, first: 3 }],
      })
      expect(await firsts(copy)).toEqual({ inflow: 0, 'inflow.dead': 0, outflow: 3 })
      expect((await json(copy, 'topics outflow --from 3 --last 1'))[0].offset).toBe(3)
      await expectRefused(copy, 'topics outflow --from 2', 'the messages of outflow before offset 3 were deleted. Use --from 3 or more.')
      expect(await done(copy, 'reset outflow --before 2')).toBe('nothing to delete: the records before offset 2 are gone already')
      expect(await done(copy, 'reset inflow.dead')).toBe('nothing to delete: inflow.dead holds no record')
      await expectRefused(
        copy,
        'reset loan_risk',
        'loan_risk is no topic that reset knows the readers of. Name inflow, outflow or inflow.dead.',
        2,
      )
    },
    limitMs,
  )

  it(
    'of inflow leaves rows and positions as they are, and the stream goes on',
    async () => {
      const copy = copyOf(folder)
      const rows = stored(copy, 'loan_risk')
      const before = await json(copy, 'status')
      const { err } = await tidemark(copy, 'reset inflow --yes')
      expect(err).toContain('history is no longer complete')
      expect(stored(copy, 'loan_risk')).toEqual(rows)
      expect((await json(copy, 'status')).sets).toEqual(before.sets)
      await done(copy, 'up --until-caught-up')
      await done(copy, 'apply loan_risk@2 --cold --yes')
      expect((await json(copy, 'versions')).unfinished).toEqual([])
    },
    limitMs,
  )

  it(
    'of inflow makes a replay name the records that are missing',
    async () => {
      const copy = copyOf(folder)
      const pieces = (await json(copy, 'status')).sets[0].history
      const { firstSeq, lastSeq } = pieces.find(({ kind }: Printed) => kind === 'inflow')
      await done(copy, 'reset inflow --before 4 --yes')
      const says = `history is not complete: rows ${firstSeq} to ${lastSeq} came from inflow, and its records before offset 4 are deleted`
      await expectRefused(copy, 'verify loan_risk@0', new RegExp(`^tidemark: ${says}\\. Restore the log`))
      // What lies behind the gap can be replayed.
      await withPorts(copy, async (ports) => {
        const { history, seq: until } = await loadPosition(ports.checkpoints, 'loan_risk', 0)
        const from = async (after: number) => {
          let rows = 0
          for await (const { seq } of replay(ports, history, { record: rejectedLoan, wanted: [], partition: 0, after, until }))
            rows += seq.length
          return rows
        }
        expect(await from(Number(only(copy, 'SELECT _seq FROM loan_risk ORDER BY _seq DESC LIMIT 1 OFFSET 2')[0]))).toBe(2)
        await expect(from(firstSeq - 1)).rejects.toThrow(says)
      })
    },
    limitMs,
  )

  it(
    'of inflow refuses while a version is being applied, or was left unfinished',
    async () => {
      const copy = copyOf(folder)
      const lease = await withPorts(copy, (ports) => ports.lease('apply-loan_risk'))
      await expectRefused(copy, 'reset inflow --yes', /^tidemark: apply-loan_risk is held by process /)
      await lease.close()
      await cutShort(copy, 2, 'backfill')
      await expectRefused(
        copy,
        'reset inflow --yes',
        /^tidemark: records of inflow may be needed to finish what was begun\. loan_risk@2: its history is being filled/,
      )
    },
    limitMs,
  )
})

describe('doctor', () => {
  const ownConfig = (place: string) => (
    writeFileSync(join(place, 'own.json'), JSON.stringify({ source: { file: tricky } })),
    '--config own.json'
  )
  const stateOf = ({ checks }: Printed, name: string) => checks.find(({ check }: Printed) => check === name)
  const examine = async (place: string, words = '') => {
    const { code, out } = await tidemark(place, `doctor ${ownConfig(place)} --json ${words}`)
    return { code, ...JSON.parse(out) }
  }

  it(
    'finds nothing wrong where nothing is',
    async () => {
      for (const words of ['', '--deep']) {
        const found = await examine(folder, words)
        expect(found).toMatchObject({ code: 0, problems: 0 })
        expect(found.checks.map(({ state }: Printed) => state)).toEqual(Array(found.checks.length).fill('ok'))
        expect(stateOf(found, 'definitions').found).toContain('loan_risk@0, @1, @2')
      }
      expect(await done(folder, `doctor ${ownConfig(folder)}`)).toMatch(/all is well$/)
    },
    limitMs,
  )

  it('in an empty place says what is missing and what to run, and makes nothing', async () => {
    const place = freshFolder()
    const { code, out } = await tidemark(place, 'doctor')
    expect(code).toBe(1)
    expect(out).toMatch(/data directory +problem +there is no \.tidemark yet +Run: tidemark demo, or tidemark apply loan_risk@0/)
    expect(out).toMatch(/source file +problem +there is no file data\/rejected\.csv\.gz/)
    expect(readdirSync(place)).toEqual([])
    mkdirSync(join(place, '.tidemark'))
    expect((await tidemark(place, 'doctor')).out).toMatch(/warehouse\.db +problem +it is not there/)
    expect(readdirSync(join(place, '.tidemark'))).toEqual([])
  })

  it('names a file that is damaged, or is no database', async () => {
    const copy = copyOf(folder)
    writeFileSync(join(copy, '.tidemark', 'registry.db'), Buffer.alloc(8192, 'no database '))
    const bytes = readFileSync(warehouseOf(copy))
    bytes.fill(0xff, 4096 * 3, 4096 * 6)
    writeFileSync(warehouseOf(copy), bytes)
    const found = await examine(copy)
    expect(found.code).toBe(1)
    expect(stateOf(found, 'registry.db')).toMatchObject({ state: 'problem', found: expect.stringContaining('is not a database') })
    expect(stateOf(found, 'warehouse.db')).toMatchObject({ state: 'problem', found: expect.stringContaining('damaged') })
    expect(stateOf(found, 'log.db').state).toBe('ok')
    expect(stateOf(found, 'released versions').state).toBe('not checked')
  })

  it(
    'names a released version that was edited, and definitions that do not load',
    async () => {
      const copy = copyOf(folder)
      const text = (last: number) => `import { featureSet, mean } from '${resolve('definitions.ts')}'
import { rejectedLoan } from '${resolve('examples/loans/rejected-loan.ts')}'
export const v0 = featureSet({ name: 'loan_risk', of: rejectedLoan }, { ma50: mean('risk_score', { last: ${last}, round: 3 }) })
export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })\n`
      const look = async (definitions: string) => {
        const file = join(copy, `features-${definitions.length}.ts`)
        writeFileSync(file, definitions)
        writeFileSync(join(copy, 'edited.json'), JSON.stringify({ features: file, source: { file: tricky } }))
        const { code, out } = await tidemark(copy, 'doctor --config edited.json --json')
        return { code, ...JSON.parse(out) }
      }
      expect(await look(text(50))).toMatchObject({ code: 0, problems: 0 })
      const edited = await look(text(500))
      expect(edited.code).toBe(1)
      expect(stateOf(edited, 'released versions').found).toMatch(/^loan_risk@0 is released and was edited: ma50 was /)
      const broken = await look('export const v0 =')
      expect(stateOf(broken, 'definitions').found).toContain('does not load')
      expect(stateOf(broken, 'source file').state).toBe('not checked')
    },
    limitMs,
  )

  it('names a file with another header, unfinished work and rows from the future', async () => {
    const copy = copyOf(folder)
    writeFileSync(join(copy, 'other.csv'), 'a,b\n1,2\n')
    writeFileSync(join(copy, 'other.json'), JSON.stringify({ source: { file: join(copy, 'other.csv') } }))
    const last = only(copy, 'SELECT max(_seq) FROM loan_risk_v1')[0]
    await cutShort(copy, 2, 'backfill')
    const db = new DatabaseSync(warehouseOf(copy))
    db.exec(`UPDATE loan_risk_rows SET _modified_ts = 4102444800000000000 WHERE _version = 1 AND _seq = ${last}`)
    db.close()
    const { code, out } = await tidemark(copy, 'doctor --config other.json --json')
    const found = JSON.parse(out)
    expect(code).toBe(1)
    expect(found.problems).toBe(3)
    expect(stateOf(found, 'source file').found).toContain('has no columns "Amount Requested", ')
    expect(stateOf(found, 'unfinished work').found).toContain('loan_risk@2: its history is being filled')
    expect(stateOf(found, 'clock').found).toContain('2100-01-01')
  })

  it('says who holds what', async () => {
    const copy = copyOf(folder)
    const up = start(copy, 'up')
    await until(() => up.err().includes('consume: loan_risk@1'))
    const found = stateOf(await examine(copy), 'leases').found
    expect(found).toMatch(new RegExp(`consume: process ${up.pid} on .* \\(tidemark up\\); sink: process ${up.pid} `))
    up.signal('SIGKILL')
    await up.ended
    expect(stateOf(await examine(copy), 'leases')).toMatchObject({ state: 'ok', found: 'nobody holds any' })
  })
})

describe('a definitions file', () => {
  it('loads with what it imports beside it, also where a package.json says that files are CommonJS', async () => {
    const folder = freshFolder()
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'commonjs' }))
    writeFileSync(join(folder, 'window.ts'), 'export const rows = 5\n')
    writeFileSync(
      join(folder, 'features.ts'),
      `import { featureSet, mean, rejectedLoan } from 'tidemark'
import { rows } from './window.ts'
export const v0 = featureSet({ name: 'scores', of: rejectedLoan }, { recent: mean('risk_score', { last: rows }) })
`,
    )
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'features.ts' }))
    expect(await tidemark(folder, 'plan scores@0 --config own.json')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining("mean('risk_score', { last: 5 })"),
    })
  })
})
